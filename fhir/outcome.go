package fhir

import (
	"strconv"

	"tarn/fault"
)

// The severities of an issue (http://hl7.org/fhir/issue-severity).
const (
	SeverityFatal       = "fatal"
	SeverityError       = "error"
	SeverityWarning     = "warning"
	SeverityInformation = "information"
)

// The codes of an issue that this package gives (http://hl7.org/fhir/issue-type).
const (
	CodeStructure     = "structure"     // the text is no JSON, or a part of it has the wrong JSON type
	CodeInvalid       = "invalid"       // the content breaks the specification
	CodeValue         = "value"         // the value of an element is wrong
	CodeTooLong       = "too-long"      // over a limit of size or depth
	CodeInformational = "informational" // no problem
)

// Issue is one OperationOutcome.issue. Details and Diagnostics are sentences for people and repeat no contents of the
// resource. Line and Column count from 1 in the text as it was sent, the column in characters; Offset counts bytes
// from 0. All three are meaningless while Line is 0.
type Issue struct {
	Severity    string
	Code        string
	Details     string
	Diagnostics string
	Expression  []string // FHIRPath of the elements concerned, like Patient.name[1].given[0]
	Line        int
	Column      int
	Offset      int
}

// place is "line 3, column 14", or empty.
func (i *Issue) place() string {
	if i.Line == 0 {
		return ""
	}
	return "line " + strconv.Itoa(i.Line) + ", column " + strconv.Itoa(i.Column)
}

// Outcome is an OperationOutcome resource.
type Outcome struct{ Issues []Issue }

// MarshalJSON is the OperationOutcome as JSON on one line.
func (o Outcome) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil), nil }

// AppendJSON appends the OperationOutcome as JSON on one line. An Outcome without issues says that all went well, since
// FHIR wants at least one.
func (o Outcome) AppendJSON(dst []byte) []byte {
	issues := o.Issues
	if len(issues) == 0 {
		issues = []Issue{{Severity: SeverityInformation, Code: CodeInformational, Details: "all went well"}}
	}
	dst = append(dst, `{"resourceType":"OperationOutcome","issue":[`...)
	for i := range issues {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = issues[i].appendJSON(dst)
	}
	return append(dst, "]}"...)
}

func (i *Issue) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"severity":`...)
	dst = appendQuoted(dst, i.Severity)
	dst = append(dst, `,"code":`...)
	dst = appendQuoted(dst, i.Code)
	if i.Details != "" {
		dst = append(dst, `,"details":{"text":`...)
		dst = append(appendQuoted(dst, i.Details), '}')
	}
	place := i.place()
	if diagnostics := i.Diagnostics; diagnostics != "" || place != "" {
		if place != "" {
			if diagnostics != "" {
				diagnostics += " at "
			}
			diagnostics += place + ", byte offset " + strconv.Itoa(i.Offset)
		}
		dst = append(dst, `,"diagnostics":`...)
		dst = appendQuoted(dst, diagnostics)
	}
	if place != "" {
		dst = append(dst, `,"location":[`...)
		dst = append(appendQuoted(dst, place), ']')
	}
	for n, expression := range i.Expression {
		if n == 0 {
			dst = append(dst, `,"expression":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, expression)
	}
	if len(i.Expression) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// OutcomeError is the cause of an error that an OperationOutcome can tell in full; find it with errors.As.
type OutcomeError struct {
	Kind   fault.Kind
	Issues []Issue
}

// NewOutcomeError is an error of the kind with the issues: fault.KindOf gives kind, fault.Message the first issue's
// sentence with its place, and errors.As an *OutcomeError.
func NewOutcomeError(kind fault.Kind, op string, issues ...Issue) error {
	return fault.Errorf(kind, op, "%w", &OutcomeError{Kind: kind, Issues: issues})
}

// Error is the first issue in a sentence, and how many there are.
func (e *OutcomeError) Error() string {
	if len(e.Issues) == 0 {
		return "refused"
	}
	first := &e.Issues[0]
	s := first.Details
	if s == "" {
		s = first.Diagnostics
	}
	if len(first.Expression) > 0 {
		s = first.Expression[0] + ": " + s
	}
	if place := first.place(); place != "" {
		s += " (" + place + ")"
	}
	if n := len(e.Issues) - 1; n > 0 {
		s += ", and " + strconv.Itoa(n) + " more"
	}
	return s
}

// Outcome is the OperationOutcome of the error.
func (e *OutcomeError) Outcome() Outcome { return Outcome{Issues: e.Issues} }
