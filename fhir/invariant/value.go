package invariant

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// value is an item of a collection: a node of the document, or what was computed.
type value struct {
	node   fhir.Node
	kind   fhir.Kind // of a computed value: True, False, Number, String; 0: the node's
	text   []byte
	number float64
}

func nodeValue(n fhir.Node) value { return value{node: n} }
func numberValue(f float64) value { return value{kind: fhir.Number, number: f} }
func boolValue(b bool) value {
	if b {
		return value{kind: fhir.True}
	}
	return value{kind: fhir.False}
}

// kindOf is the JSON kind of what v is.
func (v *value) kindOf() fhir.Kind {
	if v.kind != 0 {
		return v.kind
	}
	return v.node.Kind()
}

// primitive reports whether v has a value of its own.
func (v *value) primitive() bool {
	k := v.kindOf()
	return k == fhir.True || k == fhir.False || k == fhir.Number || k == fhir.String
}

// textOf is the text of a string, or the number as written; buf is used where escapes must be decoded.
func (v *value) textOf(buf *[]byte) []byte {
	if v.kind == fhir.Number {
		return strconv.AppendFloat(nil, v.number, 'f', -1, 64)
	}
	if v.kind != 0 {
		return v.text
	}
	if v.node.Escaped() {
		*buf = v.node.AppendText((*buf)[:0])
		return *buf
	}
	return v.node.Text()
}

// numberOf is the value as a number.
func (v *value) numberOf() (float64, bool) {
	if v.kind == fhir.Number {
		return v.number, true
	}
	if v.kindOf() != fhir.Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v.node.Raw()), 64)
	return f, err == nil
}

// verdict is the outcome of a condition.
type verdict uint8

const (
	unknown verdict = iota // the data cannot decide: an empty collection
	no
	yes
)

func verdictOf(b bool) verdict {
	if b {
		return yes
	}
	return no
}

func (t verdict) not() verdict {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

func and(a, b verdict) verdict {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unknown
}

func or(a, b verdict) verdict { return and(a.not(), b.not()).not() }

// matcher is a compiled regular expression that must match the whole text, as HL7's own engine has it.
type matcher struct{ re *regexp.Regexp }

func compileMatch(pattern string) (matcher, error) {
	re, err := regexp.Compile("(?s)^(?:" + pattern + ")$")
	return matcher{re}, err
}

// members appends the children of this name to dst: those of arrays one by one, a choice under any of its names, and a
// primitive that only has extensions as the object that holds them.
func members(dst []value, n fhir.Node, name string, choice bool) []value {
	if n.Kind() != fhir.Object {
		return dst
	}
	found := false
	var bare fhir.Node
	for c := n.First(); c.Exists(); c = c.Next() {
		key := c.Key()
		if c.KeyEscaped() {
			key = c.AppendKey(nil)
		}
		if len(key) < len(name) {
			continue
		}
		if key[0] == '_' && len(key) > len(name) && named(key[1:], name, choice) {
			bare = c
			continue
		}
		if named(key, name, choice) {
			dst = expand(dst, c)
			found = true
		}
	}
	if !found && bare.Exists() {
		dst = expand(dst, bare)
	}
	return dst
}

// named reports whether the key is the name, or that of a choice with a type behind it.
func named(key []byte, name string, choice bool) bool {
	if len(key) == len(name) {
		return string(key) == name
	}
	return choice && string(key[:len(name)]) == name && choiceSuffix(key[len(name):])
}

// choices are the names of the elements that are a choice somewhere, without [x].
var choices = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	seen := map[*r4.Structure]bool{}
	var walk func(s *r4.Structure)
	walk = func(s *r4.Structure) {
		if seen[s] {
			return
		}
		seen[s] = true
		for i := range s.Elements {
			e := &s.Elements[i]
			if e.Choice {
				names[strings.TrimSuffix(e.Name, "[x]")] = true
			}
			for _, f := range e.Fields {
				walk(f.Type)
			}
		}
	}
	for _, name := range r4.Types() {
		walk(r4.StructureOf(name))
	}
	return names
})

// choiceSuffix reports whether text is the name of a data type as a choice writes it: Quantity, DateTime.
func choiceSuffix(text []byte) bool {
	if text[0] < 'A' || text[0] > 'Z' || len(text) > 32 {
		return false
	}
	if s := r4.StructureOf(string(text)); s != nil && s.Kind == r4.KindComplex {
		return true
	}
	var low [32]byte
	n := copy(low[:], text)
	low[0] |= 0x20
	s := r4.StructureOf(string(low[:n]))
	return s != nil && s.Kind == r4.KindPrimitive
}

func expand(dst []value, n fhir.Node) []value {
	if n.Kind() != fhir.Array {
		return append(dst, nodeValue(n))
	}
	for c := n.First(); c.Exists(); c = c.Next() {
		dst = append(dst, nodeValue(c))
	}
	return dst
}

// equal compares two items (FHIRPath section 6.1.1); known is false where the data cannot decide.
func (v *Evaluator) equal(a, b *value) (equal, known bool) {
	ka, kb := a.kindOf(), b.kindOf()
	switch {
	case ka == fhir.Number && kb == fhir.Number:
		x, okX := a.numberOf()
		y, okY := b.numberOf()
		return x == y, okX && okY
	case ka != kb:
		return false, true
	case ka == fhir.String:
		return bytes.Equal(a.textOf(&v.left), b.textOf(&v.right)), true
	case ka == fhir.Object:
		return sameTree(a.node, b.node), true
	}
	return true, true
}

// sameTree compares objects member by member, whatever their order.
func sameTree(a, b fhir.Node) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case fhir.Object:
		count := 0
		for c := a.First(); c.Exists(); c = c.Next() {
			other := b.First()
			for name := string(c.AppendKey(nil)); other.Exists() && !other.KeyIs(name); {
				other = other.Next()
			}
			if !other.Exists() || !sameTree(c, other) {
				return false
			}
			count++
		}
		return count == b.Count()
	case fhir.Array:
		c, d := a.First(), b.First()
		for ; c.Exists() && d.Exists(); c, d = c.Next(), d.Next() {
			if !sameTree(c, d) {
				return false
			}
		}
		return !c.Exists() && !d.Exists()
	}
	return bytes.Equal(a.Raw(), b.Raw())
}
