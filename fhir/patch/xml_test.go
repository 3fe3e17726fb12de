package patch_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"tarn/fhir/r4"
)

// jsonOf turns the XML of a resource into the JSON form of FHIR, by the table of definitions.
func jsonOf(t *testing.T, text string) []byte {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		s := r4.StructureOf(start.Name.Local)
		if s == nil {
			t.Fatalf("%s is no resource", start.Name.Local)
		}
		x := &xmlReader{t: t, d: d, text: text}
		members := append([]member{{"resourceType", start.Name.Local}}, x.members(start, s)...)
		out, err := object(members).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

type member struct {
	name  string
	value any
}

// object is a JSON object with its members in order.
type object []member

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

type xmlReader struct {
	t    *testing.T
	d    *xml.Decoder
	text string
}

// members reads an element's content up to its end.
func (x *xmlReader) members(start xml.StartElement, s *r4.Structure) (all object) {
	x.t.Helper()
	for _, a := range start.Attr {
		if a.Name.Local == "id" || a.Name.Local == "url" {
			all = append(all, member{a.Name.Local, a.Value})
		}
	}
	for {
		token, err := x.d.Token()
		if err == io.EOF {
			return all
		} else if err != nil {
			x.t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.EndElement:
			return all
		case xml.StartElement:
			at, ok := s.FindString(token.Name.Local)
			if !ok {
				x.t.Fatalf("%s has no element %s", s.Name, token.Name.Local)
			}
			el := &s.Elements[at.Element]
			value, twin := x.value(token, el.Fields[at.Field].Type)
			all = all.with(token.Name.Local, value, twin, el.Array)
		}
	}
}

// value reads one element: of a primitive type its value, and its id and extensions.
func (x *xmlReader) value(start xml.StartElement, typ *r4.Structure) (value, twin any) {
	if typ.Primitive == r4.XHTML {
		from := x.d.InputOffset()
		if err := x.d.Skip(); err != nil {
			x.t.Fatal(err)
		}
		content := x.text[from:x.d.InputOffset()]
		// XML ends a line with a line feed alone, and in text a quote needs no escape.
		content = strings.ReplaceAll(strings.ReplaceAll(content, "\r", ""), "&quot;", `"`)
		return `<div xmlns="http://www.w3.org/1999/xhtml">` + content, nil
	}
	if typ.Kind != r4.KindPrimitive {
		return x.members(start, typ), nil
	}
	for _, a := range start.Attr {
		if a.Name.Local != "value" {
			continue
		}
		value = a.Value
		switch typ.Primitive {
		case r4.Boolean, r4.Integer, r4.Decimal, r4.PositiveInt, r4.UnsignedInt:
			value = json.RawMessage(a.Value)
		}
	}
	if inside := x.members(start, typ); len(inside) > 0 {
		twin = inside
	}
	return value, twin
}

// with adds an element, as a list where it repeats.
func (o object) with(name string, value, twin any, list bool) object {
	add := func(name string, v any) {
		if !list {
			o = append(o, member{name, v})
			return
		}
		for i := range o {
			if o[i].name == name {
				o[i].value = append(o[i].value.([]any), v)
				return
			}
		}
		o = append(o, member{name, []any{v}})
	}
	if value != nil {
		add(name, value)
	}
	if twin != nil {
		add("_"+name, twin)
	}
	return o
}
