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
// error says what is wrong with the resource and goes to the log of failures; note, unless nil, is the extension that
// says what was tolerated in it, and goes to the log of such resources.
func (p *preparer) write(line []byte) (w store.Write, note []byte, err error) {
	res, err := p.parser.Parse(line)
	if err != nil {
		if p.level != validate.Minimal {
			err = p.validator.Refusal(p.parser, line, err)
		}
		return w, nil, err
	}
	if res.ID() == "" {
		return w, nil, fhir.NewOutcomeError(fault.Invalid, "ingest", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
			Diagnostics: "Missing required id field in resource json", Expression: []string{res.Type() + ".id"}})
	}
	issues := p.validator.Check(p.parser.Doc(), validate.Options{Level: p.level, Profiles: p.profiles, Source: line, Quiet: true})
	switch {
	case !validate.Failed(issues):
	case p.level != validate.Minimal:
		return w, nil, fhir.NewOutcomeError(fault.Invalid, "ingest", issues...)
	default:
		note = validate.AppendNote(nil, told(issues))
		if told, err := p.parser.Parse(validate.AppendTolerated(nil, p.parser.Doc(), issues)); err == nil {
			res = told
		} else if res, err = p.parser.Parse(line); err != nil { // the issues made it too large
			return w, nil, err
		}
	}
	w = store.Write{Op: store.Put, Type: res.Code(), ID: res.ID(), Resource: res, Entries: p.extractor.Extract(p.parser.Doc(), res.Code()), Epoch: index.Epoch}
	w.Prepare()
	return w, note, nil
}
