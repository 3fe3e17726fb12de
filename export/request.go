package export

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
	"tarn/store"
)

// Request is what a caller asks for. The face has checked its shape, and that the caller may start exports of the data
// store and pass the role.
type Request struct {
	Datastore    string // id
	DatastoreARN string // aws:SourceArn when the role is taken
	JobName      string
	ClientToken  string
	RoleARN      string // DataAccessRoleArn
	S3Uri        string // s3://bucket or s3://bucket/prefix, with or without a slash at its end
	KMSKeyID     string // id, ARN or alias of the key that seals the files
	Caller       string // ARN, for the record
	Selection    Selection
	Base         string   // URL of the data store without a last slash
	RequestURL   string   // the kick-off's, where it came by Bulk Data Access
	Own          bool     // into the service's own bucket: RoleARN, S3Uri and KMSKeyID are empty
	Ignored      []string // sentences about parameters that were passed over
}

// fingerprint tells two requests apart that carry the same ClientToken.
func (r Request) fingerprint() string {
	h := sha256.New()
	for _, s := range []string{r.Datastore, r.JobName, r.RoleARN, r.S3Uri, r.KMSKeyID} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		h.Write([]byte(s))
	}
	if !r.Selection.isZero() {
		b, _ := json.Marshal(r.Selection) // strings, numbers and lists of them
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

var s3Uri = regexp.MustCompile(`^s3://([a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9])(/.*)?$`)

// ParseS3Uri splits an S3Uri into the bucket and the prefix, which is empty or ends in one slash. What stands between is
// taken as it is, since S3 knows no folders: s3://bucket//x names the prefix "/x/".
func ParseS3Uri(uri string) (bucket, prefix string, err error) {
	m := s3Uri.FindStringSubmatch(uri)
	if m == nil {
		return "", "", fault.Errorf(fault.Invalid, "export", "S3Uri %q is not of the form s3://bucket/prefix", uri)
	}
	prefix = strings.TrimRight(strings.TrimPrefix(m[2], "/"), "/")
	if prefix != "" {
		prefix += "/"
	}
	return m[1], prefix, nil
}

// Job is the record of one export, fixed when it starts: with the data store as of TxID it determines every byte.
type Job struct {
	Format          int          `json:"format"` // of names and bytes: 1; 2 with a Selection; 3 where output is organized by patient; 4 with AbsoluteURLs; 5 with what filters may See; 6 where a part of the data store is chosen by the rules of this release
	Datastore       string       `json:"datastore"`
	DatastoreARN    string       `json:"datastoreArn"`
	RoleARN         string       `json:"roleArn"`
	S3Uri           string       `json:"s3Uri"` // as the caller gave it
	Bucket          string       `json:"bucket"`
	Prefix          string       `json:"prefix"`   // of the caller: empty or ending in a slash
	KMSKeyID        string       `json:"kmsKeyId"` // as the caller gave it
	KeyARN          string       `json:"keyArn"`   // of the key that this named at the start; an alias may name another later
	TxID            store.TxID   `json:"txId"`
	TransactionTime fhir.Instant `json:"transactionTime"` // sealed: every later commit has a later instant
	Selection       Selection    `json:"selection,omitzero"`
	Base            string       `json:"base,omitempty"` // URL of the data store without a last slash: references below it are local
	MaxLines        int          `json:"maxLines"`
	MaxBytes        int          `json:"maxBytes"`
	Caller          string       `json:"caller"`
	RequestURL      string       `json:"requestUrl,omitempty"`
	Own             bool         `json:"own,omitempty"`
	AbsoluteURLs    bool         `json:"absoluteUrls,omitempty"` // those of attachments are written as absolute ones
	Ignored         []string     `json:"ignored,omitempty"`
}

// ruled is the Format of jobs of which what they choose can be found again. Which resources an older job holds, only its
// plan knows: the rules were others.
const ruled = 6

// job is what the request fixes of its job.
func (r Request) job() (Job, error) {
	var bucket, prefix string
	var err error
	if !r.Own {
		bucket, prefix, err = ParseS3Uri(r.S3Uri)
	}
	format := 1
	if !r.Selection.isZero() || r.Own {
		format = 2 // a release that knows no selections must not export everything
	}
	if r.Selection.Organize != "" {
		format = 3 // nor one that knows no blocks everything by types
	}
	absolute := r.Own && r.Base != ""
	if absolute {
		format = 4
	}
	if len(r.Selection.See) > 0 {
		format = 5 // nor one that knows no See what nobody may see
	}
	if !r.Selection.whole() {
		format = ruled // nor one whose rules give out more of it
	}
	return Job{Format: format, Datastore: r.Datastore, DatastoreARN: r.DatastoreARN, RoleARN: r.RoleARN, S3Uri: r.S3Uri, Bucket: bucket,
		Prefix: prefix, KMSKeyID: r.KMSKeyID, Caller: r.Caller,
		Selection: r.Selection, Base: r.Base, RequestURL: r.RequestURL, Own: r.Own, AbsoluteURLs: absolute, Ignored: r.Ignored}, err
}

func (j Job) marshal() (json.RawMessage, error) { return json.Marshal(j) }

func parseJob(params json.RawMessage) (Job, error) {
	var j Job
	if err := json.Unmarshal(params, &j); err != nil {
		return j, fault.Errorf(fault.Internal, "export", "job record: %w", err)
	}
	if j.Format < 1 || j.Format > ruled {
		return j, fault.Errorf(fault.Unsupported, "export", "the job was made by a newer release (format %d)", j.Format)
	}
	return j, nil
}

// Output is the S3Uri of the folder of an export's record, or empty if it has none.
func Output(rec job.Record) string {
	j, err := parseJob(rec.Params)
	if err != nil {
		return ""
	}
	return j.Uri(rec)
}

// Uri is the S3Uri of the folder of the job's record. That of the service's own bucket is for showing only: nobody
// reaches it by S3.
func (j Job) Uri(rec job.Record) string {
	if j.Own {
		return "s3://tarn-own-bucket/" + ownFolder(rec.Datastore, rec.ID)
	}
	return FolderUri(j.S3Uri, rec.Datastore, rec.ID)
}

// Folder is the name of a job's folder below the caller's prefix, with a slash at its end.
func Folder(datastore, jobID string) string { return datastore + "-FHIR_EXPORT-" + jobID + "/" }

// FolderUri is the S3Uri of a job's folder, as DescribeFHIRExportJob shows it.
func FolderUri(s3Uri, datastore, jobID string) string {
	return strings.TrimRight(s3Uri, "/") + "/" + Folder(datastore, jobID)
}
