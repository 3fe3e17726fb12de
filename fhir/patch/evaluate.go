package patch

import (
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// thing is what an expression gives: an element of the resource, or a literal.
type thing struct {
	place   *place
	literal literalKind
	text    string
}

type literalKind uint8

const (
	literalText literalKind = iota + 1
	literalNumber
	literalBoolean
)

func boolean(b bool) []thing {
	if b {
		return []thing{{literal: literalBoolean, text: "true"}}
	}
	return []thing{{literal: literalBoolean, text: "false"}}
}

// scalar is a literal, or the value of a primitive element, as a literal; ok is false for anything else.
func (t thing) scalar() (thing, bool) {
	if t.place == nil {
		return t, true
	}
	v := t.place.value
	if v == nil || !t.place.primitive() {
		return t, false
	}
	switch v.kind() {
	case fhir.String:
		return thing{literal: literalText, text: v.text()}, true
	case fhir.Number:
		return thing{literal: literalNumber, text: string(v.raw())}, true
	case fhir.True, fhir.False:
		return thing{literal: literalBoolean, text: string(v.raw())}, true
	}
	return t, false
}

func (l literal) eval(*editor, thing) ([]thing, error) { return []thing{l.thing}, nil }

// holds reports whether a condition is true; nothing counts as false, and anything that is no boolean as true.
func holds(e *editor, x expression, on thing) (bool, error) {
	found, err := x.eval(e, on)
	if err != nil || len(found) == 0 {
		return false, err
	}
	if s, ok := found[0].scalar(); ok && len(found) == 1 && s.literal == literalBoolean {
		return s.text == "true", nil
	}
	return true, nil
}

func (l logic) eval(e *editor, on thing) ([]thing, error) {
	left, err := holds(e, l.left, on)
	if err != nil {
		return nil, err
	}
	if left == l.or {
		return boolean(left), nil
	}
	right, err := holds(e, l.right, on)
	return boolean(right), err
}

func (c comparison) eval(e *editor, on thing) ([]thing, error) {
	left, err := c.left.eval(e, on)
	if err != nil {
		return nil, err
	}
	right, err := c.right.eval(e, on)
	if err != nil || (len(left) == 0 || len(right) == 0) && !c.loose {
		return nil, err
	}
	same := len(left) == len(right)
	for i := 0; same && i < len(left); i++ {
		if same, err = alike(e, left[i], right[i], c.loose); err != nil {
			return nil, err
		}
	}
	return boolean(same != c.not), nil
}

// alike compares two things; loosely, texts are equal whatever their case.
func alike(e *editor, a, b thing, loose bool) (bool, error) {
	if err := e.spend(1 + len(a.text) + len(b.text)); err != nil {
		return false, err
	}
	x, xok := a.scalar()
	y, yok := b.scalar()
	switch {
	case xok != yok:
		return false, nil
	case !xok:
		if a.place == nil || b.place == nil || a.place.value == nil || b.place.value == nil {
			return false, nil
		}
		return e.equal(a.place.value, b.place.value)
	case x.literal != y.literal:
		return false, nil
	case x.literal == literalNumber:
		return sameNumber([]byte(x.text), []byte(y.text)), nil
	case loose:
		return strings.EqualFold(x.text, y.text), nil
	}
	return x.text == y.text, nil
}

func (s steps) eval(e *editor, on thing) ([]thing, error) {
	found := []thing{on}
	for i := range s {
		var err error
		if found, err = s[i].eval(e, found, i == 0); err != nil {
			return nil, err
		}
		if err := e.spend(1 + len(found)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// eval is a step from all elements of a collection.
func (s *step) eval(e *editor, on []thing, first bool) ([]thing, error) {
	switch {
	case s.member != "":
		return s.into(e, on, first)
	case s.function == "":
		return part(on, s.index, s.index+1), nil
	}
	return s.call(e, on)
}

// part are the elements from (included) to (excluded), as far as they are there.
func part(on []thing, from, to int) []thing {
	from = min(max(from, 0), len(on))
	return on[from:min(max(to, from), len(on))]
}

// into goes to a member. The first step may also be the type of the resource.
func (s *step) into(e *editor, on []thing, first bool) ([]thing, error) {
	if first && len(on) == 1 && on[0].place != nil && s.member[0] >= 'A' && s.member[0] <= 'Z' {
		switch typ := on[0].place.typ; {
		case s.member == typ.Name, typ.Kind == r4.KindResource && (s.member == "Resource" || s.member == "DomainResource"):
			return on, nil
		default:
			return nil, cannot("the path begins with %s, what it is applied to is %s", shown(s.member), typ.Name)
		}
	}
	var all []thing
	for _, t := range on {
		if t.place == nil {
			return nil, cannot("a literal has no elements")
		}
		found, err := t.place.children(e, s.member)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = found
		} else {
			all = append(all, found...)
		}
	}
	return all, nil
}
