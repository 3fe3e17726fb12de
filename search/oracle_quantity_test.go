package search_test

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

func (g *generator) number(some anyOf, x thing) (cond, bool) {
	all := amounts(x)
	text := g.edgeOf(all)
	if text == "" {
		return cond{}, false
	}
	s := soughtOf(g.prefix(), text)
	kinds := []string{"number " + or(s.prefix, "eq"), "number of " + all[0].of}
	return some(kinds, s.prefix+text, func(x thing) bool { return slices.ContainsFunc(amounts(x), s.finds) })
}

// edgeOf is an end of an amount as it would be written, or empty.
func (g *generator) edgeOf(all []amount) string {
	if len(all) == 0 {
		return ""
	}
	at := all[0].low
	if at == nil || all[0].high != nil && g.flip(50) {
		at = all[0].high
	}
	return g.written(at.at)
}

// written is a number as people write it: with all of its digits, or with some.
func (g *generator) written(r *big.Rat) string {
	n, exact := r.FloatPrec()
	if exact && n <= 12 && g.flip(70) {
		return r.FloatString(n)
	}
	f, _ := r.Float64()
	digits := 2 + g.rng.IntN(5)
	if g.flip(10) {
		return strconv.FormatFloat(f, 'e', digits, 64)
	}
	return strconv.FormatFloat(ratFloat(strconv.FormatFloat(f, 'g', digits, 64)), 'f', -1, 64)
}

func ratFloat(text string) float64 { f, _ := strconv.ParseFloat(text, 64); return f }

func (g *generator) quantity(some anyOf, x thing) (cond, bool) {
	all := amounts(x)
	if len(all) == 0 {
		return cond{}, false
	}
	a := all[0]
	edge := a.low
	if edge == nil || a.high != nil && g.flip(50) {
		edge = a.high
	}
	s := sought{anyUnit: true}
	var kinds []string
	at := edge.at
	like := unitsLike(a.code)
	value := ""
	switch {
	case a.system == ucum && len(like) > 0 && g.flip(60):
		s = sought{system: ucum, code: pick(g, like)}
		at = unitFacts[a.code].convert(unitFacts[s.code], at)
		value = "|" + escape(ucum) + "|" + escape(s.code)
	case a.system != "" && a.code != "" && g.flip(60):
		s = sought{system: a.system, code: a.code}
		value = "|" + escape(a.system) + "|" + escape(a.code)
		kinds = append(kinds, "quantity system|code")
	case a.code != "" && g.flip(50):
		s = sought{byCode: true, code: a.code}
		value = "||" + escape(a.code)
		kinds = append(kinds, "quantity ||code")
	case a.unit != "" && g.flip(50):
		s = sought{byCode: true, code: a.unit}
		value = "||" + escape(a.unit)
		kinds = append(kinds, "quantity ||unit")
	default:
		kinds = append(kinds, "quantity number")
	}
	text, prefix := g.written(at), g.prefix()
	if strings.HasPrefix(text, "-0") && ratOf(text).Sign() == 0 {
		text = "0"
	}
	n := soughtOf(prefix, text)
	n.system, n.code, n.anyUnit, n.byCode = s.system, s.code, s.anyUnit, s.byCode
	kinds = append(kinds, "quantity "+or(prefix, "eq"), "quantity of "+a.of)
	if a.system == ucum && s.code != a.code && s.system == ucum {
		kinds = append(kinds, "quantity converted", "quantity converted "+or(prefix, "eq"))
	}
	return some(kinds, prefix+text+value, func(x thing) bool { return slices.ContainsFunc(amounts(x), n.findsQuantity) })
}
