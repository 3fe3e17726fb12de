package cloud

import (
	"tarn/fault"
)

// Error is a refusal of the cloud that names what was asked. errors.As finds it; fault.KindOf sees its kind through
// Unwrap.
type Error struct {
	Kind     fault.Kind
	Code     string // the service's own word: AccessDenied, NoSuchBucket, DisabledException, ...
	Action   string // the permission that the call needed: s3:PutObject, kms:GenerateDataKey, sts:AssumeRole
	Resource string // its ARN
	Msg      string // a sentence for people
}

// Error is the sentence.
func (e *Error) Error() string { return e.Code + ": " + e.Msg }

// Unwrap carries the kind.
func (e *Error) Unwrap() error { return &fault.Error{Op: "cloud", Kind: e.Kind, Msg: e.Msg} }
