package interaction

import (
	"context"
	"errors"
	"fmt"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/validate"
)

// Validation asks whether a resource would be taken (http://hl7.org/fhir/R4/resource-operation-validate.html).
type Validation struct {
	Target               // ID: of the instance; empty: none
	Body          []byte // a resource, or Parameters with resource, mode and profile; empty: the stored resource
	Mode, Profile string // of the URL; those of the Parameters go before them
	Level         validate.Level
}

// The modes of a Validation. The empty one looks at the content alone.
const (
	ModeCreate = "create"
	ModeUpdate = "update"
	ModeDelete = "delete"
)

// Validate tells all issues of a resource, advice too, and writes nothing. An error is what kept it from looking: the
// caller asked for what cannot be done. A resource that is wrong is no error.
func (s *Service) Validate(ctx context.Context, q Validation) (fhir.Outcome, error) {
	w := s.workers.Get().(*worker)
	defer s.workers.Put(w)
	asked, err := w.unwrap(&q)
	if err != nil {
		return fhir.Outcome{}, err
	}
	switch {
	case q.Mode != "" && q.Mode != ModeCreate && q.Mode != ModeUpdate && q.Mode != ModeDelete:
		return fhir.Outcome{}, badParameter("mode", "it is create, update or delete")
	case (q.Mode == ModeUpdate || q.Mode == ModeDelete) && q.ID == "":
		return fhir.Outcome{}, badParameter("mode", q.Mode+" is of one resource, whose id the URL must name")
	case q.Mode == ModeDelete:
		if _, err := s.Read(ctx, q.Target); err != nil {
			return fhir.Outcome{}, err
		}
		return valid(nil), nil
	case asked.text == nil && q.ID == "":
		return fhir.Outcome{}, badParameter("resource", "there is none to look at")
	case asked.text == nil:
		v, err := s.Read(ctx, q.Target)
		if err != nil {
			return fhir.Outcome{}, err
		}
		asked.text = v.Body
	}
	var profiles validate.Profiles
	if s.profiles != nil {
		if profiles, err = s.profiles.Profiles(ctx, q.Datastore); err != nil {
			return fhir.Outcome{}, err
		}
	}
	issues, err := w.look(asked.text, &q, profiles)
	if err != nil {
		return fhir.Outcome{}, err
	}
	asked.shift(issues)
	return valid(issues), nil
}

// look are the issues of a text as a resource.
func (w *worker) look(text []byte, q *Validation, profiles validate.Profiles) ([]fhir.Issue, error) {
	res, err := w.parser.Parse(text)
	if err != nil {
		return issuesOf(w.validator.Refusal(w.parser, text, err))
	}
	o := validate.Options{Level: q.Level, Source: text}
	if profiles != nil {
		o.Profiles = profiles.Explaining()
	}
	if q.Profile != "" {
		o.Against = []string{q.Profile}
	}
	issues := w.validator.Check(w.parser.Doc(), o)
	for i := range issues {
		if issues[i].Code == validate.CodeProfileUnknown {
			return nil, badParameter("profile", "no such profile is installed, so nothing can be held against it")
		}
	}
	complain := func(path, sentence string) {
		issues = append(issues, fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid, Details: sentence, Expression: []string{path}})
	}
	if res.Code() != q.Type {
		complain(res.Type(), fmt.Sprintf("the resource is of the type %s, the URL names %s", res.Type(), q.Type))
	}
	if q.Mode == ModeUpdate && res.ID() != q.ID {
		complain(res.Type()+".id", "an update needs the id of the URL")
	}
	return issues, nil
}

// issuesOf are those of an error about a resource's text, which is an answer here and no failure.
func issuesOf(err error) ([]fhir.Issue, error) {
	var outcome *fhir.OutcomeError
	if fault.Is(err, fault.TooLarge) || !errors.As(err, &outcome) {
		return nil, err
	}
	return outcome.Issues, nil
}

// valid is the outcome with these issues; HealthLake's sentence leads where none of them is an error.
func valid(issues []fhir.Issue) fhir.Outcome {
	if validate.Failed(issues) {
		return fhir.Outcome{Issues: issues}
	}
	return fhir.Outcome{Issues: append([]fhir.Issue{{Severity: fhir.SeverityInformation, Code: fhir.CodeInformational,
		Diagnostics: "Validation successful"}}, issues...)}
}

func badParameter(name, why string) error {
	return fhir.NewOutcomeError(fault.Invalid, "interaction.Validate", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
		Diagnostics: fmt.Sprintf("The parameter %s cannot be used: %s.", name, why)})
}

// enclosed is a resource within a larger text, and where it begins there.
type enclosed struct {
	text                 []byte
	line, column, offset int
}

// shift turns places in the resource into places in the larger text.
func (e *enclosed) shift(issues []fhir.Issue) {
	if e.line == 0 {
		return
	}
	for i := range issues {
		if issues[i].Line == 0 {
			continue
		}
		if issues[i].Line == 1 {
			issues[i].Column += e.column - 1
		}
		issues[i].Line += e.line - 1
		issues[i].Offset += e.offset
	}
}

// unwrap finds the resource to look at: the body, or that of the body's Parameters, whose mode and profile then count.
// Parameters are taken for the operation's unless they are what the URL names and none of theirs is called resource.
func (w *worker) unwrap(q *Validation) (enclosed, error) {
	if len(q.Body) == 0 {
		return enclosed{}, nil
	}
	doc, err := w.parser.Scan(q.Body)
	if err != nil {
		if fault.Is(err, fault.TooLarge) {
			return enclosed{}, err
		}
		return enclosed{text: q.Body}, nil // look tells what is wrong with it
	}
	if !doc.Root().Member("resourceType").Is("Parameters") {
		return enclosed{text: q.Body}, nil
	}
	var found enclosed
	mode, profile := q.Mode, q.Profile
	for p := doc.Root().Member("parameter").First(); p.Exists(); p = p.Next() {
		switch name := p.Member("name"); {
		case name.Is("resource"):
			resource := p.Member("resource")
			if resource.Kind() != fhir.Object {
				return enclosed{}, badParameter("resource", "it holds no resource")
			}
			line, column, from := fhir.Locate(q.Body, resource.Offset())
			_, _, to := fhir.Locate(q.Body, resource.End())
			found = enclosed{q.Body[from:to], line, column, from}
		case name.Is("mode"):
			mode = string(textOf(p, "valueCode", "valueString"))
		case name.Is("profile"):
			profile = string(textOf(p, "valueUri", "valueCanonical", "valueUrl", "valueString"))
		}
	}
	if found.text == nil && q.Type.String() == "Parameters" {
		return enclosed{text: q.Body}, nil
	}
	q.Mode, q.Profile = mode, profile
	return found, nil
}

// textOf is the first of the members that is a string.
func textOf(n fhir.Node, names ...string) []byte {
	for _, name := range names {
		if m := n.Member(name); m.Kind() == fhir.String {
			return m.AppendText(nil)
		}
	}
	return nil
}
