package fhir

import (
	"bytes"
	"hash/maphash"

	"tarn/fault"
	"tarn/fhir/r4"
)

// The limits of a Parser made with zero Limits, and the most that it can be told.
const (
	DefaultMaxBytes = 5_000_000
	DefaultMaxDepth = 512
	mostBytes       = 1 << 28
	mostDepth       = 10_000
)

// Limits bound what a Parser takes: the bytes of one JSON text as it was sent, and how deep objects and arrays may nest
// (the resource itself is the first level). Zero fields mean DefaultMaxBytes and DefaultMaxDepth; the most is 256 MiB
// and 10,000.
type Limits struct{ MaxBytes, MaxDepth int }

// Parser reads resources. It keeps its working memory from one text to the next, so that it allocates nothing but what
// a Resource owns. It is for one goroutine.
type Parser struct {
	limits Limits
	doc    Doc
	frames []frame
	names  []name
	buf    []byte // the compact text of a source that has white space
	seg    int    // where in the source the run not yet in buf begins
	shift  int    // how much white space the source had so far
	seed   maphash.Seed
	table  []uint32
	left   []byte
	right  []byte
}

// NewParser makes a Parser with the limits.
func NewParser(limits Limits) *Parser {
	if limits.MaxBytes <= 0 {
		limits.MaxBytes = DefaultMaxBytes
	}
	if limits.MaxDepth <= 0 {
		limits.MaxDepth = DefaultMaxDepth
	}
	limits.MaxBytes, limits.MaxDepth = min(limits.MaxBytes, mostBytes), min(limits.MaxDepth, mostDepth)
	return &Parser{limits: limits, seed: maphash.MakeSeed()}
}

// Parse reads one resource. White space between tokens goes; all else stays byte for byte. data is not kept: the
// Resource owns a copy. Doc shows its tape until the next call.
//
// It refuses what is no JSON (RFC 8259; duplicate names, unsound UTF-8 and lone surrogates too), what is no object with
// the resourceType of a concrete R4 type, an id that is no FHIR id, and a meta, meta.versionId or meta.lastUpdated of
// the wrong JSON type. The error is fault.Invalid, or fault.TooLarge over MaxBytes, and leads to an *OutcomeError whose
// issues tell line, column and expression of the place.
func (p *Parser) Parse(data []byte) (Resource, error) {
	r, err := p.Borrow(data)
	if err == nil {
		r.data = bytes.Clone(r.data)
		p.doc.data = r.data
	}
	return r, err
}

// Borrow is Parse without the copy: the Resource is valid until the next call of the Parser and while data stays as it
// is.
func (p *Parser) Borrow(data []byte) (Resource, error) {
	doc, err := p.Scan(data)
	if err != nil {
		return Resource{}, err
	}
	r, issues := resourceOf(doc)
	if len(issues) > 0 {
		for i := range issues {
			issues[i].locate(data, issues[i].Offset)
		}
		p.doc = Doc{nodes: p.doc.nodes[:0]}
		return Resource{}, NewOutcomeError(fault.Invalid, "fhir.Parse", issues...)
	}
	return r, nil
}

// Scan reads any JSON text under the limits and the rules of Parse for JSON, without those for resources. The Doc is
// valid until the next call of the Parser and while data stays as it is.
func (p *Parser) Scan(data []byte) (*Doc, error) {
	p.doc.data = nil
	p.doc.nodes = p.doc.nodes[:0]
	if len(data) > p.limits.MaxBytes {
		return &Doc{}, tooLarge(len(data), p.limits.MaxBytes)
	}
	p.release(len(data))
	if issue := p.scan(data); issue != nil {
		p.doc = Doc{nodes: p.doc.nodes[:0]}
		return &Doc{}, NewOutcomeError(fault.Invalid, "fhir.Scan", *issue)
	}
	return &p.doc, nil
}

// Doc is the tape of what was parsed last; it is empty after an error.
func (p *Parser) Doc() *Doc { return &p.doc }

// release lets go of memory that only a much larger text needed.
func (p *Parser) release(size int) {
	const keep = 1 << 16
	if n := cap(p.doc.nodes); n > keep && n > 16*size {
		p.doc.nodes, p.names, p.table = nil, nil, nil
	}
	if n := cap(p.buf); n > 16*keep && n > 64*size {
		p.buf = nil
	}
}

// resourceOf finds what every resource has. On error the issues' Offset is in the compact bytes.
func resourceOf(doc *Doc) (Resource, []Issue) {
	root := doc.Root()
	if root.Kind() != Object {
		return Resource{}, []Issue{{Severity: SeverityError, Code: CodeStructure,
			Details: "a resource is a JSON object, this is: " + root.Kind().String()}}
	}
	r := Resource{data: doc.data}
	var issues []Issue
	refuse := func(n Node, code, sentence string) {
		issues = append(issues, Issue{Severity: SeverityError, Code: code, Details: sentence,
			Offset: n.Offset(), Expression: []string{doc.Path(n)}})
	}
	for n := root.First(); n.Exists(); n = n.Next() {
		switch {
		case n.KeyIs("resourceType"):
			if n.Kind() != String {
				refuse(n, CodeStructure, "resourceType must be a string")
				r.typeEnd = uint32(n.End())
				continue
			}
			code, ok := r4.CodeOfBytes(n.Text())
			if !ok && n.Escaped() {
				code, ok = r4.CodeOfBytes(n.AppendText(nil))
			}
			if !ok {
				refuse(n, CodeInvalid, UnknownType(n.Text()))
			}
			r.code, r.typeEnd = code, uint32(n.End())
		case n.KeyIs("id"):
			if n.Kind() != String {
				refuse(n, CodeStructure, "id must be a string")
				continue
			}
			if !validID(n.Text()) && !(n.Escaped() && validID(n.AppendText(nil))) {
				refuse(n, CodeValue, "an id has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'")
			}
			r.id = spanOf(n)
		case n.KeyIs("meta"):
			if n.Kind() != Object {
				refuse(n, CodeStructure, "meta must be an object")
				continue
			}
			r.meta = spanOf(n)
			for m := n.First(); m.Exists(); m = m.Next() {
				to := &r.version
				if m.KeyIs("lastUpdated") {
					to = &r.updated
				} else if !m.KeyIs("versionId") {
					continue
				}
				if m.Kind() != String {
					refuse(m, CodeStructure, "meta."+string(m.AppendKey(nil))+" must be a string")
				}
				*to = spanOf(m)
			}
		}
	}
	if r.typeEnd == 0 {
		issues = append(issues, Issue{Severity: SeverityError, Code: CodeInvalid, Offset: root.Offset(),
			Details: "a resource must say its resourceType", Expression: []string{"Resource"}})
	}
	return r, issues
}

// UnknownType is the sentence about a resourceType that is none. It repeats the text only where that looks like a name,
// so that no contents are told.
func UnknownType(text []byte) string {
	for _, c := range text {
		if len(text) > 40 || (c|0x20 < 'a' || c|0x20 > 'z') {
			return "resourceType names no resource type of FHIR R4"
		}
	}
	return "resourceType names no resource type of FHIR R4: " + string(appendQuoted(nil, text))
}
