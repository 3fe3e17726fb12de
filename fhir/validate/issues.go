package validate

import (
	"slices"
	"strings"
	"unicode/utf8"

	"tarn/fhir"
)

// Codes of issues beyond those of package fhir (http://hl7.org/fhir/issue-type).
const (
	codeRequired  = "required"     // an element is missing
	codeInvariant = "invariant"    // a rule does not hold
	codeCode      = "code-invalid" // a code is not in the value set
	codeNotFound  = "not-found"    // what is pointed at is not there
	codeDuplicate = "duplicate"
)

// full reports whether enough issues are found to stop the walk.
func (v *Validator) full() bool { return len(v.issues) > MaxIssues }

// report notes an issue at a node. Its sentence repeats no contents.
func (v *Validator) report(n fhir.Node, severity, code, sentence string) {
	if v.full() || severity != fhir.SeverityError && !v.advice() {
		return
	}
	path := v.doc.Path(n)
	v.issues = append(v.issues, fhir.Issue{Severity: severity, Code: code, Details: about(path, sentence), Offset: n.Offset(),
		Expression: []string{path}})
}

// about puts the name of the element before a sentence that begins with a verb.
func about(path, sentence string) string {
	verb, _, _ := strings.Cut(sentence, " ")
	switch verb {
	case "is", "must", "has", "points", "breaks":
		return path[strings.LastIndexByte(path, '.')+1:] + " " + sentence
	}
	return sentence
}

func (v *Validator) refuse(n fhir.Node, code, sentence string) {
	v.report(n, fhir.SeverityError, code, sentence)
}

// reported takes an issue of a profile.
func (v *Validator) reported(issue fhir.Issue) {
	if !v.full() && (isError(&issue) || v.advice()) {
		v.issues = append(v.issues, issue)
	}
}

// advice reports whether there is room for another issue that is no error. Errors have half of the room for themselves.
func (v *Validator) advice() bool {
	if v.quiet {
		return false
	}
	if v.advised++; v.advised > MaxIssues/2 {
		v.more = true
		return false
	}
	return true
}

func isError(issue *fhir.Issue) bool {
	return issue.Severity == fhir.SeverityError || issue.Severity == fhir.SeverityFatal
}

// finish puts the issues in the order of the text, tells their places and cuts what is over MaxIssues. The result belongs
// to the caller.
func (v *Validator) finish(source []byte) []fhir.Issue {
	if len(v.issues) == 0 {
		return nil
	}
	issues := slices.Clone(v.issues)
	slices.SortStableFunc(issues, func(a, b fhir.Issue) int { return a.Offset - b.Offset })
	if len(issues) > MaxIssues || v.more {
		last := min(len(issues), MaxIssues) - 1
		severity := fhir.SeverityWarning
		if Failed(issues[last:]) {
			severity = fhir.SeverityError
		}
		issues = append(issues[:last], fhir.Issue{Severity: severity, Code: fhir.CodeTooLong,
			Details: "there are more issues than are told at once", Offset: issues[last].Offset, Expression: issues[last].Expression})
	}
	locate(issues, source)
	return issues
}

// locate turns offsets into the compact text, in ascending order, into places of the source: one pass for all issues.
func locate(issues []fhir.Issue, source []byte) {
	at, compact, quoted := 0, 0, false
	line, lineStart := 1, 0
	for i := range issues {
		issue := &issues[i]
		for at < len(source) {
			c := source[at]
			if !quoted && (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
				if c == '\n' {
					line, lineStart = line+1, at+1
				}
				at++
				continue
			}
			if compact >= issue.Offset {
				break
			}
			switch {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted: // what is escaped is no quote
				at, compact = at+1, compact+1
			}
			at, compact = at+1, compact+1
		}
		end := min(at, len(source))
		issue.Line, issue.Offset = line, end
		issue.Column = utf8.RuneCount(source[lineStart:end]) + 1
	}
}
