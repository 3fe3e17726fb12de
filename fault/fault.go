// Package fault is the ground everybody stands on: one error type with a kind for machines, a sentence for people and
// the cause wrapped. Each face translates kinds to its wire form in one table.
package fault

import (
	"errors"
	"fmt"
)

// Kind classifies an error for programs. The list is closed; faces map every kind.
type Kind uint8

// The kinds of error.
const (
	Internal      Kind = iota // a broken promise of ours; its text never leaves the process
	Invalid                   // the request is malformed or breaks a rule; it will never succeed as it is
	Denied                    // the caller, or a role it handed over, may not do this
	Unauthentic               // no, wrong or expired credentials
	NotFound                  // the thing named was never there
	Gone                      // the thing named was there and has been deleted
	Exists                    // the thing to be made is there already
	Conflict                  // the thing is in a state, or changed in a way, that forbids this
	Precondition              // a condition sent with the request (If-Match, ...) does not hold
	TooLarge                  // over a size limit
	Throttled                 // over a rate or a queue limit; later it may succeed
	Unavailable               // a dependency failed in a passing way; the same call may succeed when repeated
	Unsupported               // understood, but not offered
	Unprocessable             // well formed, but it cannot be done to what is there
)

var kindNames = [...]string{"internal", "invalid", "denied", "unauthentic", "not found", "gone", "exists", "conflict",
	"precondition", "too large", "throttled", "unavailable", "unsupported", "unprocessable"}

// String is the kind's name for logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Error is an error with its kind. Op names the operation that failed ("store.Commit"), for logs only. Msg is the
// sentence for people; it never carries secrets or patient data. Err is the cause, or nil.
type Error struct {
	Op   string
	Kind Kind
	Msg  string
	Hint string // what the reader can do about it, or empty
	Err  error
}

// Error joins operation, sentence and cause.
func (e *Error) Error() string {
	s := e.Msg
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Err == nil {
		return s
	}
	cause := e.Err.Error()
	if cause != "" && e.Msg != "" {
		s += ": "
	}
	return s + cause
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a kind. A %w verb in format wraps a cause without repeating it in Msg.
func Errorf(kind Kind, op, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Op: op, Kind: kind, Msg: err.Error(), Err: quiet(errors.Unwrap(err))}
}

// quiet keeps a cause reachable for errors.Is and errors.As while its text already stands in the message.
func quiet(err error) error {
	if err == nil {
		return nil
	}
	return silent{err}
}

type silent struct{ err error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.err }

// Wrap adds the operation to err and keeps its kind; nil stays nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Kind: KindOf(err), Err: err}
}

// WithHint adds advice for a person to err and keeps its kind; nil stays nil.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Hint: fmt.Sprintf(format, args...), Err: err}
}

// KindOf is the kind of the outermost *Error in err's chain; anything else is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Message is the sentence for people: the outermost non-empty Msg of the chain. For an error that is not ours it is
// "internal error", since foreign texts may carry anything.
func Message(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		if e.Msg != "" {
			return e.Msg
		}
		err = e.Err
	}
	return "internal error"
}

// Hint is the outermost advice in err's chain, or empty.
func Hint(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// HasForeignCause reports whether something that is no *Error stands at the end of err's chain. Its text may then be part
// of err's sentence, and name paths and addresses: of an Internal or Unavailable error such a sentence is for logs only.
func HasForeignCause(err error) bool {
	var e *Error
	for errors.As(err, &e) {
		if e.Err == nil {
			return false
		}
		err = e.Err
	}
	return err != nil
}
