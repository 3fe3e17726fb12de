package search

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"tarn/fault"
	"tarn/fhir"
)

// Codes of issues (http://hl7.org/fhir/issue-type).
const (
	codeNotSupported = "not-supported"
	codeTooCostly    = "too-costly"
	codeExpired      = "expired"
	codeIncomplete   = "incomplete"
)

// refuse is the error that a parameter cannot be used, and why. why is a part of a sentence.
func refuse(param, why string, args ...any) error {
	return refuseAs(fhir.CodeInvalid, param, why, args...)
}

func refuseAs(code, param, why string, args ...any) error {
	return fhir.NewOutcomeError(fault.Invalid, "search", fhir.Issue{Severity: fhir.SeverityError, Code: code,
		Diagnostics: fmt.Sprintf("The parameter %s cannot be used: %s.", clip(param), fmt.Sprintf(why, args...))})
}

// unknown is the error of a parameter that the type does not have; lenient handling passes over it.
type unknown struct{ error }

func (u unknown) Unwrap() error { return u.error }

func unknownParam(param, why string, args ...any) error {
	return unknown{refuseAs(codeNotSupported, param, why, args...)}
}

func isUnknown(err error) bool {
	var u unknown
	return errors.As(err, &u)
}

// named is err of the parameter as it was given, such as a whole chain, if err does not name it so.
func named(param string, err error) error {
	var o *fhir.OutcomeError
	if err == nil || !errors.As(err, &o) || len(o.Issues) == 0 {
		return err
	}
	issue := o.Issues[0]
	text := issue.Details
	if text == "" {
		text = issue.Diagnostics
	}
	return fhir.NewOutcomeError(o.Kind, "search", fhir.Issue{Severity: issue.Severity, Code: issue.Code,
		Diagnostics: fmt.Sprintf("The parameter %s cannot be used: %s", clip(param), text)})
}

// clip shortens what comes from a URL for a sentence.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
