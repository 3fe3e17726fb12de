package kvtest

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// PostgresURL names the environment variable with the address of a PostgreSQL for tests.
const PostgresURL = "TARN_TEST_POSTGRES_URL"

// Postgres is a PostgreSQL server for the tests of one binary, started on demand. The zero value is ready; keep one in
// a variable of the test package and call Stop in its TestMain.
type Postgres struct {
	once sync.Once
	dir  string
	stop io.Closer // its standard input
	wait func() error
	url  string
	why  string // it could not be started
}

// URL is the address of the server: the one that TARN_TEST_POSTGRES_URL names, else one started in a temporary folder
// from the binaries of this machine, reached by a socket there. Where there are none it skips the test.
func (p *Postgres) URL(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(PostgresURL); given != "" {
		return given
	}
	p.once.Do(func() {
		if err := p.start(); err != nil {
			p.why = err.Error()
		}
	})
	if p.why != "" {
		t.Skipf("left out: no PostgreSQL for this test: %s; set %s to use one", p.why, PostgresURL)
	}
	return p.url
}

func (p *Postgres) start() error {
	bin, err := postgresBin()
	if err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "tarn-pg-"); err != nil {
		return err
	}
	as, err := unprivileged(p.dir)
	if err != nil {
		return err
	}
	settings := "-c listen_addresses='' -c unix_socket_directories=" + p.dir +
		" -c fsync=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB"
	cmd := exec.Command("/bin/sh", "-c", keeper, "sh", bin, p.dir, settings)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if p.stop, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.wait = cmd.Wait
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || said != "ready\n" {
		log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		return fmt.Errorf("the server did not start: %s", log)
	}
	q := url.Values{"host": {p.dir}, "user": {"tarn"}, "sslmode": {"disable"}}
	p.url = "postgres:///postgres?" + q.Encode()
	return nil
}

// keeper runs a server until its standard input ends, which it does also when the test binary dies of a panic. Its
// arguments are the folder of the binaries, the folder of the server, and the server's settings.
const keeper = `
"$1/initdb" -D "$2/data" -U tarn -A trust --no-sync -E UTF8 --locale=C >"$2/log" 2>&1 || exit 1
"$1/pg_ctl" -D "$2/data" -w -l "$2/log" -o "$3" start >/dev/null || exit 1
echo ready
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null
rm -rf "$2/data" "$2/log"
`

// Stop ends the server, if one was started, and removes its folder.
func (p *Postgres) Stop() {
	if p.stop != nil {
		_ = p.stop.Close()
		_ = p.wait()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}

// postgresBin finds the folder with initdb and pg_ctl.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", fmt.Errorf("initdb is not on this machine")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged is who the server runs as: PostgreSQL refuses root.
func unprivileged(dir string) (*syscall.Credential, error) {
	if runtime.GOOS == "windows" || os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}
