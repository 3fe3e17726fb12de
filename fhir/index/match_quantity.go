package index

import (
	"bytes"
	"math/big"
	"slices"

	"tarn/fhir"
)

// ucum is the code system of units (http://unitsofmeasure.org).
const ucum = "http://unitsofmeasure.org"

// quantity compiles number, number|system|code and number||code.
func (s *subject) quantity(value string) ([]piece, error) {
	parts := divide(value, '|')
	if len(parts) != 1 && len(parts) != 3 {
		return nil, s.refuse(fhir.CodeValue, "has the value %s where number, number|system|code or number||code is needed", quote(value))
	}
	op, text, err := s.compared(unescape(parts[0]))
	if err != nil {
		return nil, err
	}
	b, err := s.bounds(op, text, value)
	if err != nil {
		return nil, err
	}
	want := units{any: true}
	if len(parts) == 3 {
		want = unitsAsked(unescape(parts[1]), unescape(parts[2]))
		want.prepare(b)
	}
	all := s.points(b, want)
	e := b.edges()
	return append(all, beginning([]byte{formInterval}, func(v []byte, cut bool) Verdict {
		low, rest, ok := cutDecimal(v[1:])
		if !ok {
			return unknown(cut)
		}
		high, rest, ok := cutDecimal(rest)
		if !ok {
			return unknown(cut)
		}
		return want.judge(b, e, low, high, rest, cut)
	})), nil
}

// points are the pieces for single numbers: in the unit asked for, and in each that can be converted to it.
func (s *subject) points(b bounds, want units) []piece {
	e := b.edges()
	test := func(v []byte, cut bool) Verdict {
		number, rest, ok := cutDecimal(v[1:])
		if !ok {
			return unknown(cut)
		}
		return want.judge(b, e, number, number, rest, cut)
	}
	if want.any {
		return pointPieces(e, nil)
	}
	all := pointPieces(e, test)
	if want.unit == nil {
		return all
	}
	for _, u := range want.unit.alike() {
		in := bounds{b.op, u.from(want.unit.base(b.low)), u.from(want.unit.base(b.high)), b.closed}
		other := in.edges()
		switch b.op { // a bound that was rounded must not leave out what matches
		case unequal:
			return []piece{beginning([]byte{formPoint}, test)}
		case greater, atLeast, startsAt:
			other.op = atLeast
		case less, atMost, endsAt:
			other.op, other.point = less, other.high
		}
		all = append(all, pointPieces(other, test)...)
	}
	return merged(all, test)
}

// merged joins pieces that overlap; all have the same test.
func merged(all []piece, test func([]byte, bool) Verdict) (joined []piece) {
	slices.SortFunc(all, func(a, b piece) int { return bytes.Compare(a.from, b.from) })
	for _, p := range all {
		if n := len(joined); n > 0 && bytes.Compare(p.from, joined[n-1].to) <= 0 {
			joined[n-1].to = later(joined[n-1].to, p.to)
			continue
		}
		joined = append(joined, piece{p.from, p.to, test})
	}
	return joined
}

// units are the units that a search asks for.
type units struct {
	any          bool
	system, code []byte
	unit         *measure         // of the table, if it is one of UCUM's
	edges        map[string]edges // what the bounds are in the units of other codes, where that is a short decimal
}

// prepare works out the bounds in the units that can be converted, so that most numbers are compared as bytes.
func (u *units) prepare(b bounds) {
	if u.unit == nil {
		return
	}
	u.edges = map[string]edges{}
	for _, o := range u.unit.alike() {
		in := bounds{b.op, o.from(u.unit.base(b.low)), o.from(u.unit.base(b.high)), b.closed}
		if short(in.low) && short(in.high) {
			u.edges[o.code] = in.edges()
		}
	}
}

// short reports whether a fraction is a decimal of few digits.
func short(r *big.Rat) bool {
	digits, exact := r.FloatPrec()
	return exact && digits < 100
}

func unitsAsked(system, code string) units {
	u := units{any: system == "" && code == "", system: appendClean(nil, system), code: appendClean(nil, code)}
	if system == ucum {
		u.unit = unitOf(code)
	}
	return u
}

// judge compares an interval in the unit that rest tells.
func (u *units) judge(b bounds, e edges, low, high, rest []byte, cut bool) Verdict {
	if u.any {
		return yes(e.holds(low, high))
	}
	system, rest, ok := bytes.Cut(rest, []byte{sep})
	code, unit, ok2 := bytes.Cut(rest, []byte{sep})
	if !ok || !ok2 {
		return unknown(cut)
	}
	switch {
	case len(u.system) == 0: // number||code: the code or what is written as the unit
		if !bytes.Equal(code, u.code) {
			if v := same(unit, u.code, cut); v != Yes {
				return v
			}
		}
	case !bytes.Equal(system, u.system):
		return No
	case len(u.code) == 0 || bytes.Equal(code, u.code):
	default:
		if u.unit == nil {
			return No
		}
		if in, ok := u.edges[string(code)]; ok {
			return yes(in.holds(low, high))
		}
		have := unitOf(string(code))
		if have == nil || have.dimension != u.unit.dimension {
			return No
		}
		return yes(u.unit.holds(b, have.converted(low), have.converted(high)))
	}
	return yes(e.holds(low, high))
}

// converted is an encoded number in the base of the unit's dimension, and beside it if it was; nil for an open end.
func (u *measure) converted(number []byte) *ending {
	r := rational(number)
	if r == nil {
		return nil
	}
	last := number[len(number)-1]
	if number[0] == signNegative {
		last ^= 0xff
		last = endBelow + endAbove - last
	}
	return &ending{u.base(r), int(last) - endAt}
}

// ending is an end of an interval: the number itself, or what is just below or above it.
type ending struct {
	at   *big.Rat
	side int
}

// compare compares an end with a number, or with what is just beside it.
func (e *ending) compare(r *big.Rat, side int) int {
	if c := e.at.Cmp(r); c != 0 {
		return c
	}
	return e.side - side
}

// holds is edges.holds for ends in the base of the dimension; nil ends are open.
func (u *measure) holds(b bounds, low, high *ending) bool {
	from, to := u.base(b.low), u.base(b.high)
	side := 0
	if b.closed {
		side = 1
	}
	lowBelow := func(r *big.Rat, side int) bool { return low == nil || low.compare(r, side) < 0 }
	highBelow := func(r *big.Rat, side int) bool { return high != nil && high.compare(r, side) < 0 }
	switch b.op {
	case equal:
		return !lowBelow(from, 0) && highBelow(to, side)
	case unequal:
		return lowBelow(from, 0) || !highBelow(to, side)
	case greater:
		return !highBelow(from, 1)
	case atLeast:
		return !highBelow(from, 0)
	case less:
		return lowBelow(from, 0)
	case atMost:
		return lowBelow(from, 1)
	case startsAt:
		return !lowBelow(from, 1)
	case endsAt:
		return highBelow(from, 0)
	}
	return !highBelow(from, 0) && lowBelow(to, side)
}
