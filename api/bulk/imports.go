package bulk

import (
	"context"
	"net/http"
	"strconv"

	"tarn/api/edge"
	"tarn/fault"
	"tarn/fhir"
	"tarn/ingest"
	"tarn/job"
)

// The permissions of the addresses of an import. HealthLake starts and describes imports by actions only and has none to
// cancel one; what it has for exports is offered for imports too.
const (
	ActionDescribeImport = "healthlake:DescribeFHIRImportJob"
	ActionCancelImport   = "healthlake:CancelFHIRImportJobWithDelete"
)

// Imports is the service behind the addresses of imports.
type Imports interface {
	Describe(ctx context.Context, datastore, jobID string) (job.Record, ingest.Job, error)
	Cancel(ctx context.Context, datastore, jobID string) (job.Record, error)
}

// importStatus is the body about an import, in the camel case of this surface.
type importStatus struct {
	Properties importProperties `json:"importJobProperties"`
}

type importProperties struct {
	properties
	Input  *inputConfig  `json:"inputDataConfig,omitempty"`
	Output *outputConfig `json:"jobOutputDataConfig,omitempty"`
	Level  string        `json:"validationLevel,omitempty"`
	Report *importReport `json:"jobProgressReport,omitempty"`
}

type inputConfig struct {
	S3Uri string `json:"s3Uri"`
}

type importReport struct {
	ScannedFiles  int64 `json:"totalNumberOfScannedFiles"`
	ImportedFiles int64 `json:"totalNumberOfImportedFiles"`
	Scanned       int64 `json:"totalNumberOfResourcesScanned"`
	Imported      int64 `json:"totalNumberOfResourcesImported"`
	Failed        int64 `json:"totalNumberOfResourcesWithCustomerError"`
	FilesFailed   int64 `json:"totalNumberOfFilesReadWithCustomerError"`
}

// importStatus is GET import/{jobId}: 202 until the import has ended, then 200, whatever its end was.
func (f *Face) importStatus(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	if err := call.Authorize(ActionDescribeImport); err != nil {
		return err
	}
	rec, j, err := f.o.Imports.Describe(r.Context(), call.ID, at.job)
	if err != nil {
		return err
	}
	p := rec.Progress
	body := importStatus{importProperties{properties: propertiesOfRecord(rec, j.RoleARN), Input: &inputConfig{j.InputS3Uri}, Level: j.ValidationLevel,
		Output: &outputConfig{s3Configuration{ingest.FolderUri(j.OutputS3Uri, rec.Datastore, rec.ID), j.KMSKeyID}},
		Report: &importReport{p.FilesTotal, p.Files, p.ResourcesTotal, p.Resources, p.Failed, p.FilesFailed}}}
	if rec.State.Terminal() {
		return writeStatus(w, http.StatusOK, body)
	}
	w.Header().Set("X-Progress", importProgress(rec))
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter(rec)))
	return writeStatus(w, http.StatusAccepted, body)
}

// importProgress is X-Progress of an import: by its bytes, where their number is known.
func importProgress(rec job.Record) string {
	p := rec.Progress
	switch {
	case rec.State.Waiting():
		return "0% (queued)"
	case p.BytesTotal > 0:
		return strconv.FormatInt(100*p.Bytes/p.BytesTotal, 10) + "% (" + strconv.FormatInt(p.Resources, 10) + " resources)"
	case p.FilesTotal > 0:
		return strconv.FormatInt(100*p.Files/p.FilesTotal, 10) + "% (" + strconv.FormatInt(p.Resources, 10) + " resources)"
	}
	return "0% (planning)"
}

// cancelImport is DELETE import/{jobId}: it ends an import that waits or runs. One that has ended cannot be cancelled.
func (f *Face) cancelImport(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	if err := call.Authorize(ActionCancelImport); err != nil {
		return err
	}
	rec, _, err := f.o.Imports.Describe(r.Context(), call.ID, at.job)
	if err == nil && !rec.State.Terminal() {
		if rec, err = f.o.Imports.Cancel(r.Context(), call.ID, at.job); fault.Is(err, fault.Conflict) { // it ended meanwhile
			rec, _, err = f.o.Imports.Describe(r.Context(), call.ID, at.job)
		}
	}
	if err != nil {
		return err
	}
	if rec.State.Terminal() {
		return edge.WithStatus(http.StatusBadRequest, fhir.NewOutcomeError(fault.Unsupported, "bulk", fhir.Issue{Severity: fhir.SeverityError,
			Code: "not-supported", Diagnostics: "Interaction not supported. The import has ended as " + string(rec.State) + "."}))
	}
	return writeStatus(w, http.StatusAccepted, importStatus{importProperties{properties: properties{JobID: rec.ID, JobStatus: rec.State, DatastoreID: rec.Datastore}}})
}
