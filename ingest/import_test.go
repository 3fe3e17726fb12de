package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tarn/api/client"
	"tarn/app"
	"tarn/ingest"
)

// server is a whole server with a data store, and bucket, key and role for its imports.
type server struct {
	t      *testing.T
	client *client.Client
	data   client.Datastore
	key    client.Key
	role   client.Role
	stop   func()
}

const bucket = "import-test"

// start opens a server on a data directory and runs it until stop or the end of the test.
func start(t *testing.T, dir string) *server {
	t.Helper()
	a, err := app.Open(t.Context(), app.Config{DataDir: dir, Listen: "127.0.0.1:0"})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	ready := make(chan struct{})
	go func() { done <- a.Run(ctx, func() { close(ready) }) }()
	<-ready
	s := &server{t: t}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		must(t, a.Close())
	}
	t.Cleanup(s.stop)
	s.client, err = client.New(client.Config{Endpoint: a.URL(), Region: "us-east-1",
		Credentials: client.Credentials{AccessKeyID: a.Root().AccessKeyID, Secret: a.Root().Secret}})
	must(t, err)
	return s
}

// prepare makes data store, key, bucket and role.
func (s *server) prepare() *server {
	t, ctx := s.t, s.t.Context()
	t.Helper()
	var err error
	s.data, err = s.client.CreateDatastore(ctx, "ward", false)
	must(t, err)
	s.key, err = s.client.CreateKey(ctx, "imports")
	must(t, err)
	must(t, s.client.CreateBucket(ctx, bucket))
	must(t, s.client.BlockPublicAccess(ctx, bucket))
	must(t, s.client.EncryptBucket(ctx, bucket, s.key.Arn))
	s.role, err = s.client.CreateRole(ctx, "importer", client.TrustPolicy("000000000000", s.data.DatastoreArn))
	must(t, err)
	policy, err := s.client.CreatePolicy(ctx, "importer", client.ImportPolicy(bucket, s.key.Arn))
	must(t, err)
	must(t, s.client.AttachRolePolicy(ctx, "importer", policy))
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *server) upload(name, text string) {
	s.t.Helper()
	must(s.t, s.client.PutObject(s.t.Context(), bucket, name, strings.NewReader(text), int64(len(text))))
}

func (s *server) request(prefix string) client.ImportRequest {
	r := client.ImportRequest{DatastoreId: s.data.DatastoreId, DataAccessRoleArn: s.role.Arn}
	r.InputDataConfig.S3Uri = "s3://" + bucket + "/" + prefix
	r.JobOutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://" + bucket + "/log", KmsKeyId: s.key.Arn}
	return r
}

// run starts an import of what lies below prefix and waits for its end.
func (s *server) run(prefix string) client.ImportJob {
	s.t.Helper()
	id, err := s.client.StartImport(s.t.Context(), s.request(prefix))
	must(s.t, err)
	return s.wait(id)
}

func (s *server) wait(id string) client.ImportJob {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		j, err := s.client.DescribeImport(ctx, s.data.DatastoreId, id)
		must(s.t, err)
		if done, _ := client.Done(j.JobStatus); done {
			return j
		}
		<-tick.C
	}
}

func (s *server) object(key string) string {
	s.t.Helper()
	r, err := s.client.GetObject(s.t.Context(), bucket, key)
	must(s.t, err)
	b, err := io.ReadAll(r)
	must(s.t, err)
	must(s.t, r.Close())
	return string(b)
}

func (s *server) read(path string) string {
	s.t.Helper()
	resp, err := s.client.FHIR(s.t.Context(), http.MethodGet, s.data.DatastoreId, path, nil)
	must(s.t, err)
	b, err := io.ReadAll(resp.Body)
	must(s.t, err)
	must(s.t, resp.Body.Close())
	return string(b)
}

func TestImport_takesEveryGoodLineAndNamesEveryBadOne(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir()).prepare()
	s.upload("in/a.ndjson", "\xef\xbb\xbf"+`{"resourceType":"Patient","id":"a1","extension":[{"url":"u","valueDecimal":1.0}]}`+"\r\n"+
		"\n   \t\r\n"+ // lines 2 and 3: nothing
		`{"resourceType":"Patient","id":"a2"`+"\n"+
		`{"resourceType":"Patient"}`+"\n"+
		`{"resourceType":"Nobody","id":"x"}`+"\n"+
		`{"resourceType":"Patient","id":"not an id"}`+"\n"+
		`{"resourceType":"Patient","id":"a8","id":"a9"}`+"\n"+
		`{"resourceType":"Patient","id":"a1","active":true}`+"\n"+ // later than line 1: wins
		`{"resourceType":"Patient","id":"a10"}`) // no newline at the end
	s.upload("in/deep/b.ndjson", `{"resourceType":"Observation","id":"b1","status":"final","code":{"text":"note"}}`+"\n")
	s.upload("in/notes.txt", "not to be read")
	s.upload("in/empty.ndjson", "")
	j := s.run("in/")
	if j.JobStatus != "COMPLETED_WITH_ERRORS" || j.Message == "" {
		t.Errorf("%s %q", j.JobStatus, j.Message)
	}
	p := j.JobProgressReport
	if p.TotalNumberOfScannedFiles != 3 || p.TotalNumberOfImportedFiles != 3 || p.TotalNumberOfResourcesScanned != 9 ||
		p.TotalNumberOfResourcesImported != 4 || p.TotalNumberOfResourcesWithCustomerError != 5 || p.TotalNumberOfFilesReadWithCustomerError != 0 {
		t.Errorf("progress %+v", p)
	}
	if got := s.read("Patient/a1"); !strings.Contains(got, `"versionId":"2"`) || !strings.Contains(got, `"active":true`) {
		t.Errorf("the later of two lines does not win: %s", got)
	}
	if got := s.read("Patient/a1/_history/1"); !strings.Contains(got, `"valueDecimal":1.0`) {
		t.Errorf("the earlier of two lines: %s", got)
	}
	s.read("Patient/a10")
	s.read("Observation/b1")

	folder := "log/" + ingest.Folder(s.data.DatastoreId, j.JobId)
	if want := "s3://" + bucket + "/" + folder; j.JobOutputDataConfig.S3Configuration.S3Uri != want {
		t.Errorf("output folder %s, want %s", j.JobOutputDataConfig.S3Configuration.S3Uri, want)
	}
	var lines []int64
	for line := range strings.Lines(s.object(folder + "FAILURE/a.ndjson")) {
		var f struct {
			LineID   int64
			Response struct {
				Status  int `json:"statusCode"`
				Outcome struct {
					ResourceType string
					Issue        []struct{ Diagnostics string }
				} `json:"jsonBlob"`
			} `json:"UpdateResourceResponse"`
		}
		must(t, json.Unmarshal([]byte(line), &f))
		if f.Response.Status != 400 || f.Response.Outcome.ResourceType != "OperationOutcome" || len(f.Response.Outcome.Issue) == 0 || f.Response.Outcome.Issue[0].Diagnostics == "" {
			t.Errorf("failure line %s", line)
		}
		lines = append(lines, f.LineID)
	}
	if fmt.Sprint(lines) != "[4 5 6 7 8]" {
		t.Errorf("lines %v failed, want 4 to 8", lines)
	}
	var m map[string]any
	must(t, json.Unmarshal([]byte(s.object(folder+"manifest.json")), &m))
	for member, want := range map[string]float64{"numberOfScannedFiles": 3, "numberOfFilesImported": 3, "numberOfResourcesScanned": 9,
		"numberOfResourcesImportedSuccessfully": 4, "numberOfResourcesWithCustomerError": 5, "numberOfResourcesWithServerError": 0} {
		if m[member] != want {
			t.Errorf("manifest %s is %v, want %v", member, m[member], want)
		}
	}
}

func TestImport_failsWithAMessageWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir()).prepare()
	if j := s.run("nothing/here/"); j.JobStatus != "FAILED" || !strings.Contains(j.Message, ".ndjson") {
		t.Errorf("%s %q", j.JobStatus, j.Message)
	}
}

func TestImport_isRefusedWithAllFindings(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir()).prepare()
	r := s.request("in/")
	r.InputDataConfig.S3Uri = "s3://no-such-bucket-here/in"
	r.DataAccessRoleArn = s.role.Arn
	must(t, s.client.KMS(t.Context(), "DisableKey", map[string]string{"KeyId": s.key.KeyId}, nil))
	_, err := s.client.StartImport(t.Context(), r)
	if err == nil || !strings.Contains(err.Error(), "no-such-bucket-here") || !strings.Contains(err.Error(), "Disabled") {
		t.Errorf("%v", err)
	}
}

func TestImport_goesOnAfterAStopAndWritesNothingTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir).prepare()
	var text bytes.Buffer
	const n = 20_000
	for i := range n {
		if i%1000 == 999 {
			fmt.Fprintf(&text, "broken %d\n", i)
			continue
		}
		fmt.Fprintf(&text, `{"resourceType":"Observation","id":"o-%d","status":"final","code":{"text":"note"},"valueString":%q}`+"\n", i, strings.Repeat("x", 500))
	}
	s.upload("big/o.ndjson", text.String())
	id, err := s.client.StartImport(t.Context(), s.request("big/"))
	must(t, err)
	data, key, role := s.data, s.key, s.role
	stops := 0
	for done := false; !done; stops++ {
		// Stopped as soon as it has moved, again and again.
		seen := int64(-1)
		for {
			j, err := s.client.DescribeImport(t.Context(), data.DatastoreId, id)
			must(t, err)
			if done, _ = client.Done(j.JobStatus); done {
				break
			}
			if at := j.JobProgressReport.TotalNumberOfResourcesScanned; seen >= 0 && at != seen || j.JobStatus == "IN_PROGRESS" && stops < 3 {
				break
			} else {
				seen = at
			}
		}
		s.stop()
		s = start(t, dir)
		s.data, s.key, s.role = data, key, role
	}
	j := s.wait(id)
	p := j.JobProgressReport
	if j.JobStatus != "COMPLETED_WITH_ERRORS" || p.TotalNumberOfResourcesImported != n-n/1000 || p.TotalNumberOfResourcesWithCustomerError != n/1000 {
		t.Errorf("after %d stops: %s %+v", stops, j.JobStatus, p)
	}
	for _, i := range []int{0, 1, n / 2, n - 2} {
		if got := s.read(fmt.Sprintf("Observation/o-%d", i)); !strings.Contains(got, `"versionId":"1"`) {
			t.Errorf("o-%d was written more than once", i)
		}
	}
	if log := s.object("log/" + ingest.Folder(data.DatastoreId, id) + "FAILURE/o.ndjson"); strings.Count(log, "\n") != n/1000 {
		t.Errorf("the failure log has %d lines, want %d", strings.Count(log, "\n"), n/1000)
	}
}

func TestPreload_fillsADataStoreWithASamplePopulation(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	d, err := s.client.CreateDatastore(t.Context(), "sample", true)
	must(t, err)
	if d.DatastoreStatus != "CREATING" {
		t.Errorf("a new data store is %s", d.DatastoreStatus)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for d.DatastoreStatus == "CREATING" || d.DatastoreStatus == "" {
		<-tick.C
		d, err = s.client.DescribeDatastore(t.Context(), d.DatastoreId)
		must(t, err)
	}
	if d.DatastoreStatus != "ACTIVE" || d.PreloadDataConfig == nil || d.PreloadDataConfig.PreloadDataType != "SYNTHEA" {
		t.Errorf("%+v", d)
	}
}
