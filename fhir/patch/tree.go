package patch

import (
	"bytes"

	"tarn/fhir"
)

// value is one JSON value of the document under change. It is a node of a tape, untouched, until it is opened: then its
// children are values of their own.
type value struct {
	name *name     // of a member of an object; else nil
	node fhir.Node // as it was given
	made *made     // what it is now; nil while it is as it was given
}

// name is the name of a member: as it stands between the quotes, and without escapes.
type name struct{ raw, text []byte }

// made is a value that was opened or made here.
type made struct {
	kind fhir.Kind
	raw  []byte   // of what is neither object nor array
	kids []*value // of an object or array
}

// given is a new value that stands for a node.
func given(n fhir.Node) *value { return &value{node: n} }

// scalar is a new value of these bytes, a string, number, boolean or null.
func scalar(kind fhir.Kind, raw []byte) *value { return &value{made: &made{kind: kind, raw: raw}} }

func container(kind fhir.Kind) *value { return &value{made: &made{kind: kind}} }

// null is a new null, as the lists of primitive values hold.
func null() *value { return scalar(fhir.Null, []byte("null")) }

// named gives a value the name of a member.
func named(text string, v *value) *value {
	quoted := fhir.AppendString(nil, text)
	v.name = &name{raw: quoted[1 : len(quoted)-1], text: []byte(text)}
	return v
}

func (v *value) kind() fhir.Kind {
	if v.made != nil {
		return v.made.kind
	}
	return v.node.Kind()
}

// open makes the children values of their own.
func (v *value) open() *made {
	if v.made != nil {
		return v.made
	}
	kind := v.node.Kind()
	m := &made{kind: kind}
	v.made = m
	if kind != fhir.Object && kind != fhir.Array {
		m.raw = v.node.Raw()
		return m
	}
	n := v.node.Count()
	all := make([]value, n)
	m.kids = make([]*value, n)
	var names []name
	if kind == fhir.Object {
		names = make([]name, n)
	}
	i := 0
	for child := v.node.First(); child.Exists(); child = child.Next() {
		all[i].node = child
		if names != nil {
			names[i].raw, names[i].text = child.Key(), child.Key()
			if child.KeyEscaped() {
				names[i].text = child.AppendKey(nil)
			}
			all[i].name = &names[i]
		}
		m.kids[i] = &all[i]
		i++
	}
	return m
}

// at is the index of the member of this name, or -1.
func (m *made) at(text string) int {
	for i, kid := range m.kids {
		if string(kid.name.text) == text {
			return i
		}
	}
	return -1
}

// member is the member of this name of an object, or nil.
func (m *made) member(text string) *value {
	if i := m.at(text); i >= 0 {
		return m.kids[i]
	}
	return nil
}

func (m *made) insert(at int, v *value) {
	m.kids = append(m.kids, nil)
	copy(m.kids[at+1:], m.kids[at:])
	m.kids[at] = v
}

func (m *made) remove(at int) *value {
	v := m.kids[at]
	copy(m.kids[at:], m.kids[at+1:])
	m.kids[len(m.kids)-1] = nil
	m.kids = m.kids[:len(m.kids)-1]
	return v
}

// append appends the value's JSON.
func (v *value) append(dst []byte) []byte {
	if v.made == nil {
		return append(dst, v.node.Raw()...)
	}
	switch v.made.kind {
	case fhir.Object:
		dst = append(dst, '{')
		for i, kid := range v.made.kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, '"'), kid.name.raw...), '"', ':')
			dst = kid.append(dst)
		}
		return append(dst, '}')
	case fhir.Array:
		dst = append(dst, '[')
		for i, kid := range v.made.kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = kid.append(dst)
		}
		return append(dst, ']')
	}
	return append(dst, v.made.raw...)
}

// clone is a copy that shares nothing that can change.
func (v *value) clone() *value {
	c := &value{name: v.name, node: v.node}
	if m := v.made; m != nil {
		c.made = &made{kind: m.kind, raw: m.raw}
		for _, kid := range m.kids {
			c.made.kids = append(c.made.kids, kid.clone())
		}
	}
	return c
}

// text is what a string says.
func (v *value) text() string {
	if v.made == nil {
		return string(v.node.AppendText(nil))
	}
	if bytes.IndexByte(v.made.raw, '\\') < 0 {
		return string(v.made.raw[1 : len(v.made.raw)-1])
	}
	doc, err := fhir.NewParser(fhir.Limits{}).Scan(v.made.raw)
	if err != nil {
		return ""
	}
	return string(doc.Root().AppendText(nil))
}

// raw is the text of a value that is neither object nor array.
func (v *value) raw() []byte {
	if v.made != nil {
		return v.made.raw
	}
	return v.node.Raw()
}
