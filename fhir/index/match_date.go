package index

import (
	"math"
	"time"

	"tarn/fhir"
)

// date compiles a value of a date parameter (http://hl7.org/fhir/R4/search.html#date). Both sides are stretches of time.
func (s *subject) date(value string) ([]piece, error) {
	op, text, err := s.compared(unescape(value))
	if err != nil {
		return nil, err
	}
	want, ok := parseDate([]byte(text))
	if !ok {
		return nil, s.refuse(fhir.CodeValue, "has the value %s, which is no date; write it like 2026, 2026-01, 2026-01-31 or 2026-01-31T13:45:00Z", quote(value))
	}
	if op == about {
		want = s.about(want)
	}
	var all []piece
	for class := range classes {
		all = append(all, datePieces(class, op, want)...)
	}
	return all, nil
}

// about widens a stretch by a tenth of how far it lies from now.
func (s *subject) about(want span) span {
	now := s.env.Now
	if now.IsZero() {
		now = time.Now()
	}
	at := now.UnixMilli() + int64(dayNumber(1970, 1, 1))*day
	gap := int64(0)
	switch {
	case at < want.from:
		gap = want.from - at
	case at > want.to:
		gap = at - want.to
	}
	return span{max(0, want.from-gap/10), want.to + gap/10}
}

// datePieces are the pieces of one class. With long enough stretches nothing but their begins must be looked at.
func datePieces(class int, op comparator, want span) []piece {
	form := byte(formDate + class)
	at := func(t int64) []byte { return appendTime([]byte{form}, t) }
	first, end := []byte{form}, []byte{form + 1}
	longest := classes[class]
	test := func(ok func(have span) bool) func([]byte, bool) Verdict {
		return func(v []byte, _ bool) Verdict {
			have, whole := readSpan(v[1:])
			return yes(whole && ok(have))
		}
	}
	back := func(t int64) []byte { // where stretches begin that may go on until t
		if longest > t || longest == never {
			return first
		}
		return at(t - longest)
	}
	switch op {
	case equal:
		return []piece{{at(want.from), at(want.to), test(func(have span) bool { return have.to <= want.to })}}
	case unequal:
		return []piece{{first, end, test(func(have span) bool { return have.from < want.from || have.to > want.to })}}
	case greater:
		return []piece{{back(want.to), end, test(func(have span) bool { return have.to > want.to })}}
	case atLeast:
		return []piece{
			{back(want.to), at(want.from), test(func(have span) bool { return have.to > want.to })},
			{from: at(want.from), to: end},
		}
	case less:
		return []piece{{from: first, to: at(want.from)}}
	case atMost:
		return []piece{
			{from: first, to: at(want.from)},
			{at(want.from), at(want.to), test(func(have span) bool { return have.to <= want.to })},
		}
	case startsAt:
		return []piece{{from: at(want.to), to: end}}
	case endsAt:
		return []piece{{first, at(min(want.from, math.MaxInt64-1) + 1), test(func(have span) bool { return have.to <= want.from })}}
	}
	return []piece{{back(want.from), at(want.to), test(func(have span) bool { return have.to > want.from && have.from < want.to })}}
}
