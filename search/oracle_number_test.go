package search_test

import (
	"encoding/json"
	"math/big"
	"strings"
)

// brink is a number, or what is just below (-1) or above (1) it; nil is the end of the line.
type brink struct {
	at   *big.Rat
	side int
}

func (a brink) compare(at *big.Rat, side int) int {
	if c := a.at.Cmp(at); c != 0 {
		return c
	}
	return a.side - side
}

// amount is a number of a resource, or a stretch of numbers: low <= x <= high.
type amount struct {
	low, high          *brink
	system, code, unit string
	of                 string // what it was read from
}

func rat(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	return ratOf(n.String())
}

func ratOf(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}

// amounts are what a number or quantity parameter reads of a thing.
func amounts(x thing) []amount {
	if r := rat(x.v); r != nil {
		return []amount{{low: &brink{r, 0}, high: &brink{r, 0}, of: "number"}}
	}
	m := object(x.v)
	a, r := amount{of: x.of.Name}, rat(m["value"])
	a.system, a.code, a.unit = str(m["system"]), str(m["code"]), str(m["unit"])
	switch x.of.Name {
	case "Money":
		if a.code = str(m["currency"]); a.code != "" {
			a.system = "urn:iso:std:iso:4217"
		}
	case "Range":
		return rangeOf(m)
	case "SampledData":
		return sampled(m)
	case "Quantity", "Age", "Duration", "Count", "Distance":
	default:
		return nil
	}
	if r == nil {
		return nil
	}
	a.low, a.high = &brink{r, 0}, &brink{r, 0}
	if c := str(m["comparator"]); c != "" {
		a.of = "comparator"
		switch c {
		case "<":
			a.low, a.high.side = nil, -1
		case "<=":
			a.low = nil
		case ">":
			a.high, a.low.side = nil, 1
		case ">=":
			a.high = nil
		}
	}
	return []amount{a}
}

func rangeOf(m map[string]any) []amount {
	low, high := object(m["low"]), object(m["high"])
	a, unit := amount{of: "Range"}, low
	if r := rat(low["value"]); r != nil {
		a.low = &brink{r, 0}
	} else {
		unit = high
	}
	if r := rat(high["value"]); r != nil {
		a.high = &brink{r, 0}
	}
	if a.low == nil && a.high == nil {
		return nil
	}
	a.system, a.code, a.unit = str(unit["system"]), str(unit["code"]), str(unit["unit"])
	return []amount{a}
}

// sampled is from the least to the greatest point.
func sampled(m map[string]any) []amount {
	origin := object(m["origin"])
	a := amount{of: "SampledData", system: str(origin["system"]), code: str(origin["code"]), unit: str(origin["unit"])}
	for _, point := range strings.Fields(str(m["data"])) {
		r := ratOf(point) // E, U and L are no numbers
		if r == nil {
			continue
		}
		if f := rat(m["factor"]); f != nil {
			r.Mul(r, f)
		}
		if zero := rat(origin["value"]); zero != nil {
			r.Add(r, zero)
		}
		if a.low == nil || r.Cmp(a.low.at) < 0 {
			a.low = &brink{r, 0}
		}
		if a.high == nil || r.Cmp(a.high.at) > 0 {
			a.high = &brink{r, 0}
		}
	}
	if a.low == nil {
		return nil
	}
	return []amount{a}
}

// sought is a number of a search: its precision is that of its digits (FHIR R4 section 3.1.1.4.6).
type sought struct {
	prefix          string
	at              *big.Rat
	low, high       *big.Rat // what eq, ne and ap stand for: low <= x < high
	closed          bool     // or low <= x <= high
	system, code    string
	anyUnit, byCode bool
}

func soughtOf(prefix, text string) sought {
	s := sought{prefix: prefix, at: ratOf(text)}
	half := big.NewRat(1, 2)
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if _, fraction, ok := strings.Cut(mantissa, "."); ok {
		half.Quo(half, ratOf("1e"+big.NewInt(int64(len(fraction))).String()))
	}
	if exponent != "" { // "1e2" is from 95 up to 105 in the standard: a digit more than is written
		half.Mul(half, ratOf("1e"+exponent))
		half.Quo(half, big.NewRat(10, 1))
	}
	if prefix == "ap" {
		tenth := new(big.Rat).Quo(new(big.Rat).Abs(s.at), big.NewRat(10, 1))
		if tenth.Cmp(half) >= 0 {
			half, s.closed = tenth, true
		}
	}
	s.low, s.high = new(big.Rat).Sub(s.at, half), new(big.Rat).Add(s.at, half)
	return s
}

// finds compares with an amount, units aside. The value of a search has no length but for eq, ne and ap; ge and le are
// true of what reaches it.
func (s sought) finds(a amount) bool {
	below := func(b *brink, at *big.Rat, side int) bool { return b == nil || b.compare(at, side) < 0 }
	highBelow := func(at *big.Rat, side int) bool { return a.high != nil && a.high.compare(at, side) < 0 }
	end := 0
	if s.closed {
		end = 1
	}
	switch s.prefix {
	case "", "eq":
		return !below(a.low, s.low, 0) && highBelow(s.high, end)
	case "ne":
		return below(a.low, s.low, 0) || !highBelow(s.high, end)
	case "gt":
		return !highBelow(s.at, 1)
	case "ge":
		return !highBelow(s.at, 0)
	case "lt":
		return below(a.low, s.at, 0)
	case "le":
		return below(a.low, s.at, 1)
	case "sa":
		return !below(a.low, s.at, 1)
	case "eb":
		return highBelow(s.at, 0)
	case "ap":
		return !highBelow(s.low, 0) && below(a.low, s.high, end)
	}
	panic(s.prefix)
}

// findsQuantity compares with an amount in the unit that was asked for.
func (s sought) findsQuantity(a amount) bool {
	switch {
	case s.anyUnit:
		return s.finds(a)
	case s.byCode: // number||code: the code, or what is written for people
		return (a.code == s.code || a.unit == s.code) && s.finds(a)
	case a.system != s.system:
		return false
	case s.code == "" || a.code == s.code:
		return s.finds(a)
	}
	have, want := unitFacts[a.code], unitFacts[s.code]
	if s.system != ucum || have == nil || want == nil || have.kind != want.kind {
		return false
	}
	a.low, a.high = have.into(want, a.low), have.into(want, a.high)
	return s.finds(a)
}
