package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strings"

	"tarn/fault"
	"tarn/job"
)

// Request is what a caller asks for. The face has checked its shape, and that the caller may start imports into the data
// store and pass the role.
type Request struct {
	Datastore       string // id
	DatastoreARN    string // aws:SourceArn when the role is taken
	JobName         string
	ClientToken     string
	RoleARN         string // DataAccessRoleArn
	InputS3Uri      string // s3://bucket or s3://bucket/prefix
	OutputS3Uri     string // where the job's folder with manifest and logs goes
	KMSKeyID        string // of the output
	ValidationLevel string // strict, structure-only, minimal; empty: strict
	Caller          string // ARN, for the record
}

func (r Request) fingerprint() string {
	h := sha256.New()
	for _, s := range []string{r.Datastore, r.JobName, r.RoleARN, r.InputS3Uri, r.OutputS3Uri, r.KMSKeyID, r.ValidationLevel} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Job is the record of one import, fixed when it starts.
type Job struct {
	Format          int    `json:"format"` // 1
	Datastore       string `json:"datastore"`
	DatastoreARN    string `json:"datastoreArn"`
	RoleARN         string `json:"roleArn"`
	InputS3Uri      string `json:"inputS3Uri"`  // as the caller gave it
	OutputS3Uri     string `json:"outputS3Uri"` // as the caller gave it
	InputBucket     string `json:"inputBucket"`
	InputPrefix     string `json:"inputPrefix"`
	OutputBucket    string `json:"outputBucket"`
	OutputPrefix    string `json:"outputPrefix"`
	KMSKeyID        string `json:"kmsKeyId"` // as the caller gave it
	KeyARN          string `json:"keyArn"`   // of the key that this named at the start
	ValidationLevel string `json:"validationLevel"`
	Caller          string `json:"caller"`
}

// ParseJob reads the parameters of an import's record.
func ParseJob(params json.RawMessage) (Job, error) {
	var j Job
	if err := json.Unmarshal(params, &j); err != nil {
		return j, fault.Errorf(fault.Internal, "ingest", "job record: %w", err)
	}
	if j.Format != 1 {
		return j, fault.Errorf(fault.Unsupported, "ingest", "the job was made by a newer release (format %d)", j.Format)
	}
	return j, nil
}

// Output is the S3Uri of the output folder of an import's record, or empty if it has none.
func Output(rec job.Record) string {
	j, err := ParseJob(rec.Params)
	if err != nil {
		return ""
	}
	return FolderUri(j.OutputS3Uri, j.Datastore, rec.ID)
}

// Folder is the name of a job's output folder below the caller's prefix, with a slash at its end.
func Folder(datastore, jobID string) string { return datastore + "-FHIR_IMPORT-" + jobID + "/" }

// FolderUri is the S3Uri of a job's output folder, as DescribeFHIRImportJob shows it.
func FolderUri(s3Uri, datastore, jobID string) string {
	return strings.TrimRight(s3Uri, "/") + "/" + Folder(datastore, jobID)
}
