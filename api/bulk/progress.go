package bulk

import (
	"net/http"

	"tarn/api/edge"
	"tarn/job"
)

// ActionDescribe is the permission to look at an export, HealthLake's own.
const ActionDescribe = "healthlake:DescribeFHIRExportJob"

// progressBody is an export as far as it has come: what DescribeFHIRExportJob has no members for.
type progressBody struct {
	JobID           string       `json:"jobId"`
	JobName         string       `json:"jobName,omitempty"`
	JobStatus       job.State    `json:"jobStatus"`
	Message         string       `json:"message,omitempty"`
	DatastoreID     string       `json:"datastoreId"`
	TxID            uint64       `json:"txId"`
	TransactionTime string       `json:"transactionTime"`
	Folder          string       `json:"folder"` // s3://bucket/prefix/, where the files are
	Progress        job.Progress `json:"progress"`
	Pace            *paceBody    `json:"pace,omitempty"` // while it runs, once there is any
}

// paceBody is how fast an export goes, each second, and about how long it still takes.
type paceBody struct {
	Resources   int64 `json:"resourcesPerSecond"`
	Bytes       int64 `json:"bytesPerSecond"`
	SecondsLeft int64 `json:"secondsLeft"`
}

func paceOf(rec job.Record) *paceBody {
	left, ok := rec.TimeLeft()
	if !ok {
		return nil
	}
	return &paceBody{int64(rec.Pace.Resources), int64(rec.Pace.Bytes), int64(left.Seconds())}
}

// progress is GET export/{jobId}/progress: how far the export has come, and where its files lie.
func (f *Face) progress(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	if err := call.Authorize(ActionDescribe); err != nil {
		return err
	}
	rec, j, err := f.o.Exports.Describe(r.Context(), call.ID, at.job)
	if err != nil {
		return err
	}
	return writeJSON(w, progressBody{rec.ID, rec.Name, rec.State, rec.Message, j.Datastore, uint64(j.TxID), j.TransactionTime.String(),
		j.Uri(rec), rec.Progress, paceOf(rec)})
}

func writeJSON(w http.ResponseWriter, v any) error {
	return writeStatus(w, http.StatusOK, v)
}
