package control

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
)

// epoch is a time as the protocol writes it: a number of seconds with a fraction of milliseconds.
type epoch time.Time

// MarshalJSON implements json.Marshaler.
func (t epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(t).UnixMilli())/1000, 'f', -1, 64), nil
}

func epochOf(t time.Time) *epoch {
	if t.IsZero() {
		return nil
	}
	e := epoch(t)
	return &e
}

// datastoreOutput answers CreateFHIRDatastore and DeleteFHIRDatastore.
type datastoreOutput struct {
	DatastoreId       string
	DatastoreArn      string
	DatastoreStatus   string
	DatastoreEndpoint string
}

func outputOf(d catalog.Datastore, status catalog.Status) datastoreOutput {
	return datastoreOutput{d.ID, d.ARN, string(status), d.Endpoint}
}

type datastoreProperties struct {
	DatastoreId                   string
	DatastoreArn                  string
	DatastoreName                 string `json:",omitempty"`
	DatastoreStatus               string
	CreatedAt                     *epoch `json:",omitempty"`
	DatastoreTypeVersion          string
	DatastoreEndpoint             string
	SseConfiguration              sseConfiguration
	PreloadDataConfig             *preloadDataConfig `json:",omitempty"`
	IdentityProviderConfiguration identityProviderConfiguration
	ErrorCause                    *errorCause `json:",omitempty"`
}

type sseConfiguration struct{ KmsEncryptionConfig kmsEncryptionConfig }

type kmsEncryptionConfig struct {
	CmkType  string
	KmsKeyId string `json:",omitempty"`
}

type preloadDataConfig struct{ PreloadDataType string }

type identityProviderConfiguration struct {
	AuthorizationStrategy           string
	FineGrainedAuthorizationEnabled bool
	Metadata                        string `json:",omitempty"`
	IdpLambdaArn                    string `json:",omitempty"`
}

type errorCause struct{ ErrorMessage, ErrorCategory string }

func propertiesOf(d catalog.Datastore) datastoreProperties {
	p := datastoreProperties{
		DatastoreId: d.ID, DatastoreArn: d.ARN, DatastoreName: d.Name, DatastoreStatus: string(d.Status),
		CreatedAt: epochOf(d.CreatedAt), DatastoreTypeVersion: d.TypeVersion, DatastoreEndpoint: d.Endpoint,
		SseConfiguration: sseConfiguration{kmsEncryptionConfig{d.Encryption.CMKType, d.Encryption.KMSKeyID}},
		IdentityProviderConfiguration: identityProviderConfiguration{d.Identity.Strategy, d.Identity.FineGrained,
			d.Identity.Metadata, d.Identity.LambdaARN},
	}
	if d.Preload != "" {
		p.PreloadDataConfig = &preloadDataConfig{d.Preload}
	}
	if d.Cause != nil {
		p.ErrorCause = &errorCause{d.Cause.Message, "NON_RETRYABLE_ERROR"}
		if d.Cause.Retryable {
			p.ErrorCause.ErrorCategory = "RETRYABLE_ERROR"
		}
	}
	return p
}

// startOutput answers both Start actions.
type startOutput struct{ JobId, JobStatus, DatastoreId string }

type outputConfig struct{ S3Configuration s3Configuration }

type s3Configuration struct{ S3Uri, KmsKeyId string }

type inputConfig struct{ S3Uri string }

type exportJobProperties struct {
	JobId             string
	JobName           string `json:",omitempty"`
	JobStatus         string
	SubmitTime        *epoch
	EndTime           *epoch `json:",omitempty"`
	DatastoreId       string
	OutputDataConfig  outputConfig // its S3Uri is the job's folder
	DataAccessRoleArn string       `json:",omitempty"`
	Message           string       `json:",omitempty"`
}

func exportPropertiesOf(rec job.Record) (exportJobProperties, error) {
	var j export.Job
	if err := json.Unmarshal(rec.Params, &j); err != nil {
		return exportJobProperties{}, fault.Errorf(fault.Internal, "control", "job record: %w", err)
	}
	return exportJobProperties{
		JobId: rec.ID, JobName: rec.Name, JobStatus: string(rec.State), SubmitTime: epochOf(rec.SubmitTime), EndTime: epochOf(rec.EndTime),
		DatastoreId:       rec.Datastore,
		OutputDataConfig:  outputConfig{s3Configuration{j.Uri(rec), j.KMSKeyID}},
		DataAccessRoleArn: j.RoleARN, Message: plain(rec.Message)}, nil
}

type importJobProperties struct {
	JobId               string
	JobName             string `json:",omitempty"`
	JobStatus           string
	SubmitTime          *epoch
	EndTime             *epoch `json:",omitempty"`
	DatastoreId         string
	InputDataConfig     inputConfig
	JobOutputDataConfig outputConfig // its S3Uri is the job's folder
	JobProgressReport   jobProgressReport
	DataAccessRoleArn   string `json:",omitempty"`
	Message             string `json:",omitempty"`
	ValidationLevel     string `json:",omitempty"`
}

// jobProgressReport always has all its members.
type jobProgressReport struct {
	TotalNumberOfScannedFiles               int64
	TotalSizeOfScannedFilesInMB             float64
	TotalNumberOfImportedFiles              int64
	TotalNumberOfResourcesScanned           int64
	TotalNumberOfResourcesImported          int64
	TotalNumberOfResourcesWithCustomerError int64
	TotalNumberOfFilesReadWithCustomerError int64
	Throughput                              float64 // MB a second
}

func importPropertiesOf(rec job.Record, now time.Time) (importJobProperties, error) {
	j, err := ingest.ParseJob(rec.Params)
	if err != nil {
		return importJobProperties{}, err
	}
	return importJobProperties{
		JobId: rec.ID, JobName: rec.Name, JobStatus: string(rec.State), SubmitTime: epochOf(rec.SubmitTime), EndTime: epochOf(rec.EndTime),
		DatastoreId: rec.Datastore, InputDataConfig: inputConfig{j.InputS3Uri},
		JobOutputDataConfig: outputConfig{s3Configuration{ingest.FolderUri(j.OutputS3Uri, rec.Datastore, rec.ID), j.KMSKeyID}},
		JobProgressReport:   reportOf(rec, now), DataAccessRoleArn: j.RoleARN, Message: plain(rec.Message), ValidationLevel: j.ValidationLevel}, nil
}

func reportOf(rec job.Record, now time.Time) jobProgressReport {
	const mb = 1e6
	p := rec.Progress
	r := jobProgressReport{
		TotalNumberOfScannedFiles: p.FilesTotal, TotalSizeOfScannedFilesInMB: float64(max(p.SourceBytes, p.BytesTotal)) / mb,
		TotalNumberOfImportedFiles: p.Files, TotalNumberOfResourcesScanned: p.ResourcesTotal,
		TotalNumberOfResourcesImported: p.Resources, TotalNumberOfResourcesWithCustomerError: p.Failed,
		TotalNumberOfFilesReadWithCustomerError: p.FilesFailed}
	if !rec.EndTime.IsZero() {
		now = rec.EndTime
	}
	if took := now.Sub(rec.StartTime); !rec.StartTime.IsZero() && took > 0 {
		r.Throughput = float64(p.Bytes) / mb / took.Seconds()
	}
	return r
}

type tag struct{ Key, Value string }

func tagsOf(tags map[string]string) []tag {
	list := make([]tag, 0, len(tags))
	for k, v := range tags {
		list = append(list, tag{k, v})
	}
	slices.SortFunc(list, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return list
}
