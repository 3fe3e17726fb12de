package interaction

import (
	"errors"
	"fmt"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/fhir/rewrite"
)

// entryIssue is an issue of an entry, or of a part of it: ".fullUrl".
func (t *transaction) entryIssue(i int, part, code, sentence string) fhir.Issue {
	b := t.r.Bundle
	n := b.node(i)
	if at := n.Member(strings.TrimPrefix(part, ".")); at.Exists() {
		n = at
	}
	return b.issueAt(n, code, sentence)
}

// requestIssue is an issue of a member of an entry's request.
func (t *transaction) requestIssue(i int, name string, err error) fhir.Issue {
	b := t.r.Bundle
	return b.issueAt(b.node(i).Member("request").Member(name), fhir.CodeValue, sentence(err))
}

// node is the entry on the tape.
func (b *Bundle) node(i int) fhir.Node {
	n := b.doc.Root().Member("entry").First()
	for ; i > 0; i-- {
		n = n.Next()
	}
	return n
}

// sentence is what an error says of itself, without a place.
func sentence(err error) string {
	var told *fhir.OutcomeError
	if errors.As(err, &told) && len(told.Issues) > 0 {
		if s := told.Issues[0].Diagnostics; s != "" {
			return s
		}
		return told.Issues[0].Details
	}
	return fault.Message(err)
}

// Failed says of an error that an entry met alone, with its resource as it was sent, where in the Bundle that is. What is
// no fault of the caller's stays as it is.
func (b *Bundle) Failed(i int, err error) error {
	var told *fhir.OutcomeError
	if !errors.As(err, &told) {
		return err
	}
	t := transaction{r: &TransactionRequest{Bundle: b}}
	return t.failed(i, t.relocated(err, i, nil))
}

// failed says of an error which entry met it. What is no fault of the caller's stays as it is.
func (t *transaction) failed(i int, err error) error {
	kind := fault.KindOf(err)
	if kind == fault.Internal || kind == fault.Unavailable || errors.Is(err, ErrMoved) {
		return err
	}
	name := fmt.Sprintf("Bundle.entry[%d]", i)
	var told *fhir.OutcomeError
	if !errors.As(err, &told) {
		return fhir.NewOutcomeError(kind, "interaction.Transact", t.r.Bundle.issueAt(t.r.Bundle.node(i), issueCode(kind), fault.Message(err)))
	}
	issues := make([]fhir.Issue, len(told.Issues))
	for n, issue := range told.Issues {
		if issue.Line == 0 && len(issue.Expression) == 0 {
			issue.Line, issue.Column, issue.Offset = fhir.Locate(t.r.Bundle.source, t.r.Bundle.node(i).Offset())
		}
		issue.Expression = within(issue.Expression, name)
		issues[n] = issue
	}
	return fhir.NewOutcomeError(kind, "interaction.Transact", issues...)
}

// within puts the expressions of a resource's elements into the Bundle: Patient.name is Bundle.entry[3].resource.name.
func within(expressions []string, entry string) []string {
	if len(expressions) == 0 {
		return []string{entry}
	}
	all := make([]string, len(expressions))
	for n, x := range expressions {
		name, rest, deeper := strings.Cut(x, ".")
		switch {
		case strings.HasPrefix(x, "Bundle.entry["):
			all[n] = x
		case !r4.IsType(name) && name != "Resource":
			all[n] = entry + ".resource." + x
		case deeper:
			all[n] = entry + ".resource." + rest
		default:
			all[n] = entry + ".resource"
		}
	}
	return all
}

// relocated moves the places of issues from an entry's resource, links rewritten, to the Bundle as it was sent.
func (t *transaction) relocated(err error, i int, edits []rewrite.Edit) error {
	var told *fhir.OutcomeError
	b := t.r.Bundle
	if !errors.As(err, &told) || !b.Entries[i].resource.Exists() {
		return err
	}
	issues := make([]fhir.Issue, len(told.Issues))
	for n, issue := range told.Issues {
		if issue.Line != 0 {
			at := rewrite.Origin(issue.Offset, b.Entries[i].resource.Offset(), edits)
			issue.Line, issue.Column, issue.Offset = fhir.Locate(b.source, at)
		}
		issues[n] = issue
	}
	return fhir.NewOutcomeError(told.Kind, "interaction.Transact", issues...)
}

// placed gives the issues of an error the place of a link.
func (t *transaction) placed(err error, i int, link rewrite.Link) error {
	var told *fhir.OutcomeError
	if !errors.As(err, &told) {
		return err
	}
	issues := make([]fhir.Issue, len(told.Issues))
	for n, issue := range told.Issues {
		issue.Line, issue.Column, issue.Offset = fhir.Locate(t.r.Bundle.source, link.Start-1)
		if at := t.r.Bundle.at(t.r.Bundle.Entries[i].resource, link.Start-1); at.Exists() {
			issue.Expression = []string{t.r.Bundle.doc.Path(at)}
		}
		issues[n] = issue
	}
	return fhir.NewOutcomeError(told.Kind, "interaction.Transact", issues...)
}

// at is the innermost value within n at an offset.
func (b *Bundle) at(n fhir.Node, offset int) fhir.Node {
	for {
		child := n.First()
		for child.Exists() && child.End() <= offset {
			child = child.Next()
		}
		if !child.Exists() || child.Offset() > offset {
			return n
		}
		n = child
	}
}

// issueCode is the issue type of a kind of fault (http://hl7.org/fhir/issue-type).
func issueCode(kind fault.Kind) string {
	switch kind {
	case fault.NotFound:
		return "not-found"
	case fault.Gone:
		return "deleted"
	case fault.Exists:
		return "duplicate"
	case fault.Conflict, fault.Precondition:
		return "conflict"
	case fault.TooLarge:
		return fhir.CodeTooLong
	case fault.Unsupported:
		return "not-supported"
	case fault.Denied:
		return "forbidden"
	case fault.Throttled:
		return "throttled"
	case fault.Unprocessable:
		return "processing"
	}
	return fhir.CodeInvalid
}
