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
	// Cause is what a disk or a network said, for logs: it may name paths and addresses, so it is no part of Msg.
	Cause error
	// Deny says which policy refused, where Kind is fault.Denied and the cloud tells; else it is DenyUnknown.
	Deny Deny
	// Explicit tells a statement that denies from the lack of one that allows.
	Explicit bool
}

// Deny names the policy that refused, or that should have allowed and did not.
type Deny uint8

// The policies that can refuse.
const (
	DenyUnknown  Deny = iota
	DenyIdentity      // the policies of the role or user
	DenySession       // a session policy
	DenyBoundary      // the permissions boundary
	DenyBucket        // the bucket's policy
	DenyKey           // the key's policy
	DenyTrust         // the role's trust policy
	DenySetting       // no policy but a setting: Block Public Access, object ownership
)

var denyNames = [...]string{"", "identity-based policy", "session policy", "permissions boundary", "bucket policy",
	"key policy", "trust policy", "setting"}

// String is the policy in words, empty where it is not known.
func (d Deny) String() string {
	if int(d) < len(denyNames) {
		return denyNames[d]
	}
	return ""
}

// Error is the sentence, and the cause where there is one.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Code + ": " + e.Msg + " (" + e.Cause.Error() + ")"
	}
	return e.Code + ": " + e.Msg
}

// Unwrap carries the kind.
func (e *Error) Unwrap() error { return &fault.Error{Op: "cloud", Kind: e.Kind, Msg: e.Msg} }
