package patch

import (
	"bytes"
	"strconv"

	"tarn/fhir"
)

// equal reports whether two values are the same JSON (RFC 6902 section 4.6): numbers by their value, objects whatever
// the order of their members.
func (e *editor) equal(a, b *value) (bool, error) {
	if err := e.spend(1); err != nil {
		return false, err
	}
	if a.kind() != b.kind() {
		return false, nil
	}
	switch a.kind() {
	case fhir.String:
		if bytes.Equal(a.raw(), b.raw()) {
			return true, nil
		}
		return a.text() == b.text(), nil
	case fhir.Number:
		return sameNumber(a.raw(), b.raw()), nil
	case fhir.Object, fhir.Array:
		return e.sameChildren(a, b)
	}
	return true, nil
}

func (e *editor) sameChildren(a, b *value) (bool, error) {
	left, err := e.open(a)
	if err != nil {
		return false, err
	}
	right, err := e.open(b)
	if err != nil || len(left.kids) != len(right.kids) {
		return false, err
	}
	var others map[string]*value
	if left.kind == fhir.Object {
		others = make(map[string]*value, len(right.kids))
		for _, kid := range right.kids {
			others[string(kid.name.text)] = kid
		}
	}
	for i, kid := range left.kids {
		other := right.kids[i]
		if others != nil {
			if other = others[string(kid.name.text)]; other == nil {
				return false, nil
			}
		}
		if same, err := e.equal(kid, other); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

// sameNumber reports whether two JSON numbers have the same value, however long they are.
func sameNumber(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, ok := numberOf(a)
	y, fine := numberOf(b)
	return ok && fine && x.negative == y.negative && x.exponent == y.exponent && bytes.Equal(x.digits, y.digits)
}

// number is 0.digits times ten to the exponent; digits begin and end with none of 0. Zero has no digits.
type number struct {
	negative bool
	digits   []byte
	exponent int
}

// numberOf reads a JSON number; ok is false where its exponent is beyond all bounds.
func numberOf(raw []byte) (n number, ok bool) {
	if raw[0] == '-' {
		n.negative, raw = true, raw[1:]
	}
	if at := bytes.IndexAny(raw, "eE"); at >= 0 {
		exponent, err := strconv.ParseInt(string(raw[at+1:]), 10, 32)
		if err != nil {
			return n, false
		}
		n.exponent, raw = int(exponent), raw[:at]
	}
	whole, fraction, _ := bytes.Cut(raw, []byte{'.'})
	n.exponent += len(whole)
	n.digits = append(append(make([]byte, 0, len(raw)), whole...), fraction...)
	trimmed := bytes.TrimLeft(n.digits, "0")
	n.exponent -= len(n.digits) - len(trimmed)
	if n.digits = bytes.TrimRight(trimmed, "0"); len(n.digits) == 0 {
		return number{}, true
	}
	return n, true
}
