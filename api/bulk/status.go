package bulk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"tarn/api/edge"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
)

// The permissions of the addresses of a job, HealthLake's.
const (
	ActionDescribeGet  = "healthlake:DescribeFHIRExportJobWithGet"
	ActionCancelDelete = "healthlake:CancelFHIRExportJobWithDelete"
	ActionFile         = "healthlake:GetExportedFile"
)

// usDate is HealthLake's form of times on this surface, in UTC.
const usDate = "Jan 2, 2006 3:04:05 PM"

// properties are HealthLake's exportJobProperties, in the camel case of this surface.
type properties struct {
	JobID       string        `json:"jobId"`
	JobName     string        `json:"jobName,omitempty"`
	JobStatus   job.State     `json:"jobStatus"`
	SubmitTime  string        `json:"submitTime,omitempty"`
	EndTime     string        `json:"endTime,omitempty"`
	DatastoreID string        `json:"datastoreId"`
	Output      *outputConfig `json:"outputDataConfig,omitempty"`
	RoleARN     string        `json:"dataAccessRoleArn,omitempty"`
	Message     string        `json:"message,omitempty"`
}

type outputConfig struct {
	S3 s3Configuration `json:"s3Configuration"`
}

type s3Configuration struct {
	S3Uri    string `json:"s3Uri"`
	KMSKeyID string `json:"kmsKeyId"`
}

// propertiesOfRecord are those that jobs of all kinds have.
func propertiesOfRecord(rec job.Record, roleARN string) properties {
	p := properties{JobID: rec.ID, JobName: rec.Name, JobStatus: rec.State, SubmitTime: rec.SubmitTime.UTC().Format(usDate),
		DatastoreID: rec.Datastore, RoleARN: roleARN, Message: rec.Message}
	if !rec.EndTime.IsZero() {
		p.EndTime = rec.EndTime.UTC().Format(usDate)
	}
	return p
}

func propertiesOf(rec job.Record, j export.Job) properties {
	p := propertiesOfRecord(rec, j.RoleARN)
	if !j.Own {
		p.Output = &outputConfig{s3Configuration{j.Uri(rec), j.KMSKeyID}}
	}
	return p
}

// status is the body of a status: HealthLake's members and the manifest of Bulk Data Access in one.
type status struct {
	Properties          properties `json:"exportJobProperties"`
	TransactionTime     string     `json:"transactionTime,omitempty"`
	Request             string     `json:"request,omitempty"`
	RequiresAccessToken *bool      `json:"requiresAccessToken,omitempty"`
	OutputFormat        string     `json:"outputFormat,omitempty"`
	OrganizedBy         string     `json:"outputOrganizedBy,omitempty"`
	Output              []output   `json:"output,omitzero"`
	Deleted             []output   `json:"deleted,omitempty"`
	Error               []output   `json:"error,omitzero"`
}

type output struct {
	Type     string `json:"type,omitempty"` // none where output is organized by patient
	URL      string `json:"url"`
	Next     string `json:"continuesInFile,omitempty"`
	Count    int    `json:"count"`
	FileSize int64  `json:"fileSize"`
}

// status is GET export/{jobId} (Bulk Data Access 3.0.0, section "Bulk Data Status Request"): 202 while it runs; 200 with the
// manifest when it is done. A job to the caller's bucket that failed or was cancelled is 200 with its properties, as in
// HealthLake; one to the service's own bucket is what the standard wants: an error, and 404 after a DELETE.
func (f *Face) status(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	if err := call.Authorize(ActionDescribeGet); err != nil {
		return err
	}
	rec, j, err := f.o.Exports.Describe(r.Context(), call.ID, at.job)
	if err != nil {
		return err
	}
	if givenUp(f.o.Exports, rec, j) || j.Own && rec.State.Cancelling() {
		return fhir.NewOutcomeError(fault.NotFound, "bulk", fhir.Issue{Severity: fhir.SeverityError, Code: "not-found",
			Diagnostics: "The export was cancelled, or its files were deleted."})
	}
	body := status{Properties: propertiesOf(rec, j)}
	switch rec.State {
	case job.Completed, job.CompletedWithErrors:
		if err := f.manifest(r, &body, rec, j, strings.TrimRight(call.Base, "/")); err != nil {
			return err
		}
		if until, ok := f.o.Exports.Expires(rec, j); ok {
			w.Header().Set("Expires", until.UTC().Format(http.TimeFormat))
		}
		return writeStatus(w, http.StatusOK, body)
	case job.Failed:
		if j.Own {
			writeFailure(w, rec)
			return nil
		}
		return writeStatus(w, http.StatusOK, body)
	case job.CancelCompleted, job.CancelFailed:
		return writeStatus(w, http.StatusOK, body)
	}
	if j.Own { // HealthLake's own form knows no such refusal
		if wait := f.polls.take(call.Principal.ARN, rec.ID); wait > 0 {
			return tooOften(w, wait)
		}
	}
	w.Header().Set("X-Progress", progressText(rec))
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter(rec)))
	return writeStatus(w, http.StatusAccepted, body)
}

// writeFailure says that an export failed, and why. It is 500 since the standard has no other word for it, but no fault of
// this request: it is answered here, because edge keeps the text of faults of the server to the log.
func writeFailure(w http.ResponseWriter, rec job.Record) {
	told := fhir.Outcome{Issues: []fhir.Issue{{Severity: fhir.SeverityError, Code: "exception", Diagnostics: "The export failed: " + rec.Message}}}
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write(told.AppendJSON(nil)) // a caller that went away is nobody's error
}

// progressText is X-Progress: at most 100 characters, and a number with a percent sign first, since there are clients that
// read no more.
func progressText(rec job.Record) string {
	p := rec.Progress
	switch {
	case rec.State.Waiting():
		return "0% (queued)"
	case p.ResourcesTotal == 0:
		return "0% (planning)"
	}
	return fmt.Sprintf("%d%% (%d of %d resources)", 100*p.Resources/p.ResourcesTotal, p.Resources, p.ResourcesTotal)
}

// retryAfter is in how many seconds it is worth to ask again.
func retryAfter(rec job.Record) int {
	if left, ok := rec.TimeLeft(); ok {
		return int(min(max(left/2, time.Second), 2*time.Minute) / time.Second)
	}
	return 1
}

// manifest fills in what the standard's manifest has.
func (f *Face) manifest(r *http.Request, body *status, rec job.Record, j export.Job, base string) error {
	files, err := f.o.Exports.Files(r.Context(), rec)
	if err != nil {
		return err
	}
	token := j.Own
	body.TransactionTime, body.RequiresAccessToken, body.OutputFormat = j.TransactionTime.String(), &token, "application/fhir+ndjson"
	body.OrganizedBy = j.Selection.Organize
	body.Request, body.Output, body.Error = j.RequestURL, []output{}, []output{}
	if body.Request == "" {
		body.Request = base + "/$export" // it was started by StartFHIRExportJob
	}
	at := j.Uri(rec)
	if j.Own {
		at = base + "/export/" + rec.ID + "/files/"
	}
	for _, file := range files {
		o := output{Type: file.Type, URL: at + file.Name, Count: file.Count, FileSize: file.Bytes}
		if file.Continues != "" {
			o.Next = at + file.Continues
		}
		switch strings.SplitN(file.Name, "/", 2)[0] {
		case export.DeletedFolder:
			body.Deleted = append(body.Deleted, o)
		case export.ErrorFolder:
			body.Error = append(body.Error, o)
		default:
			body.Output = append(body.Output, o)
		}
	}
	return nil
}

// cancel is DELETE export/{jobId}: it ends an export, or gives up the files of one that has ended. An export to a
// caller's bucket that has ended cannot be cancelled, as in HealthLake.
func (f *Face) cancel(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	if err := call.Authorize(ActionCancelDelete); err != nil {
		return err
	}
	rec, j, err := f.o.Exports.Describe(r.Context(), call.ID, at.job)
	if err != nil {
		return err
	}
	if !rec.State.Terminal() && !givenUp(f.o.Exports, rec, j) {
		now, err := f.o.Exports.Cancel(r.Context(), call.ID, at.job)
		if err == nil {
			return writeStatus(w, http.StatusAccepted, status{Properties: properties{JobID: now.ID, JobStatus: now.State, DatastoreID: now.Datastore}})
		}
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		if rec, j, err = f.o.Exports.Describe(r.Context(), call.ID, at.job); err != nil { // it ended meanwhile
			return err
		}
	}
	if givenUp(f.o.Exports, rec, j) {
		return fhir.NewOutcomeError(fault.NotFound, "bulk", fhir.Issue{Severity: fhir.SeverityError, Code: "not-found",
			Diagnostics: "The export was cancelled before, or its files were deleted."})
	}
	if !j.Own {
		return edge.WithStatus(http.StatusBadRequest, fhir.NewOutcomeError(fault.Unsupported, "bulk", fhir.Issue{Severity: fhir.SeverityError,
			Code: "not-supported", Diagnostics: "Interaction not supported. The export has ended as " + string(rec.State) + "."}))
	}
	if err := f.o.Exports.Discard(r.Context(), call.ID, at.job); err != nil {
		return err
	}
	return writeStatus(w, http.StatusAccepted, status{Properties: properties{JobID: rec.ID, JobStatus: rec.State, DatastoreID: rec.Datastore}})
}

// givenUp reports whether an export to the service's own bucket was given up, or its files are gone. One that failed has none,
// and tells why until it is given up.
func givenUp(e Exports, rec job.Record, j export.Job) bool {
	if rec.State == job.Failed {
		return j.Own && !rec.Discarded.IsZero()
	}
	return j.Own && e.Expired(rec, j)
}

// mediaNDJSON is the type of exported files.
const mediaNDJSON = "application/fhir+ndjson"

// file is GET export/{jobId}/files/{name}: a file of an export to the service's own bucket, with ranges, or packed by
// gzip for who takes that.
func (f *Face) file(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	name := path.Join(at.file...)
	if err := f.authorizeFile(call, name, func() (export.Job, error) {
		_, j, err := f.o.Exports.Describe(r.Context(), call.ID, at.job)
		return j, err
	}); err != nil {
		return err
	}
	file, err := f.o.Exports.OpenOwn(r.Context(), call.ID, at.job, name)
	if err != nil {
		return err
	}
	return sendFile(w, r, file)
}

func writeStatus(w http.ResponseWriter, code int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fault.Errorf(fault.Internal, "bulk", "answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n')) // a caller that went away is nobody's error
	return nil
}
