package search

import (
	"bytes"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// shown says which part of each resource a page shows (_summary and _elements, FHIR R4 sections 3.1.1.5.8 and 9).
type shown struct {
	summary  string
	elements []string
}

func newShown(q *query) shown { return shown{q.summary, q.elements} }

// whole reports whether resources of a match, or of an include, are shown as they are.
func (s shown) whole(match bool) bool { return s.summary == "" && (s.elements == nil || !match) }

// subsetted is the tag of a resource that is not shown in full.
const subsetted = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

// appendSubset appends the part of a resource that is shown, tagged so. resourceType, id and meta stay, and so does what
// is mandatory or modifies the meaning of the rest.
func (s shown) appendSubset(dst []byte, p *fhir.Parser, typ r4.Code, body []byte) ([]byte, error) {
	doc, err := p.Scan(body)
	if err != nil {
		return nil, fault.Errorf(fault.Internal, "search", "a stored %s cannot be read: %w", typ, err)
	}
	structure := typ.Resource()
	dst = append(dst, '{')
	first := true
	for n := range doc.Root().Children() {
		switch {
		case n.KeyIs("resourceType"), n.KeyIs("id"):
			dst, first = appendMember(dst, n, first), false
		case n.KeyIs("meta"):
			dst, first = append(comma(dst, first), `"meta":`...), false
			dst = appendTagged(dst, n)
		default:
			var kept bool
			if dst, kept = s.appendElement(dst, n, structure, typ, first); kept {
				first = false
			}
		}
	}
	return append(dst, '}'), nil
}

func comma(dst []byte, first bool) []byte {
	if first {
		return dst
	}
	return append(dst, ',')
}

func appendMember(dst []byte, n fhir.Node, first bool) []byte {
	dst = append(comma(dst, first), '"')
	dst = append(append(dst, n.Key()...), `":`...)
	return append(dst, n.Raw()...)
}

// appendTagged is meta with the tag.
func appendTagged(dst []byte, meta fhir.Node) []byte {
	tag := meta.Member("tag")
	if tag.Kind() != fhir.Array || tag.Count() == 0 {
		dst = append(dst, '{')
		first := true
		for n := range meta.Children() {
			if !n.KeyIs("tag") {
				dst, first = appendMember(dst, n, first), false
			}
		}
		dst = append(comma(dst, first), `"tag":[`...)
		return append(append(dst, subsetted...), "]}"...)
	}
	for n := range tag.Children() {
		if n.Member("code").Is("SUBSETTED") {
			return append(dst, meta.Raw()...)
		}
	}
	raw, at := meta.Raw(), tag.End()-1-meta.Offset()
	dst = append(append(dst, raw[:at]...), ',')
	return append(append(dst, subsetted...), raw[at:]...)
}

// appendElement appends an element of the resource's root if it is shown, and reports whether it is.
func (s shown) appendElement(dst []byte, n fhir.Node, in *r4.Structure, typ r4.Code, first bool) ([]byte, bool) {
	name := bytes.TrimPrefix(n.Key(), []byte("_"))
	at, ok := in.Find(name)
	if !ok {
		return dst, false
	}
	e := &in.Elements[at.Element]
	switch s.summary {
	case "text":
		ok = e.Min > 0 || e.Name == "text"
	case "data":
		ok = e.Name != "text"
	case "true":
		if !e.Summary && e.Min == 0 {
			return dst, false
		}
		return appendSummary(comma(dst, first), n, e.Fields[at.Field].Type), true
	default:
		ok = e.Min > 0 || e.Modifier || s.asked(typ, e, string(name))
	}
	if !ok {
		return dst, false
	}
	return appendMember(dst, n, first), true
}

// asked reports whether _elements names an element: by its name, that of its choice without the type, or either behind
// the name of the resource type.
func (s shown) asked(typ r4.Code, e *r4.Element, name string) bool {
	for _, want := range s.elements {
		if prefix, rest, ok := strings.Cut(want, "."); ok && r4.IsType(prefix) {
			if prefix != typ.String() {
				continue
			}
			want = rest
		}
		if want == name || want == e.Name || want == strings.TrimSuffix(e.Name, "[x]") {
			return true
		}
	}
	return false
}

// appendSummary appends a member; of nested elements only what belongs to the summary.
func appendSummary(dst []byte, n fhir.Node, of *r4.Structure) []byte {
	dst = append(dst, '"')
	dst = append(append(dst, n.Key()...), `":`...)
	if of == nil || of.Kind != r4.KindBackbone {
		return append(dst, n.Raw()...)
	}
	return appendBackbone(dst, n, of)
}

func appendBackbone(dst []byte, n fhir.Node, of *r4.Structure) []byte {
	switch n.Kind() {
	case fhir.Array:
		dst = append(dst, '[')
		first := true
		for item := range n.Children() {
			dst, first = appendBackbone(comma(dst, first), item, of), false
		}
		return append(dst, ']')
	case fhir.Object:
		dst = append(dst, '{')
		first := true
		for m := range n.Children() {
			at, ok := of.Find(bytes.TrimPrefix(m.Key(), []byte("_")))
			if !ok || !of.Elements[at.Element].Summary && of.Elements[at.Element].Min == 0 {
				continue
			}
			dst, first = appendSummary(comma(dst, first), m, of.Elements[at.Element].Fields[at.Field].Type), false
		}
		return append(dst, '}')
	}
	return append(dst, n.Raw()...)
}

// AppendElements appends the part of a resource that _elements asks for, as an export shows it: the named elements of the
// root, what is mandatory or modifies the meaning of the rest, and the tag SUBSETTED.
func AppendElements(dst []byte, p *fhir.Parser, typ r4.Code, elements []string, body []byte) ([]byte, error) {
	return shown{elements: elements}.appendSubset(dst, p, typ, body)
}
