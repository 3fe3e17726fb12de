package account

import (
	"errors"

	"tarn/access/iam"
	"tarn/fault"
)

// Error is a refusal in IAM's words; reach it by errors.As. fault.KindOf sees its kind.
type Error struct {
	Code string // NoSuchEntity, EntityAlreadyExists, MalformedPolicyDocument, ...
	Kind fault.Kind
	Msg  string
	Hint string
}

// Error is code and sentence.
func (e *Error) Error() string { return e.Code + ": " + e.Msg }

// Unwrap carries kind, sentence and advice.
func (e *Error) Unwrap() error {
	return &fault.Error{Op: "account", Kind: e.Kind, Msg: e.Msg, Hint: e.Hint}
}

// ErrorCode is the word for the wire.
func (e *Error) ErrorCode() string { return e.Code }

func refuse(kind fault.Kind, code, format string, args ...any) *Error {
	return &Error{Code: code, Kind: kind, Msg: fault.Message(fault.Errorf(kind, "", format, args...))}
}

func noSuch(format string, args ...any) error {
	return refuse(fault.NotFound, "NoSuchEntity", format, args...)
}

func exists(format string, args ...any) error {
	return refuse(fault.Exists, "EntityAlreadyExists", format, args...)
}

func invalid(format string, args ...any) error {
	return refuse(fault.Invalid, "ValidationError", format, args...)
}

func invalidInput(format string, args ...any) error {
	return refuse(fault.Invalid, "InvalidInput", format, args...)
}

func inUse(format string, args ...any) error {
	return refuse(fault.Conflict, "DeleteConflict", format, args...)
}

func overLimit(what string, limit int) error {
	return refuse(fault.Conflict, "LimitExceeded", "Cannot exceed quota for %s: %d", what, limit)
}

// compile parses a policy document and puts what is wrong with it in IAM's words, with line and column.
func compile(kind iam.Kind, doc string) (*iam.Policy, error) {
	p, err := iam.Parse(kind, []byte(doc))
	if err == nil {
		return p, nil
	}
	var wrong *iam.Malformed
	switch {
	case errors.As(err, &wrong):
		return nil, refuse(fault.Invalid, "MalformedPolicyDocument", "The policy document is malformed: %s", wrong.Error())
	case fault.Is(err, fault.TooLarge):
		if kind == iam.Session {
			return nil, refuse(fault.Invalid, "PackedPolicyTooLarge", "%s", fault.Message(err))
		}
		return nil, refuse(fault.Conflict, "LimitExceeded", "%s", fault.Message(err))
	}
	return nil, refuse(fault.Invalid, "MalformedPolicyDocument", "%s", fault.Message(err))
}
