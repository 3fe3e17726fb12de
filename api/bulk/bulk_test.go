package bulk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/iam"
	"tarn/api/bulk"
	"tarn/api/client"
	"tarn/api/edge"
	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
)

const (
	account = "000000000000"
	active  = "11111111111111111111111111111111"
	filling = "22222222222222222222222222222222"
	jobID   = "33333333333333333333333333333333"
	role    = "arn:aws:iam::000000000000:role/Export"
	secret  = "0123456789012345678901234567890123456789"
)

var update = flag.Bool("update", false, "write the golden files anew")

func arnOf(id string) string {
	return "arn:aws:healthlake:us-east-1:" + account + ":datastore/fhir/" + id
}

// stage is what the face stands on: two data stores, one export, and one caller with a policy.
type stage struct {
	own      bool             // the export goes to the service's own bucket
	now      func() time.Time // of the face
	failed   string           // the message of the export, where it is one that failed, to the service's own bucket
	policy   access.Policy
	findings []export.Finding
	refuse   error
	state    job.State // of the import
	asked    []export.Request

	endsMeanwhile bool // the export, between a look at it and its cancel
	ended         bool
	discarded     int
	givenUp       time.Time // when the export was given up
}

func (s *stage) Known(_ context.Context, id string) (catalog.Datastore, error) {
	status := map[string]catalog.Status{active: catalog.Active, filling: catalog.Creating}[id]
	if status == "" {
		return catalog.Datastore{}, fault.Errorf(fault.NotFound, "stage", "There is no data store %s.", id)
	}
	return catalog.Datastore{ID: id, ARN: arnOf(id), Endpoint: "https://tarn.test/datastore/" + id + "/r4/", Status: status, Tags: map[string]string{"team": "blue"}}, nil
}

// exports is the service; what the tests here do not call is not there.
type exports struct {
	*stage
	bulk.Exports
}

func (e exports) Preflight(_ context.Context, r export.Request) ([]export.Finding, error) {
	e.asked = append(e.asked, r)
	return e.findings, e.refuse
}

func (e exports) Describe(_ context.Context, datastore, id string) (job.Record, export.Job, error) {
	if id != jobID {
		return job.Record{}, export.Job{}, fault.Errorf(fault.NotFound, "stage", "There is no job %s.", id)
	}
	if e.failed != "" {
		return job.Record{ID: id, Datastore: datastore, State: job.Failed, Message: e.failed, Discarded: e.givenUp}, export.Job{Datastore: datastore, Own: true}, nil
	}
	if e.ended {
		return job.Record{ID: id, Datastore: datastore, State: job.Completed}, export.Job{Datastore: datastore, Own: e.own, S3Uri: "s3://b/p"}, nil
	}
	return job.Record{ID: id, Datastore: datastore, Name: "nightly", State: job.InProgress, Progress: job.Progress{PartsDone: 1, PartsTotal: 4, Resources: 5000, ResourcesTotal: 20000, Bytes: 7, Files: 2}},
		export.Job{Datastore: datastore, Own: e.own, S3Uri: "s3://b/p", TxID: 42, TransactionTime: fhir.Instant(1000)}, nil
}

func (e exports) Cancel(_ context.Context, datastore, id string) (job.Record, error) {
	if e.endsMeanwhile {
		e.ended = true
		return job.Record{}, fault.Errorf(fault.Conflict, "stage", "The job has ended.")
	}
	return job.Record{ID: id, Datastore: datastore, State: job.CancelSubmitted}, nil
}

func (e exports) Start(_ context.Context, r export.Request) (job.Record, error) {
	e.asked = append(e.asked, r)
	return job.Record{ID: jobID, Datastore: r.Datastore, State: job.Submitted}, nil
}

func (e exports) Discard(context.Context, string, string) error {
	e.discarded++
	e.givenUp = time.Now()
	return nil
}

func (e exports) Expired(job.Record, export.Job) bool { return false }

func (e exports) Digests(_ context.Context, _, _ string, yield func(export.File) error) (loss export.Loss, err error) {
	for _, f := range []export.File{{Type: "Patient", Name: "Patient/Patient-1-0-0.ndjson", Count: 2, Bytes: 3, SHA256: "aa"}, {Type: "Slot", Name: "Slot/Slot-1-0-0.ndjson", Count: 1, Bytes: 1, SHA256: "bb"}} {
		if err := yield(f); err != nil {
			return loss, err
		}
	}
	return loss, e.refuse
}

func (s *stage) Credential(context.Context, string) (access.Credential, error) {
	return access.Credential{Secret: secret, Active: true, Principal: access.Principal{Kind: access.User, Account: account, UserName: "ann", ARN: "arn:aws:iam::" + account + ":user/ann"}}, nil
}

func (s *stage) Grant(context.Context, access.Principal) (access.Grant, error) {
	return access.Grant{Identity: []access.Policy{s.policy}}, nil
}

func (s *stage) Role(context.Context, string) (access.Role, error) {
	return access.Role{}, fault.Errorf(fault.NotFound, "stage", "no role")
}

const everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`

// open serves the face to a caller with the statements' rights.
func open(t *testing.T, s *stage, statements string) *client.Client {
	t.Helper()
	policy, err := iam.Parse(iam.Managed, []byte(`{"Version":"2012-10-17","Statement":[`+statements+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	s.policy = policy
	front := edge.New(edge.Config{Directory: s, Account: account, Region: "us-east-1"})
	server := httptest.NewServer(front.Handler(edge.Faces{FHIR: bulk.New(bulk.Options{Edge: front, Datastores: s, Exports: exports{stage: s}, Imports: imports{s}, Now: s.now})}))
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{Endpoint: server.URL, Region: "us-east-1", Credentials: client.Credentials{AccessKeyID: "AKIAEXAMPLEEXAMPLE00", Secret: secret}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func request(datastore string) client.ExportRequest {
	in := client.ExportRequest{DatastoreId: datastore, DataAccessRoleArn: role, JobName: "nightly"}
	in.OutputDataConfig.S3Configuration = client.S3Configuration{S3Uri: "s3://b/p", KmsKeyId: "alias/k"}
	return in
}

func TestPreflight_tellsAllFindingsAndStartsNothing(t *testing.T) {
	t.Parallel()
	found := export.Finding{Field: "bucket", Setting: "BlockPublicAcls", Resource: "arn:aws:s3:::b", Problem: "Off.", Remedy: "Turn it on."}
	s := &stage{findings: []export.Finding{found, found}}
	got, err := open(t, s, everything).Preflight(t.Context(), request(active))
	if err != nil || len(got) != 2 || got[0] != client.Finding(found) {
		t.Errorf("findings %v, %v", got, err)
	}
	want := export.Request{Datastore: active, DatastoreARN: arnOf(active), RoleARN: role, S3Uri: "s3://b/p", KMSKeyID: "alias/k", Caller: "arn:aws:iam::" + account + ":user/ann"}
	if len(s.asked) != 1 || !reflect.DeepEqual(s.asked[0], want) {
		t.Errorf("asked %v, want %v", s.asked, want)
	}
}

func TestPreflight_withoutFindingsIsAnEmptyList(t *testing.T) {
	t.Parallel()
	c := open(t, &stage{}, everything)
	body, err := json.Marshal(request(active))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.FHIR(t.Context(), http.MethodPost, active, "export/preflight", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != `{"findings":[]}`+"\n" {
		t.Errorf("answer %s", b)
	}
}

func TestFace_asksForRights(t *testing.T) {
	t.Parallel()
	allow := func(action, resource string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
	}
	start, pass := allow("healthlake:StartFHIRExportJob", arnOf(active)), allow("iam:PassRole", role)
	preflight := func(c *client.Client) error { _, err := c.Preflight(t.Context(), request(active)); return err }
	progress := func(c *client.Client) error { _, err := c.ExportProgress(t.Context(), active, jobID); return err }
	digests := func(c *client.Client) error { _, _, err := c.Digests(t.Context(), active, jobID); return err }
	cancel := func(c *client.Client) error { _, err := c.CancelImport(t.Context(), active, jobID); return err }
	for name, test := range map[string]struct {
		rights string
		call   func(*client.Client) error
		denied string // the action, or empty
	}{
		"preflight":                 {start + "," + pass, preflight, ""},
		"preflight without start":   {pass, preflight, "healthlake:StartFHIRExportJob"},
		"preflight without role":    {start, preflight, "iam:PassRole"},
		"preflight of another's":    {allow("healthlake:StartFHIRExportJob", arnOf(filling)) + "," + pass, preflight, "healthlake:StartFHIRExportJob"},
		"preflight by tag":          {`{"Effect":"Allow","Action":"healthlake:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"blue"}}},` + pass, preflight, ""},
		"preflight by another tag":  {`{"Effect":"Allow","Action":"healthlake:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}},` + pass, preflight, "healthlake:StartFHIRExportJob"},
		"progress":                  {allow("healthlake:DescribeFHIRExportJob", "*"), progress, ""},
		"progress without describe": {start, progress, "healthlake:DescribeFHIRExportJob"},
		"digests":                   {allow("healthlake:GetExportDigests", "*"), digests, ""},
		"cancel of an import":       {allow("healthlake:CancelFHIRImportJobWithDelete", "*"), cancel, ""},
		"cancel of exports only":    {allow("healthlake:CancelFHIRExportJobWithDelete", "*"), cancel, "healthlake:CancelFHIRImportJobWithDelete"},
		"digests without":           {allow("healthlake:Describe*", "*"), digests, "healthlake:GetExportDigests"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stage{}
			err := test.call(open(t, s, test.rights))
			if test.denied == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !fault.Is(err, fault.Denied) || !strings.Contains(fault.Message(err), test.denied) {
				t.Errorf("got %v, want a denial of %s", err, test.denied)
			}
			if len(s.asked) > 0 {
				t.Error("the service was asked although the caller may not")
			}
		})
	}
}

func TestPreflight_refusesWhatItCannotCheck(t *testing.T) {
	t.Parallel()
	whole := `{"DataAccessRoleArn":"` + role + `","OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://b","KmsKeyId":"k"}}}`
	for name, test := range map[string]struct {
		datastore, body string
		kind            fault.Kind
		words           string
	}{
		"no JSON":           {active, "role", fault.Invalid, "no JSON"},
		"no role":           {active, strings.Replace(whole, role, "", 1), fault.Invalid, "DataAccessRoleArn"},
		"no bucket":         {active, strings.Replace(whole, "s3://b", "", 1), fault.Invalid, "S3Uri"},
		"no key":            {active, strings.Replace(whole, `"k"`, `""`, 1), fault.Invalid, "KmsKeyId"},
		"not active":        {filling, whole, fault.Invalid, "CREATING"},
		"no such datastore": {strings.Repeat("9", 32), whole, fault.NotFound, "no data store"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := open(t, &stage{}, everything).FHIR(t.Context(), http.MethodPost, test.datastore, "export/preflight", []byte(test.body))
			if err == nil {
				_ = resp.Body.Close()
			}
			if !fault.Is(err, test.kind) || !strings.Contains(fault.Message(err), test.words) {
				t.Errorf("got %v, want %s with %q", err, test.kind, test.words)
			}
		})
	}
}

func TestProgress_tellsHowFarAndWhere(t *testing.T) {
	t.Parallel()
	c := open(t, &stage{}, everything)
	p, err := c.ExportProgress(t.Context(), active, jobID)
	if err != nil {
		t.Fatal(err)
	}
	if p.JobStatus != "IN_PROGRESS" || p.JobName != "nightly" || p.TxID != 42 || p.TransactionTime != "1970-01-01T00:00:01.000Z" ||
		p.Folder != "s3://b/p/"+active+"-FHIR_EXPORT-"+jobID+"/" || p.Progress.Resources != 5000 || p.Progress.ResourcesTotal != 20000 || p.Progress.Files != 2 {
		t.Errorf("progress %+v", p)
	}
	if _, err := c.ExportProgress(t.Context(), active, active); !fault.Is(err, fault.NotFound) {
		t.Errorf("another job: %v", err)
	}
}

func TestDigests_anAnswerThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	got, _, err := open(t, &stage{}, everything).Digests(t.Context(), active, jobID)
	if err != nil || len(got) != 2 || got[1].SHA256 != "bb" {
		t.Errorf("digests %v, %v", got, err)
	}
	broken := &stage{refuse: fault.Errorf(fault.Internal, "stage", "boom")}
	if got, _, err := open(t, broken, everything).Digests(t.Context(), active, jobID); err == nil {
		t.Errorf("a broken answer was taken for %v", got)
	}
}

func TestFace_knowsItsAddresses(t *testing.T) {
	t.Parallel()
	c := open(t, &stage{}, everything)
	for _, address := range []string{"GET export/preflight/x", "GET export/" + jobID + "/digests/x", "PUT export/preflight", "DELETE $export", "GET Group/a_b/$export"} {
		method, path, _ := strings.Cut(address, " ")
		resp, err := c.FHIR(t.Context(), method, active, path, nil)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !strings.Contains(fault.Message(err), "Interaction not supported") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for path, serves := range map[string]bool{"export/x": true, "/export/preflight": true, "export": false, "Patient/export": false, "$export": true, "Group/1/$export": true, "/Patient/$export": true} {
		if bulk.Serves(path) != serves {
			t.Errorf("Serves(%q) is %t", path, !serves)
		}
	}
}

// TestFace_headStartsNothing asks for headers alone: where GET only reads they come, and a kick-off or a proof is refused.
func TestFace_headStartsNothing(t *testing.T) {
	t.Parallel()
	for path, serves := range map[string]bool{
		"$export": false, "Patient/$export": false, "Group/g/$export": false, "Group/g/$davinci-data-export": false,
		"export/" + jobID + "/digests": false, "export/" + jobID: true, "export/" + jobID + "/progress": true,
	} {
		resp, err := open(t, &stage{}, everything).FHIR(t.Context(), http.MethodHead, active, path, nil)
		if err == nil {
			_ = resp.Body.Close()
		}
		var refused *client.Error
		if serves != (err == nil) || !serves && (!errors.As(err, &refused) || refused.Status != http.StatusMethodNotAllowed) {
			t.Errorf("HEAD %s: %v", path, err)
		}
	}
}

func TestRoutes_areThoseOfTheGoldenFile(t *testing.T) {
	t.Parallel()
	const file = "testdata/routes.golden"
	got := bulk.RouteTable()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the routes have changed; look at them and run with -update:\n%s", got)
	}
}
