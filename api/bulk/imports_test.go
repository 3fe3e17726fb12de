package bulk_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"tarn/api/client"
	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
)

// imports is a service with one import, whose state is the stage's.
type imports struct{ *stage }

func (i imports) Describe(_ context.Context, datastore, id string) (job.Record, ingest.Job, error) {
	if id != jobID || datastore != active {
		return job.Record{}, ingest.Job{}, fault.Errorf(fault.NotFound, "stage", "There is no import job %s.", id)
	}
	return job.Record{ID: id, Datastore: datastore, State: i.standing(), Message: "", Progress: job.Progress{Resources: 30, ResourcesTotal: 31, Failed: 1, Bytes: 500, BytesTotal: 1000, FilesTotal: 2}},
		ingest.Job{Datastore: datastore, InputS3Uri: "s3://b/in", OutputS3Uri: "s3://b/out", KMSKeyID: "k", RoleARN: role, ValidationLevel: "minimal"}, nil
}

func (i imports) Cancel(_ context.Context, datastore, id string) (job.Record, error) {
	if i.standing().Terminal() {
		return job.Record{}, fault.Errorf(fault.Conflict, "stage", "The job has ended.")
	}
	i.state = job.CancelSubmitted
	return job.Record{ID: id, Datastore: datastore, State: i.state}, nil
}

func (s *stage) standing() job.State {
	if s.state == "" {
		return job.InProgress
	}
	return s.state
}

// ask sends a request about the import and gives the answer, whatever its status.
func ask(t *testing.T, c *client.Client, method, path string) (status int, header http.Header, body string) {
	t.Helper()
	resp, err := c.FHIR(t.Context(), method, active, path, nil)
	var refused *client.Error
	switch {
	case errors.As(err, &refused):
		return refused.Status, nil, refused.Code + ": " + refused.Message
	case err != nil:
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func TestImport_isDescribedAndCancelled(t *testing.T) {
	t.Parallel()
	s := &stage{}
	c := open(t, s, everything)
	status, header, body := ask(t, c, http.MethodGet, "import/"+jobID)
	var got struct {
		Properties struct {
			JobID, JobStatus, ValidationLevel string
			Input                             struct{ S3Uri string } `json:"inputDataConfig"`
			Output                            struct {
				S3Configuration struct{ S3Uri, KMSKeyID string }
			} `json:"jobOutputDataConfig"`
			Report struct{ TotalNumberOfResourcesImported, TotalNumberOfScannedFiles int } `json:"jobProgressReport"`
		} `json:"importJobProperties"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	p := got.Properties
	if status != http.StatusAccepted || header.Get("X-Progress") != "50% (30 resources)" || header.Get("Retry-After") == "" || p.JobStatus != "IN_PROGRESS" || p.JobID != jobID ||
		p.Input.S3Uri != "s3://b/in" || p.Output.S3Configuration.S3Uri != ingest.FolderUri("s3://b/out", active, jobID) || p.ValidationLevel != "minimal" ||
		p.Report.TotalNumberOfResourcesImported != 30 || p.Report.TotalNumberOfScannedFiles != 2 {
		t.Errorf("running: %d %v %s", status, header, body)
	}
	for n := range 2 { // again it changes nothing
		if state, err := c.CancelImport(t.Context(), active, jobID); err != nil || state != "CANCEL_SUBMITTED" {
			t.Errorf("cancel %d: %s, %v", n, state, err)
		}
	}
	for _, ended := range []job.State{job.CancelCompleted, job.Completed, job.Failed} {
		s.state = ended
		if status, _, body := ask(t, c, http.MethodGet, "import/"+jobID); status != http.StatusOK || !strings.Contains(body, string(ended)) {
			t.Errorf("%s: %d %s", ended, status, body)
		}
		if status, _, body := ask(t, c, http.MethodDelete, "import/"+jobID); status != http.StatusBadRequest || !strings.Contains(body, "not-supported") || !strings.Contains(body, string(ended)) {
			t.Errorf("cancel of what is %s: %d %s", ended, status, body)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if status, _, body := ask(t, c, method, "import/"+strings.Repeat("4", 32)); status != http.StatusNotFound || !strings.HasPrefix(body, "not-found: ") {
			t.Errorf("%s of none: %d %s", method, status, body)
		}
	}
	if status, _, body := ask(t, c, http.MethodPut, "import/"+jobID); status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d %s", status, body)
	}
}
