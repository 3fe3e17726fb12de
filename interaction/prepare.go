package interaction

import (
	"context"
	"fmt"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/fhir/validate"
	"tarn/store"
)

// WriteOptions say how a body is taken. The zero WriteOptions are those of a caller who says nothing.
type WriteOptions struct {
	Level validate.Level

	profiles validate.Profiles // once looked is true
	looked   bool
}

// Written is what a write did, and the errors of the resource that were tolerated under the level minimal.
type Written struct {
	store.Result
	Tolerated []fhir.Issue
}

// ProfileSource knows the profiles that are installed for a data store.
type ProfileSource interface {
	// Profiles is the set; nil where there is none.
	Profiles(ctx context.Context, datastore string) (validate.Profiles, error)
}

// UseProfiles lets declared profiles be checked. It is called before the service is.
func (s *Service) UseProfiles(p ProfileSource) { s.profiles = p }

// withProfiles are the options with the profiles that declared ones are checked by. Whoever is about to take a view asks for
// them before, since reading them takes a snapshot of its own.
func (s *Service) withProfiles(ctx context.Context, datastore string, o WriteOptions) (_ WriteOptions, err error) {
	if o.looked || s.profiles == nil || o.Level != validate.Strict {
		return o, nil
	}
	o.profiles, err = s.profiles.Profiles(ctx, datastore)
	o.looked = true
	return o, err
}

// worker is what one goroutine needs to prepare a resource.
type worker struct {
	parser    *fhir.Parser
	validator *validate.Validator
	extractor *index.Extractor
}

func (s *Service) newWorker() any {
	return &worker{parser: fhir.NewParser(s.limits), validator: validate.New(), extractor: index.NewExtractor()}
}

// prepare turns a body into a write of a resource of the type: parsed, validated and indexed, once. The write still
// wants Op, ID and conditions. The error tells all issues of the body at once.
func (s *Service) prepare(ctx context.Context, datastore string, body []byte, want r4.Code, o WriteOptions) (store.Write, []fhir.Issue, error) {
	w := s.workers.Get().(*worker)
	defer s.workers.Put(w)
	res, err := w.parse(body, want)
	if err != nil {
		if o.Level != validate.Minimal && w.parser.Doc().Len() == 0 {
			err = w.validator.Refusal(w.parser, body, err)
		}
		return store.Write{}, nil, err
	}
	if o, err = s.withProfiles(ctx, datastore, o); err != nil {
		return store.Write{}, nil, err
	}
	issues := w.validator.Check(w.parser.Doc(), validate.Options{Level: o.Level, Profiles: o.profiles, Source: body, Quiet: true})
	if !validate.Failed(issues) {
		return w.write(res), nil, nil
	}
	if o.Level != validate.Minimal {
		return store.Write{}, nil, fhir.NewOutcomeError(fault.Invalid, "interaction", issues...)
	}
	if told, err := w.parser.Parse(validate.AppendTolerated(nil, w.parser.Doc(), issues)); err == nil {
		return w.write(told), issues, nil
	}
	if res, err = w.parse(body, want); err != nil { // the issues made it too large
		return store.Write{}, nil, err
	}
	return w.write(res), issues, nil
}

// parse reads a body that must be a resource of the type; 0 is any.
func (w *worker) parse(body []byte, want r4.Code) (fhir.Resource, error) {
	res, err := w.parser.Parse(body)
	if err != nil {
		return res, err
	}
	if want != 0 && res.Code() != want {
		return res, fhir.NewOutcomeError(fault.Invalid, "interaction", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
			Diagnostics: fmt.Sprintf("The body is of the type %s, the URL names %s.", res.Type(), want), Expression: []string{res.Type() + ".resourceType"}})
	}
	return res, nil
}

// write is the write of the resource that was parsed last, with its index entries.
func (w *worker) write(res fhir.Resource) store.Write {
	return store.Write{Type: res.Code(), Resource: res, Entries: w.extractor.ExtractOwned(w.parser.Doc(), res.Code()), Epoch: index.Epoch}
}
