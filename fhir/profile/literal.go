package profile

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"tarn/fhir"
)

// literal is a value that a profile gives: of fixed[x], pattern[x], minValue[x] or maxValue[x].
type literal struct {
	kind    fhir.Kind
	text    string // of a string decoded, of a number as written
	names   []string
	members []literal // of an object (with names) or an array
}

func newLiteral(n fhir.Node) *literal {
	l := copyLiteral(n)
	return &l
}

func copyLiteral(n fhir.Node) literal {
	l := literal{kind: n.Kind()}
	switch l.kind {
	case fhir.String, fhir.Number:
		l.text = string(n.AppendText(nil))
	case fhir.Object, fhir.Array:
		for m := range n.Children() {
			if l.kind == fhir.Object {
				l.names = append(l.names, string(m.AppendKey(nil)))
			}
			l.members = append(l.members, copyLiteral(m))
		}
	}
	return l
}

// member is the member of an object; nil where there is none.
func (l *literal) member(name string) *literal {
	for i, have := range l.names {
		if have == name {
			return &l.members[i]
		}
	}
	return nil
}

func (l *literal) equal(o *literal) bool {
	if l == nil || o == nil {
		return l == o
	}
	if l.kind != o.kind || l.text != o.text || len(l.members) != len(o.members) {
		return false
	}
	for i := range l.members {
		if len(l.names) > 0 && l.names[i] != o.names[i] || !l.members[i].equal(&o.members[i]) {
			return false
		}
	}
	return true
}

// isExactly reports whether n is this value, nothing more and nothing less (fixed[x]). Members may stand in any order.
func (l *literal) isExactly(n fhir.Node) bool {
	if l.kind != n.Kind() {
		return false
	}
	switch l.kind {
	case fhir.Object:
		count := 0
		for m := n.First(); m.Exists(); m = m.Next() {
			count++
			want := l.memberAt(m)
			if want == nil || !want.isExactly(m) {
				return false
			}
		}
		return count == len(l.members)
	case fhir.Array:
		i := 0
		for m := n.First(); m.Exists(); m = m.Next() {
			if i == len(l.members) || !l.members[i].isExactly(m) {
				return false
			}
			i++
		}
		return i == len(l.members)
	}
	return l.sameScalar(n)
}

// isWithin reports whether n has all that this value has (pattern[x]): of an object each member, of an array each item
// somewhere.
func (l *literal) isWithin(n fhir.Node) bool {
	if l.kind != n.Kind() {
		return false
	}
	switch l.kind {
	case fhir.Object:
		for i := range l.members {
			if m := n.Member(l.names[i]); !m.Exists() || !l.members[i].isWithin(m) {
				return false
			}
		}
		return true
	case fhir.Array:
		for i := range l.members {
			found := false
			for m := n.First(); m.Exists() && !found; m = m.Next() {
				found = l.members[i].isWithin(m)
			}
			if !found {
				return false
			}
		}
		return true
	}
	return l.sameScalar(n)
}

func (l *literal) memberAt(m fhir.Node) *literal {
	for i, name := range l.names {
		if m.KeyIs(name) {
			return &l.members[i]
		}
	}
	return nil
}

func (l *literal) sameScalar(n fhir.Node) bool {
	switch l.kind {
	case fhir.String:
		return n.Is(l.text)
	case fhir.Number:
		return string(n.Text()) == l.text || sameNumber(string(n.Text()), l.text)
	}
	return true // null, true and false are their kind
}

// sameNumber compares what is written differently: 1.0 and 1.
func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// compare orders n and the literal: below 0 where n is less. It cannot tell of unlike kinds, units or precisions.
func (l *literal) compare(n fhir.Node) (order int, ok bool) {
	switch {
	case l.kind == fhir.Number && n.Kind() == fhir.Number:
		x, errX := strconv.ParseFloat(string(n.Text()), 64)
		y, errY := strconv.ParseFloat(l.text, 64)
		if errX != nil || errY != nil {
			return 0, false
		}
		return compareFloats(x, y), true
	case l.kind == fhir.String && n.Kind() == fhir.String: // dates and times of one precision and zone sort as text
		have := string(n.AppendText(nil))
		length := min(len(have), len(l.text))
		if strings.ContainsAny(have+l.text, "+Z") && (len(have) != len(l.text) || have[max(0, length-6):] != l.text[max(0, length-6):]) {
			length = min(length, len("2006-01-02"))
		}
		order := strings.Compare(have[:length], l.text[:length])
		return order, order != 0 || len(have) == len(l.text)
	case l.kind == fhir.Object && n.Kind() == fhir.Object: // quantities of one unit
		value, code := l.member("value"), l.member("code")
		if value == nil || !n.Member("value").Exists() || code != nil && !n.Member("code").Is(code.text) {
			return 0, false
		}
		return value.compare(n.Member("value"))
	}
	return 0, false
}

func compareFloats(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// brief shows the literal in a message.
func (l *literal) brief() string {
	var b bytes.Buffer
	l.write(&b)
	s := b.String()
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "..."
	}
	return s
}

func (l *literal) write(b *bytes.Buffer) {
	switch l.kind {
	case fhir.String:
		b.WriteString(strconv.Quote(l.text))
	case fhir.Number:
		b.WriteString(l.text)
	case fhir.Object, fhir.Array:
		opening, closing := byte('['), byte(']')
		if l.kind == fhir.Object {
			opening, closing = '{', '}'
		}
		b.WriteByte(opening)
		for i := range l.members {
			if i > 0 {
				b.WriteString(", ")
			}
			if l.kind == fhir.Object {
				b.WriteString(l.names[i] + ": ")
			}
			l.members[i].write(b)
		}
		b.WriteByte(closing)
	default:
		b.WriteString(l.kind.String())
	}
}

// length is how many characters a string has.
func length(n fhir.Node) int {
	if n.Escaped() {
		return utf8.RuneCount(n.AppendText(nil))
	}
	return utf8.RuneCount(n.Text())
}
