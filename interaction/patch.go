package interaction

import (
	"context"
	"encoding/base64"
	"errors"
	"mime"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/patch"
	"tarn/fhir/r4"
	"tarn/store"
)

// PatchForm is how a patch is written.
type PatchForm uint8

// The forms of a patch.
const (
	JSONPatch  PatchForm = iota + 1 // an array of operations (RFC 6902)
	PathPatch                       // a Parameters resource of operations (http://hl7.org/fhir/R4/fhirpatch.html)
	EntryPatch                      // as in a Bundle's entry: Parameters, or a Binary that holds a JSON Patch
)

// MediaJSONPatch is the media type of a JSON Patch.
const MediaJSONPatch = "application/json-patch+json"

// ReadPatch reads a patch. What breaks the rules of its form is fault.Invalid.
func (s *Service) ReadPatch(form PatchForm, body []byte) (*patch.Patch, error) {
	switch form {
	case JSONPatch:
		return patch.ParseJSON(body, s.limits)
	case EntryPatch:
		doc, err := fhir.NewParser(s.limits).Scan(body)
		if err != nil {
			return nil, err
		}
		if root := doc.Root(); root.Member("resourceType").Is("Binary") {
			return s.readBinaryPatch(root)
		}
	}
	return patch.ParseParameters(body, s.limits)
}

func (s *Service) readBinaryPatch(binary fhir.Node) (*patch.Patch, error) {
	refuse := func(at, why string) error {
		return fhir.NewOutcomeError(fault.Invalid, "interaction.ReadPatch", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
			Diagnostics: why, Expression: []string{"Binary." + at}})
	}
	kind, data := binary.Member("contentType"), binary.Member("data")
	if kind.Kind() != fhir.String || data.Kind() != fhir.String {
		return nil, refuse("data", "A Binary with a patch needs contentType and data.")
	}
	if name, _, err := mime.ParseMediaType(string(kind.AppendText(nil))); err != nil || name != MediaJSONPatch {
		return nil, refuse("contentType", "A Binary can hold a patch of the type "+MediaJSONPatch+" only; a FHIRPath Patch stands in the entry as Parameters.")
	}
	body, err := base64.StdEncoding.DecodeString(string(data.AppendText(nil)))
	if err != nil {
		return nil, refuse("data", "The data is no base64.")
	}
	return patch.ParseJSON(body, s.limits)
}

// Patched is the write of a version changed by a patch: validated and indexed, and on condition that the version is
// current. What cannot be done to it, or would make of it no valid resource, is fault.Unprocessable.
func (s *Service) Patched(ctx context.Context, datastore string, current store.Version, p *patch.Patch, o WriteOptions) (store.Write, []fhir.Issue, error) {
	body, err := p.Apply(current.Body)
	if err != nil {
		return store.Write{}, nil, err
	}
	w, tolerated, err := s.prepare(ctx, datastore, body, current.Type, o)
	if err != nil {
		return store.Write{}, nil, unprocessable(err)
	}
	w.Op, w.ID, w.IfMatch = store.Put, current.ID, current.Number
	return w, tolerated, nil
}

// unprocessable says that it is the result of a patch that is invalid, not its text: places in the text mean nothing to
// the caller.
func unprocessable(err error) error {
	var told *fhir.OutcomeError
	if !errors.As(err, &told) || told.Kind != fault.Invalid {
		return err
	}
	issues := append([]fhir.Issue(nil), told.Issues...)
	for i := range issues {
		issues[i].Line = 0
	}
	return fhir.NewOutcomeError(fault.Unprocessable, "interaction.Patched", issues...)
}

// Patch changes the current version of a resource (FHIR R4 section 3.1.0.6): fault.NotFound and fault.Gone as in Read.
// Without a condition of the caller's a version that came meanwhile is patched in turn, so that no change is lost.
func (s *Service) Patch(ctx context.Context, t Target, p *patch.Patch, cond Conditions, o WriteOptions) (Written, error) {
	o, err := s.withProfiles(ctx, t.Datastore, o)
	if err != nil {
		return Written{}, err
	}
	var written Written
	err = s.settle(ctx, t.Datastore, func(st *store.Store, v *store.View) error {
		current, err := v.Read(ctx, t.Type, t.ID)
		if err != nil {
			return err
		}
		written, err = s.patch(ctx, t.Datastore, st, current, p, cond, o)
		return err
	})
	return written, err
}

// PatchWhere is Patch of the resource that meets the criteria: none is fault.NotFound, several are fault.Precondition.
func (s *Service) PatchWhere(ctx context.Context, datastore string, t r4.Code, criteria Where, p *patch.Patch, cond Conditions, o WriteOptions) (Written, error) {
	c, err := ParseCriteria(t, criteria)
	if err != nil {
		return Written{}, err
	}
	if o, err = s.withProfiles(ctx, datastore, o); err != nil {
		return Written{}, err
	}
	var written Written
	err = s.settle(ctx, datastore, func(st *store.Store, v *store.View) error {
		current, found, err := s.MatchOne(ctx, v, c)
		if err != nil {
			return err
		}
		if !found {
			return fault.Errorf(fault.NotFound, "interaction.PatchWhere", "No %s meets the criteria.", t)
		}
		written, err = s.patch(ctx, datastore, st, current, p, cond, o, s.Guard(c, v.Tx(), current.ID))
		return err
	})
	return written, err
}

// patch makes one attempt; ErrMoved where another version came meanwhile and the caller asked for none.
func (s *Service) patch(ctx context.Context, datastore string, st *store.Store, current store.Version, p *patch.Patch, cond Conditions, o WriteOptions, guards ...store.Guard) (Written, error) {
	if cond.IfMatch != 0 && cond.IfMatch != current.Number {
		return Written{}, fault.Errorf(fault.Precondition, "interaction.Patch", "%s/%s has version %d, not %d.", current.Type, current.ID, current.Number, cond.IfMatch)
	}
	w, tolerated, err := s.Patched(ctx, datastore, current, p, o)
	if err != nil {
		return Written{}, err
	}
	res, err := commit(ctx, st, w, guards...)
	var one *store.WriteError
	if cond.IfMatch == 0 && errors.As(err, &one) && fault.Is(err, fault.Precondition) {
		return Written{}, ErrMoved
	}
	return Written{res, tolerated}, err
}
