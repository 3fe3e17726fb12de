// Package server runs the real program as a process, for tests that look at it from outside: they speak its protocols
// and know nothing of its code.
package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tarn/kv/kvtest"
)

// patience is how long anything of the program may take before a test gives it up. It measures nothing.
const patience = 2 * time.Minute

// program is the path of the built program; Main sets it before any test runs.
var program string

// Main builds the program once for all tests of a package, with build tags where they are given, and runs the tests.
// TestMain is: os.Exit(server.Main(m)).
func Main(m *testing.M, tags ...string) int {
	dir, err := os.MkdirTemp("", "tarn-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	defer databases.Stop()
	program = filepath.Join(dir, "tarn")
	if out, err := Build(program, "./cmd/tarn", tags...); err != nil {
		fmt.Fprintf(os.Stderr, "the program does not build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Race names the environment variable that, where it is set, builds commands with the race detector. The first race that it
// finds in a process ends that process and is in its log.
const Race = "TARN_TEST_RACE"

// Build compiles a command of this repository to a file, with build tags.
func Build(to, pkg string, tags ...string) ([]byte, error) {
	_, here, _, _ := runtime.Caller(0)
	args, cgo := []string{"build", "-tags", strings.Join(tags, ",")}, "CGO_ENABLED=0"
	if os.Getenv(Race) != "" {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, "-o", to, pkg)...)
	cmd.Dir = filepath.Join(filepath.Dir(here), "..", "..")
	cmd.Env = append(os.Environ(), cgo)
	return cmd.CombinedOutput()
}

// Server is one data directory and, while it runs, the process that serves it.
type Server struct {
	Dir string // data directory
	URL string // http://HOST:PORT; the same after a restart

	listen string
	args   []string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has ended
	exit   error         // why, behind ended
	log    *lockedBuffer
}

// databases is the PostgreSQL of all servers of a package's tests.
var databases kvtest.Postgres

// OnPostgres are the flags of a server whose rows lie in PostgreSQL, in a database of its own, which goes with the test.
// Where this machine has no PostgreSQL it skips the test.
func OnPostgres(t testing.TB) []string {
	t.Helper()
	return []string{"--database-url", databases.Database(t)}
}

// Start serves a new data directory on a free port; args are further flags of `tarn serve`. Its rows lie where
// kvtest.Engine says, unless args do. The server is killed when the test ends, and its log is shown where the test failed.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	if kvtest.PostgresWanted(t) && !slices.Contains(args, "--database-url") {
		args = append(OnPostgres(t), args...)
	}
	s := &Server{Dir: filepath.Join(t.TempDir(), "data"), listen: "127.0.0.1:0", args: args, log: &lockedBuffer{}}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.Kill(t)
		}
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", s.log.tail(8<<10))
		}
	})
	s.run(t)
	return s
}

// run starts the process and waits until it is ready.
func (s *Server) run(t testing.TB) {
	t.Helper()
	s.cmd = exec.Command(program, append([]string{"serve", "--data-dir", s.Dir, "--listen", s.listen}, s.args...)...)
	s.cmd.Env = Environment()
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatalf("the server does not start: %v", err)
	}
	first, rest := make(chan string, 1), make(chan []byte, 1)
	go func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		first <- line
		more, _ := io.ReadAll(r)
		rest <- more
	}()
	s.ended = make(chan struct{})
	go func() {
		more := <-rest // Wait closes the pipe, so everything is read before it
		s.exit = s.cmd.Wait()
		if s.exit == nil && len(more) > 0 {
			s.exit = fmt.Errorf("standard output carries more than the ready line: %q", more)
		}
		close(s.ended)
	}()
	select {
	case line := <-first:
		url, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "ready http://")
		if !ok {
			t.Fatalf("the server said %q instead of its ready line", line)
		}
		s.URL, s.listen = "http://"+url, url
	case <-time.After(patience):
		t.Fatal("the server does not become ready")
	}
}

// Terminate ends the process as an operator does, by SIGTERM; it must drain and exit 0.
func (s *Server) Terminate(t testing.TB) {
	t.Helper()
	if err := s.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM the server ended with %v", err)
	}
}

// Kill ends the process by SIGKILL: it gets no chance to finish anything.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	_ = s.end(t, syscall.SIGKILL)
}

func (s *Server) end(t testing.TB, signal os.Signal) error {
	t.Helper()
	_ = s.cmd.Process.Signal(signal) // it may have ended by itself: Wait tells
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		t.Errorf("the server does not end on %v", signal)
		<-s.ended
	}
	s.cmd = nil
	return s.exit
}

// Ended is closed when the process that Start or Restart began has ended, by itself too.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// PID is the number of the process that runs.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Log is what the processes have written to standard error so far.
func (s *Server) Log() string { return string(s.log.tail(math.MaxInt)) }

// Restart serves the same data directory again at the same address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if s.cmd != nil {
		t.Fatal("the server still runs")
	}
	s.run(t)
}

// Tarn runs another command of the program against this data directory and gives its output and exit code.
func (s *Server) Tarn(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return Tarn(t, append(args, "--data-dir", s.Dir)...)
}

// Tarn runs a command of the program.
func Tarn(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return Run(t, program, args...)
}

// Run runs any program to its end, with nothing in its environment that leads to another cloud.
func Run(t testing.TB, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return RunWith(t, Environment(), name, args...)
}

// RunWith runs any program to its end.
func RunWith(t testing.TB, env []string, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 5*patience)
	defer stop()
	var out, err bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &err
	failed := cmd.Run()
	var exit *exec.ExitError
	if failed != nil && !errors.As(failed, &exit) {
		t.Fatalf("%s does not run: %v", name, failed)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// Environment is ours without what could lead a client to another cloud, or the server to another configuration.
func Environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") && (!strings.HasPrefix(v, "TARN_") || strings.HasPrefix(v, "TARN_TEST_")) {
			env = append(env, v)
		}
	}
	return append(env, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "NO_PROXY=127.0.0.1", "GORACE=halt_on_error=1")
}

// lockedBuffer gathers the log of a process.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) tail(n int) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.buf.Bytes()
	return bytes.Clone(all[max(0, len(all)-n):])
}
