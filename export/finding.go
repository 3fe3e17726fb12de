package export

import (
	"fmt"
	"strings"

	"tarn/fault"
)

// Finding is one thing that stands in the way of an export: what was looked at, what is wrong with it, how to mend it.
type Finding struct {
	Field    string `json:"field"`    // of the request that it concerns: role, bucket, key
	Setting  string `json:"setting"`  // the permission (s3:PutObject) or setting (BlockPublicAcls) concerned
	Resource string `json:"resource"` // ARN
	Problem  string `json:"problem"`  // a sentence
	Remedy   string `json:"remedy"`   // a sentence
	Denied   bool   `json:"denied"`   // the role may not do Setting
}

// The fields that findings concern.
const (
	FieldRole   = "role"
	FieldBucket = "bucket"
	FieldKey    = "key"
	FieldInput  = "input" // of an import
)

// String is the finding in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s on %s: %s %s", f.Setting, f.Resource, f.Problem, f.Remedy)
}

// PreflightError carries all findings of a request. Its kind is fault.Denied if the role is not there, is not trusted or
// may not do something, else fault.Invalid.
type PreflightError struct {
	Job      string // what cannot start: "export", "import"
	Findings []Finding
}

// Error lists the findings, numbered.
func (e *PreflightError) Error() string {
	if len(e.Findings) == 1 {
		return "The " + e.Job + " cannot start. " + e.Findings[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The %s cannot start for %d reasons.", e.Job, len(e.Findings))
	for i, f := range e.Findings {
		fmt.Fprintf(&b, " (%d) %s", i+1, f)
	}
	return b.String()
}

// Unwrap carries the kind and the sentence.
func (e *PreflightError) Unwrap() error {
	kind := fault.Invalid
	for _, f := range e.Findings {
		if f.Denied || f.Field == FieldRole {
			kind = fault.Denied
		}
	}
	return &fault.Error{Op: "export.Preflight", Kind: kind, Msg: e.Error()}
}
