// Package rewrite finds the links of a resource (references, URIs, addresses in the narrative) on the tape and puts
// others in their place. What is no link stays byte for byte (FHIR R4 section 3.1.0.11.2, transaction processing rules).
package rewrite

import (
	"bytes"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// Kind says where a link stands.
type Kind uint8

// The kinds of link.
const (
	Reference Kind = iota + 1 // Reference.reference
	URI                       // an element of type uri, url, oid or uuid; those of type canonical are no links
	Narrative                 // the href of an <a> or the src of an <img> in the narrative
)

// Link is one link. Start and End are the place of its text, without quotes, in the bytes of the document.
type Link struct {
	Kind       Kind
	Start, End int
	Text       string // escapes decoded
	Of         string // the type that the text is a member of: Reference, Attachment; none in a narrative
}

// Edit puts Text in the place [Start, End) of the document's bytes. Text stands there as it is: it must need no escape
// in a JSON string nor in XHTML.
type Edit struct {
	Start, End int
	Text       string
}

// Links appends to dst the links of a resource, a node of any document, in the order of the text. Only texts that
// suspect says yes to are looked at closer; it sees the text of a string with escapes decoded, of the narrative the
// address alone.
func Links(dst []Link, resource fhir.Node, suspect func(text []byte) bool) []Link {
	f := finder{links: dst, suspect: suspect}
	f.frames = append(f.frames[:0], frame{node: resource, known: true})
	f.frames[0].structure = structureOf(resource)
	f.object(resource)
	return f.links
}

// Splice appends the bytes [from, to) of data to dst with the edits applied; they are in order and lie within.
func Splice(dst, data []byte, from, to int, edits []Edit) []byte {
	for _, e := range edits {
		dst = append(append(dst, data[from:e.Start]...), e.Text...)
		from = e.End
	}
	return append(dst, data[from:to]...)
}

// Origin is the offset in the bytes before Splice of what stands at offset at in its result; from is that of Splice.
func Origin(at, from int, edits []Edit) int {
	at += from
	for _, e := range edits {
		switch {
		case at < e.Start:
			return at
		case at < e.Start+len(e.Text):
			return e.Start
		}
		at += e.End - e.Start - len(e.Text)
	}
	return at
}

// finder walks a resource. The definitions are asked only on the way down to a suspicious text.
type finder struct {
	links   []Link
	suspect func([]byte) bool
	frames  []frame // open objects
	buf     []byte
}

// frame is an open object: the member that holds it, and what it is once asked for.
type frame struct {
	node      fhir.Node
	key       fhir.Node // the member of the parent that holds it, itself or in an array
	structure *r4.Structure
	known     bool
}

func structureOf(resource fhir.Node) *r4.Structure {
	name := resource.Member("resourceType")
	if name.Kind() != fhir.String {
		return nil
	}
	code, ok := r4.CodeOfBytes(name.AppendText(nil))
	if !ok {
		return nil
	}
	return code.Resource()
}

// object walks the members of the innermost open object.
func (f *finder) object(n fhir.Node) {
	for m := n.First(); m.Exists(); m = m.Next() {
		f.value(m, m)
	}
}

func (f *finder) value(n, key fhir.Node) {
	switch n.Kind() {
	case fhir.Object:
		f.frames = append(f.frames, frame{node: n, key: key})
		f.object(n)
		f.frames = f.frames[:len(f.frames)-1]
	case fhir.Array:
		for child := n.First(); child.Exists(); child = child.Next() {
			f.value(child, key)
		}
	case fhir.String:
		f.text(n, key)
	}
}

func (f *finder) text(n, key fhir.Node) {
	raw := n.Text()
	if string(key.Key()) == "div" && (bytes.Contains(raw, href) || bytes.Contains(raw, src)) {
		if p := f.primitive(key); p == r4.XHTML {
			f.narrative(raw, n.Offset()+1)
		}
		return
	}
	text := raw
	if n.Escaped() {
		f.buf = n.AppendText(f.buf[:0])
		text = f.buf
	}
	if !f.suspect(text) {
		return
	}
	kind, primitive := URI, f.primitive(key)
	of := f.structure(len(f.frames) - 1)
	switch primitive {
	case r4.URI, r4.URL, r4.OID, r4.UUID:
	case r4.String:
		if of.Name != "Reference" || !key.KeyIs("reference") {
			return
		}
		kind = Reference
	default:
		return
	}
	f.links = append(f.links, Link{Kind: kind, Start: n.Offset() + 1, End: n.End() - 1, Text: string(text), Of: of.Name})
}

// primitive is the type of a member of the innermost object; 0 where it has none.
func (f *finder) primitive(key fhir.Node) r4.Primitive {
	if t := f.field(len(f.frames)-1, key); t != nil {
		return t.Primitive
	}
	return 0
}

// field is what the definitions say of a member of an open object.
func (f *finder) field(level int, key fhir.Node) *r4.Structure {
	s := f.structure(level)
	if s == nil {
		return nil
	}
	name := key.Key()
	if key.KeyEscaped() {
		name = key.AppendKey(nil)
	}
	if len(name) > 0 && name[0] == '_' {
		if place, ok := s.Find(name[1:]); ok { // the id and the extensions of a primitive
			return s.Elements[place.Element].Fields[place.Field].Type
		}
		return nil
	}
	place, ok := s.Find(name)
	if !ok {
		return nil
	}
	return s.Elements[place.Element].Fields[place.Field].Type
}

// structure is what an open object is; nil where the definitions do not know.
func (f *finder) structure(level int) *r4.Structure {
	at := &f.frames[level]
	if at.known {
		return at.structure
	}
	s := f.field(level-1, at.key)
	if s != nil && s.Abstract && s.Kind == r4.KindResource {
		s = structureOf(at.node)
	}
	f.frames[level].structure, f.frames[level].known = s, true
	return s
}
