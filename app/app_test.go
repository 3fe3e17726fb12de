package app_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/api/client"
	"tarn/app"
	"tarn/export"
	"tarn/fault"
	"tarn/kv/kvtest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve runs a server until stop, which says how it ended.
func serve(t *testing.T, cfg app.Config) (a *app.App, c *client.Client, stop func() error) {
	t.Helper()
	cfg.Listen = cmp.Or(cfg.Listen, "127.0.0.1:0")
	a, err := app.Open(t.Context(), cfg)
	must(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- a.Run(ctx, func() { close(ready) }) }()
	<-ready
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return errors.Join(<-done, a.Close())
	}
	t.Cleanup(func() { must(t, stop()) })
	c, err = client.New(client.Config{Endpoint: a.Address(), Region: "us-east-1",
		Credentials: client.Credentials{AccessKeyID: a.Root().AccessKeyID, Secret: a.Root().Secret}})
	must(t, err)
	return a, c, stop
}

// refused opens a server that must not start, and returns why.
func refused(t *testing.T, cfg app.Config, says string) error {
	t.Helper()
	cfg.Listen = cmp.Or(cfg.Listen, "127.0.0.1:0")
	a, err := app.Open(t.Context(), cfg)
	if err == nil {
		must(t, a.Close())
		t.Fatalf("started; want %q", says)
	}
	if !strings.Contains(fault.Message(err)+" "+fault.Hint(err), says) {
		t.Errorf("%q %q, want %q", fault.Message(err), fault.Hint(err), says)
	}
	return err
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	must(t, err)
	b, err := io.ReadAll(resp.Body)
	must(t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(b)
}

func TestServer_isReadyAndCountsItsJobs(t *testing.T) {
	t.Parallel()
	a, c, _ := serve(t, app.Config{DataDir: t.TempDir()})
	if status, text := get(t, a.Address()+"/readyz"); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	d, err := c.CreateDatastore(t.Context(), "ward", false)
	must(t, err)
	wait(t, func() bool {
		d, err = c.DescribeDatastore(t.Context(), d.DatastoreId)
		must(t, err)
		return d.DatastoreStatus == "ACTIVE"
	})
	must(t, c.HealthLake(t.Context(), "DeleteFHIRDatastore", map[string]string{"DatastoreId": d.DatastoreId}, nil))
	wait(t, func() bool {
		_, text := get(t, a.Address()+"/metrics")
		return strings.Contains(text, `tarn_job_ended_total{kind="delete-datastore",state="COMPLETED"} 1`)
	})
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !until(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it does not come to pass")
		}
	}
}

func TestReadiness_saysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		jobs, broken bool
		says         string
	}{
		"well":                 {true, false, ""},
		"no runner":            {false, false, "jobs are not being run"},
		"an engine that fails": {true, true, "rows cannot be written"},
	} {
		err := app.ReadyForTest(t, tt.jobs, tt.broken)
		if (err == nil) != (tt.says == "") || err != nil && fault.Message(err) != tt.says {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpen_refusesAnotherRegionOrAccount(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, _, stop := serve(t, app.Config{DataDir: dir, Region: "eu-west-1", Account: "111122223333"})
	must(t, stop())
	refused(t, app.Config{DataDir: dir, Account: "111122223333"}, "--region eu-west-1")
	refused(t, app.Config{DataDir: dir, Region: "eu-west-1"}, "111122223333")
	_, _, stop = serve(t, app.Config{DataDir: dir, Region: "eu-west-1", Account: "111122223333"})
	must(t, stop())
}

func TestOpen_makesNoNewKeyForOldRows(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]app.Config{"file": {}, "passphrase": {MasterPassphrase: "correct horse battery staple"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg.DataDir = t.TempDir()
			_, _, stop := serve(t, cfg)
			must(t, stop())
			key := filepath.Join(cfg.DataDir, "keys", map[string]string{"file": "master.key", "passphrase": "salt"}[name])
			kept, err := os.ReadFile(key)
			must(t, err)
			must(t, os.Remove(key))
			refused(t, cfg, "is missing")
			if _, err := os.Stat(key); err == nil {
				t.Error("a key was made")
			}
			other := filepath.Join(t.TempDir(), "other.key")
			must(t, os.WriteFile(other, bytes.Repeat([]byte{9}, 32), 0o600))
			wrong := cfg
			wrong.MasterPassphrase, wrong.MasterKeyFile = "", other
			refused(t, wrong, "another master key")
			must(t, os.WriteFile(key, kept, 0o644))
			refused(t, cfg, "chmod 600")
			must(t, os.Chmod(key, 0o600))
			_, _, stop = serve(t, cfg)
			must(t, stop())
		})
	}
}

func TestOpen_refusesADataDirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, _, stop := serve(t, app.Config{DataDir: dir})
	if err := refused(t, app.Config{DataDir: dir}, fmt.Sprintf("pid %d", os.Getpid())); !errors.Is(err, app.ErrInUse) {
		t.Errorf("%v", err)
	}
	must(t, stop())
	must(t, os.WriteFile(filepath.Join(dir, "lock"), []byte("pid 123456789012\n"), 0o600)) // what a killed process leaves
	_, _, stop = serve(t, app.Config{DataDir: dir})
	must(t, stop())
	if b, err := os.ReadFile(filepath.Join(dir, "lock")); err != nil || string(b) != fmt.Sprintf("pid %d\n", os.Getpid()) {
		t.Errorf("lock file %q %v", b, err)
	}
}

func TestDataDir_isClosedToOthers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "here")
	_, _, stop := serve(t, app.Config{DataDir: dir})
	must(t, stop())
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		top := filepath.Dir(path) == dir || path == dir
		secret := filepath.Base(filepath.Dir(path)) == "keys" || filepath.Base(filepath.Dir(path)) == "aws"
		if (d.IsDir() && top || secret) && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return nil
	}))
}

func TestConfig_refusesPublicURLsThatCannotBeGivenOut(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"fhir.example.org", "ftp://fhir.example.org", "https://", "https://fhir.example.org/base", "https://me:secret@fhir.example.org", "https://fhir.example.org?x=1", "https://fhir.example.org#x", "https://fhir example.org"} {
		refused(t, app.Config{DataDir: t.TempDir(), PublicURL: url}, "public URL")
	}
}

func TestOpen_boundsExportsOfADatabase(t *testing.T) {
	t.Parallel()
	refused(t, app.Config{DataDir: t.TempDir(), DatabaseURL: "postgres://127.0.0.1:1/x", ExportWorkers: 13}, "at most 12 parts")
}

func TestConfig_refusesAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"8080", "localhost", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000", "http://127.0.0.1:8080"} {
		refused(t, app.Config{DataDir: t.TempDir(), Listen: listen}, "address to listen on")
	}
}

// TestServer_worksOnPostgreSQL makes the whole trip: import, export, a restart between, proof.
func TestServer_worksOnPostgreSQL(t *testing.T) {
	t.Parallel()
	var postgres kvtest.Postgres
	t.Cleanup(postgres.Stop)
	cfg := app.Config{DataDir: t.TempDir(), DatabaseURL: postgres.Database(t)}
	_, c, stop := serve(t, cfg)
	ctx := t.Context()
	d, err := c.CreateDatastore(ctx, "ward", false)
	must(t, err)
	key, err := c.CreateKey(ctx, "exports")
	must(t, err)
	const bucket = "trip"
	must(t, c.CreateBucket(ctx, bucket))
	must(t, c.BlockPublicAccess(ctx, bucket))
	must(t, c.EncryptBucket(ctx, bucket, key.Arn))
	role, err := c.CreateRole(ctx, "jobs", client.TrustPolicy("000000000000", d.DatastoreArn))
	must(t, err)
	must(t, c.PutRolePolicy(ctx, "jobs", "jobs", client.ImportPolicy(bucket, key.Arn)))
	const n = 6000
	var text bytes.Buffer
	for i := range n {
		fmt.Fprintf(&text, `{"resourceType":"Observation","id":"o-%d","status":"final","code":{"text":"note"},"valueString":%q}`+"\n", i, strings.Repeat("x", 300))
	}
	text.WriteString("broken\n")
	must(t, c.PutObject(ctx, bucket, "in/o.ndjson", bytes.NewReader(text.Bytes()), int64(text.Len())))

	in := client.ImportRequest{DatastoreId: d.DatastoreId, DataAccessRoleArn: role.Arn}
	in.InputDataConfig.S3Uri = "s3://" + bucket + "/in"
	in.JobOutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + bucket + "/log", KmsKeyId: key.Arn}
	imported, err := c.StartImport(ctx, in)
	must(t, err)
	wait(t, func() bool { // it has begun
		j, err := c.DescribeImport(ctx, d.DatastoreId, imported)
		must(t, err)
		return j.JobStatus != "SUBMITTED"
	})
	must(t, stop())
	other := cfg
	other.DataDir = t.TempDir()
	refused(t, other, "another data directory")

	_, c, _ = serve(t, cfg)
	wait(t, func() bool {
		j, err := c.DescribeImport(ctx, d.DatastoreId, imported)
		must(t, err)
		done, _ := client.Done(j.JobStatus)
		if p := j.JobProgressReport; done && (j.JobStatus != "COMPLETED_WITH_ERRORS" || p.TotalNumberOfResourcesImported != n || p.TotalNumberOfResourcesWithCustomerError != 1) {
			t.Errorf("%s %s %+v", j.JobStatus, j.Message, p)
		}
		return done
	})
	out := client.ExportRequest{DatastoreId: d.DatastoreId, DataAccessRoleArn: role.Arn}
	out.OutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + bucket + "/out", KmsKeyId: key.Arn}
	exported, err := c.StartExport(ctx, out)
	must(t, err)
	wait(t, func() bool {
		j, err := c.DescribeExport(ctx, d.DatastoreId, exported)
		must(t, err)
		done, ok := client.Done(j.JobStatus)
		if done && !ok {
			t.Errorf("%s %s", j.JobStatus, j.Message)
		}
		return done
	})
	asked, _, err := c.Digests(ctx, d.DatastoreId, exported)
	must(t, err)
	var digests []export.File
	for _, f := range asked {
		digests = append(digests, export.File(f))
	}
	folder := client.Folder{Client: c, Bucket: bucket, Prefix: "out/" + export.Folder(d.DatastoreId, exported)}
	report, err := export.Verify(ctx, folder, digests, nil)
	if err != nil || report.Verified != n || len(report.Problems) > 0 {
		t.Errorf("verified %d, problems %v: %v", report.Verified, report.Problems, err)
	}
}
