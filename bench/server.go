package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tarn/api/client"
)

// server is one run of tarn serve.
type server struct {
	cmd    *exec.Cmd
	url    string
	client *client.Client
	took   time.Duration // from start to ready
}

// place is where jobs read and write.
type place struct {
	datastore client.Datastore
	key       client.Key
	role      client.Role
}

const bucket = "bench-bucket"

// start runs the server on the data directory of this run and makes, the first time, what the jobs need.
func (b *bench) start(ctx context.Context) error {
	data := filepath.Join(b.dir, "data")
	cmd := exec.Command(b.tarn, append([]string{"serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--log-level", "error"}, b.serveFlags...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	if b.cgroup != "" {
		if err := os.WriteFile(filepath.Join(b.cgroup, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
			return err
		}
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	took := time.Since(begin)
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		return fmt.Errorf("tarn serve said %q: %w", line, err)
	}
	id, secret, err := credentials(filepath.Join(data, "aws", "credentials"))
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{Endpoint: url, Region: "us-east-1", Credentials: client.Credentials{AccessKeyID: id, Secret: secret}})
	if err != nil {
		return err
	}
	b.server = &server{cmd: cmd, url: url, client: c, took: took}
	if b.place.datastore.DatastoreId != "" {
		return nil
	}
	return b.prepare(ctx)
}

func credentials(file string) (id, secret string, err error) {
	text, err := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		k, v, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(k) {
		case "aws_access_key_id":
			id = strings.TrimSpace(v)
		case "aws_secret_access_key":
			secret = strings.TrimSpace(v)
		}
	}
	return id, secret, err
}

func (b *bench) prepare(ctx context.Context) (err error) {
	c := b.server.client
	if b.place.datastore, err = c.CreateDatastore(ctx, "bench", false); err != nil {
		return err
	}
	if b.place.key, err = c.CreateKey(ctx, "bench"); err != nil {
		return err
	}
	for _, f := range []func() error{
		func() error { return c.CreateBucket(ctx, bucket) },
		func() error { return c.BlockPublicAccess(ctx, bucket) },
		func() error { return c.EncryptBucket(ctx, bucket, b.place.key.Arn) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	who, err := c.CallerIdentity(ctx)
	if err != nil {
		return err
	}
	if b.place.role, err = c.CreateRole(ctx, "bench", client.TrustPolicy(who.Account, b.place.datastore.DatastoreArn)); err != nil {
		return err
	}
	policy, err := c.CreatePolicy(ctx, "bench", client.ImportPolicy(bucket, b.place.key.Arn))
	if err != nil {
		return err
	}
	return c.AttachRolePolicy(ctx, "bench", policy)
}

// stop ends the server by SIGTERM, kill by SIGKILL.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// memory is a figure of /proc/PID/status in bytes, such as VmRSS or VmHWM.
func (s *server) memory(field string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// forgetPeak begins a new VmHWM.
func (s *server) forgetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0o600)
}
