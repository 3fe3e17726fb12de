package ingest

import (
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/validate"
	"tarn/store"
)

// preparer makes writes of lines, with all that can be done before their turn to be committed: they are parsed, validated
// and indexed. It keeps its working memory from one line to the next and is for one goroutine; an import has one for
// each worker.
type preparer struct {
	parser    *fhir.Parser
	validator *validate.Validator
	extractor *index.Extractor
	level     validate.Level
	profiles  validate.Profiles
}

func newPreparer(level validate.Level, profiles validate.Profiles) *preparer {
	return &preparer{parser: fhir.NewParser(fhir.Limits{MaxBytes: store.MaxDocument}), validator: validate.New(),
		extractor: index.NewExtractor(), level: level, profiles: profiles}
}

// write makes the write of a line: an update that creates what is not there. Nothing in it is of the line's memory. An
// error says what is wrong with the resource and goes to the log of failures.
func (p *preparer) write(line []byte) (store.Write, error) {
	res, err := p.parser.Parse(line)
	if err != nil {
		return store.Write{}, err
	}
	if res.ID() == "" {
		return store.Write{}, fhir.NewOutcomeError(fault.Invalid, "ingest", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
			Diagnostics: "Missing required id field in resource json", Expression: []string{res.Type() + ".id"}})
	}
	doc := p.parser.Doc()
	if p.level != validate.Minimal {
		if issues := p.validator.Check(doc, validate.Options{Level: p.level, Profiles: p.profiles, Source: line}); validate.Failed(issues) {
			return store.Write{}, fhir.NewOutcomeError(fault.Invalid, "ingest", issues...)
		}
	}
	w := store.Write{Op: store.Put, Type: res.Code(), ID: res.ID(), Resource: res, Entries: p.extractor.Extract(doc, res.Code()), Epoch: index.Epoch}
	w.Prepare()
	return w, nil
}
