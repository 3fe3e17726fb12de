package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tarn/api/client"
	"tarn/export"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tarn": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			for _, v := range os.Environ() { // nothing of the developer's own configuration
				if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "TARN_") {
					e.Setenv(name, "")
				}
			}
			e.Setenv("HOME", e.WorkDir)
			e.Values[serversKey{}] = map[string]*running{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"server":  startServer,
			"stopped": stopServer,
			"exits":   exits,
			"capture": capture,
			"alter":   alter,
			"user":    makeUser,
		},
	})
}

// running is the servers of a script, by data directory.
type running struct {
	cmd *exec.Cmd
	out *bytes.Buffer // of standard error
}

// serversKey finds a script's servers among its values.
type serversKey struct{}

func serversOf(ts *testscript.TestScript) map[string]*running {
	return ts.Value(serversKey{}).(map[string]*running)
}

// startServer is "server DIR [FLAG...]": a server on DIR and a free port; $URL and $TARN_DATA_DIR lead to it.
func startServer(ts *testscript.TestScript, _ bool, args []string) {
	path, err := exec.LookPath("tarn")
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	cmd := exec.Command(path, append([]string{"serve", "--data-dir", dir, "--listen", "127.0.0.1:0"}, args[1:]...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "TARN_MASTER_PASSPHRASE="+ts.Getenv("TARN_MASTER_PASSPHRASE"))
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	log := &bytes.Buffer{}
	cmd.Stderr = log
	ts.Check(cmd.Start())
	serversOf(ts)[dir] = &running{cmd, log}
	ts.Defer(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		ts.Fatalf("the server did not become ready: %v\n%s", err, log)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		ts.Fatalf("the server printed %q", line)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	ts.Setenv("URL", url)
	ts.Setenv("TARN_DATA_DIR", dir)
}

// stopServer is "stopped DIR PATTERN...": SIGTERM must end the server with code 0; its log must match the patterns.
func stopServer(ts *testscript.TestScript, _ bool, args []string) {
	s := serversOf(ts)[ts.MkAbs(args[0])]
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	if err := s.cmd.Wait(); err != nil {
		ts.Fatalf("the server ended with %v\n%s", err, s.out)
	}
	for _, pattern := range args[1:] {
		if !regexp.MustCompile(pattern).Match(s.out.Bytes()) {
			ts.Fatalf("the server's log has no %q:\n%s", pattern, s.out)
		}
	}
}

// exits is "exits CODE COMMAND ARG...": the command must end with that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%s ended with code %d, not %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// capture is "capture NAME stdout|FILE PATTERN": sets $NAME to the first group of the pattern, or
// "capture NAME stdout .A.B": to a member of the JSON there.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[1])
	path, ok := strings.CutPrefix(args[2], ".")
	if !ok {
		m := regexp.MustCompile(args[2]).FindStringSubmatch(text)
		if m == nil {
			ts.Fatalf("no %q in:\n%s", args[2], text)
		}
		ts.Setenv(args[0], m[1])
		return
	}
	var v any
	ts.Check(json.Unmarshal([]byte(text), &v))
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			var i int
			_, err := fmt.Sscan(step, &i)
			ts.Check(err)
			v = at[i]
		}
	}
	if f, ok := v.(float64); ok {
		v = int64(f)
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

func clientOf(ts *testscript.TestScript) *client.Client {
	cfg, err := client.Lookup{DataDir: ts.Getenv("TARN_DATA_DIR"), Getenv: func(string) string { return "" }}.Find()
	ts.Check(err)
	c, err := client.New(cfg)
	ts.Check(err)
	return c
}

// alter is "alter S3URI TYPE OLD NEW": replaces text in the first file of a type of an export. "! alter" forges: the
// manifest is made to say what the altered file has, so that only the data store knows better.
func alter(ts *testscript.TestScript, forge bool, args []string) {
	c, ctx := clientOf(ts), context.Background()
	bucket, prefix, err := export.ParseS3Uri(args[0])
	ts.Check(err)
	read := func(key string) []byte {
		r, err := c.GetObject(ctx, bucket, key)
		ts.Check(err)
		b, err := io.ReadAll(r)
		ts.Check(errors.Join(err, r.Close()))
		return b
	}
	write := func(key string, b []byte) {
		ts.Check(c.PutObject(ctx, bucket, key, bytes.NewReader(b), int64(len(b))))
	}
	for o, err := range c.Objects(ctx, bucket, prefix+args[1]+"/") {
		ts.Check(err)
		b := read(o.Key)
		altered := bytes.Replace(b, []byte(args[2]), []byte(args[3]), 1)
		if bytes.Equal(b, altered) {
			ts.Fatalf("%s has no %q", o.Key, args[2])
		}
		write(o.Key, altered)
		if forge {
			manifest := prefix + export.ManifestName
			write(manifest, bytes.Replace(read(manifest), fmt.Appendf(nil, "%x", sha256.Sum256(b)), fmt.Appendf(nil, "%x", sha256.Sum256(altered)), 1))
		}
		return
	}
	ts.Fatalf("no file of %s in %s", args[1], args[0])
}

// makeUser is "user NAME": an IAM user without any rights; $NAME_KEY and $NAME_SECRET are its access key.
func makeUser(ts *testscript.TestScript, _ bool, args []string) {
	c := clientOf(ts)
	ts.Check(c.IAM(context.Background(), "CreateUser", url.Values{"UserName": {args[0]}}, nil))
	var out struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	ts.Check(c.IAM(context.Background(), "CreateAccessKey", url.Values{"UserName": {args[0]}}, &out))
	ts.Setenv(args[0]+"_KEY", out.ID)
	ts.Setenv(args[0]+"_SECRET", out.Secret)
}
