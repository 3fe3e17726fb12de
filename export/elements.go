package export

import (
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/search"
	"tarn/store"
)

// projection makes the lines of one type of what the store holds; the zero projection leaves it as it is.
type projection struct {
	typ      r4.Code
	elements []string
	parser   *fhir.Parser
	buf      []byte
	urls     *absoluteURLs // nil where they stay as they are
}

// lines is the projection that _elements and the destination ask for: elements named without a type are meant in every
// type, and a type of which none is named is whole.
func (j *Job) lines(code r4.Code) *projection {
	p := &projection{typ: code}
	if j.AbsoluteURLs {
		p.urls = newAbsoluteURLs(j.Base)
	}
	for _, e := range j.Selection.Elements {
		if name, _, typed := strings.Cut(e, "."); !typed || name == code.String() {
			p.elements = append(p.elements, e)
		}
	}
	if p.elements != nil {
		p.parser = fhir.NewParser(fhir.Limits{MaxBytes: 2 * store.MaxDocument, MaxDepth: 10_000})
	}
	return p
}

// of is the line of a resource; it is valid until the next call.
func (p *projection) of(body []byte) ([]byte, error) {
	if p.elements == nil {
		return p.urls.of(body)
	}
	line, err := search.AppendElements(p.buf[:0], p.parser, p.typ, p.elements, body)
	if err != nil {
		return nil, err
	}
	if p.buf = line; cap(line) > 1<<20 {
		p.buf = nil
	}
	return p.urls.of(line)
}
