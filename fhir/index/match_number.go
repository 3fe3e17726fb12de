package index

import (
	"bytes"
	"math/big"

	"tarn/fhir"
)

// bounds are what a number of a search stands for: itself for most comparators, and for eq, ne and ap the interval
// low <= x < high, or with closed low <= x <= high.
type bounds struct {
	op        comparator
	low, high *big.Rat
	closed    bool
}

// bounds reads a number. Its precision is that of the digits: 100 is everything from 99.5 up to 100.5, 100.00 up to
// 100.005, and, as the standard has it, 1e2 from 95 up to 105 (http://hl7.org/fhir/R4/search.html#number).
func (s *subject) bounds(op comparator, text, value string) (b bounds, err error) {
	d, ok := parseDecimal([]byte(text))
	if !ok {
		return b, s.refuse(fhir.CodeValue, "has the value %s, which is no number", quote(value))
	}
	exact := d.rat()
	b = bounds{op: op, low: exact, high: exact, closed: true}
	if op != equal && op != unequal && op != about {
		return b, nil
	}
	places := d.places - 1
	if d.power {
		places--
	}
	half := new(big.Rat).Mul(big.NewRat(5, 1), pow10(places))
	b.low, b.high, b.closed = new(big.Rat).Sub(exact, half), new(big.Rat).Add(exact, half), false
	if op == about {
		tenth := new(big.Rat).Mul(new(big.Rat).Abs(exact), big.NewRat(1, 10))
		if tenth.Cmp(half) >= 0 {
			b.low, b.high, b.closed = new(big.Rat).Sub(exact, tenth), new(big.Rat).Add(exact, tenth), true
		}
	}
	return b, nil
}

// edges are the encoded ends of bounds; what is no short decimal is rounded outwards.
type edges struct {
	op        comparator
	low, high []byte // a value x is within if low <= x < high
	point     []byte // of the other comparators
}

func (b bounds) edges() edges {
	e := edges{op: b.op}
	end := byte(endAt)
	if b.closed {
		end = endAbove
	}
	e.low, e.high = appendRat(nil, b.low, false, endAt), appendRat(nil, b.high, true, end)
	e.point = e.low
	return e
}

// holds reports whether an interval low <= x <= high matches; a number is an interval with two equal ends.
func (e *edges) holds(low, high []byte) bool {
	switch e.op {
	case equal:
		return bytes.Compare(low, e.low) >= 0 && bytes.Compare(high, e.high) < 0
	case unequal:
		return bytes.Compare(low, e.low) < 0 || bytes.Compare(high, e.high) >= 0
	case greater:
		return bytes.Compare(high, e.point) > 0
	case atLeast:
		return bytes.Compare(high, e.point) >= 0
	case less:
		return bytes.Compare(low, e.point) < 0
	case atMost:
		return bytes.Compare(low, e.point) <= 0
	case startsAt:
		return bytes.Compare(low, e.point) > 0
	case endsAt:
		return bytes.Compare(high, e.point) < 0
	}
	return bytes.Compare(high, e.low) >= 0 && bytes.Compare(low, e.high) < 0
}

// points are the ranges of encoded numbers that match: from <= x < to; nil ends are open.
func (e *edges) points() [][2][]byte {
	past := bytes.Clone(e.point) // above the number itself
	past = append(past[:len(past)-1], nextEnd(past))
	switch e.op {
	case unequal:
		return [][2][]byte{{nil, e.low}, {e.high, nil}}
	case greater, startsAt:
		return [][2][]byte{{past, nil}}
	case atLeast:
		return [][2][]byte{{e.point, nil}}
	case less, endsAt:
		return [][2][]byte{{nil, e.point}}
	case atMost:
		return [][2][]byte{{nil, past}}
	}
	return [][2][]byte{{e.low, e.high}}
}

// nextEnd is the last byte of what is just above an encoded number.
func nextEnd(number []byte) byte { return number[len(number)-1] + 1 }

// number compiles a value of a number parameter.
func (s *subject) number(value string) ([]piece, error) {
	op, text, err := s.compared(unescape(value))
	if err != nil {
		return nil, err
	}
	b, err := s.bounds(op, text, value)
	if err != nil {
		return nil, err
	}
	e := b.edges()
	all := pointPieces(e, nil)
	return append(all, beginning([]byte{formInterval}, intervalTest(func(low, high, _ []byte) bool { return e.holds(low, high) }))), nil
}

// pointPieces are the pieces for single numbers; test judges in addition.
func pointPieces(e edges, test func([]byte, bool) Verdict) (all []piece) {
	first, end := []byte{formPoint}, []byte{formPoint + 1}
	for _, r := range e.points() {
		p := piece{first, end, test}
		if r[0] != nil {
			p.from = append(bytes.Clone(first), r[0]...)
		}
		if r[1] != nil {
			p.to = append(bytes.Clone(first), r[1]...)
		}
		all = append(all, p)
	}
	return all
}

// intervalTest takes a value of the form interval apart.
func intervalTest(ok func(low, high, unit []byte) bool) func([]byte, bool) Verdict {
	return func(v []byte, cut bool) Verdict {
		low, rest, whole := cutDecimal(v[1:])
		if !whole {
			return unknown(cut)
		}
		high, rest, whole := cutDecimal(rest)
		if !whole {
			return unknown(cut)
		}
		return yes(ok(low, high, rest))
	}
}
