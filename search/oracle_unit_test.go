package search_test

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

const ucum = "http://unitsofmeasure.org"

// unitFact is what UCUM says of a unit: a number of it, times factor, plus offset, is one of the first unit of its kind.
type unitFact struct {
	kind           string
	factor, offset *big.Rat
}

// into converts the edge of an amount into another unit of the kind; both scales go up.
func (u *unitFact) into(other *unitFact, b *brink) *brink {
	if b == nil {
		return nil
	}
	return &brink{u.convert(other, b.at), b.side}
}

func (u *unitFact) convert(other *unitFact, at *big.Rat) *big.Rat {
	r := new(big.Rat).Mul(at, u.factor)
	r.Add(r, u.offset)
	r.Sub(r, other.offset)
	return r.Quo(r, other.factor)
}

// unitFacts are the units that occur, from the definitions of UCUM 2.1: atoms, the prefixes of metric ones, and what is
// made of two of them.
var unitFacts = func() map[string]*unitFact {
	facts := map[string]*unitFact{}
	add := func(kind, code, factor, offset string) {
		facts[code] = &unitFact{kind, ratOf(factor), ratOf(offset)}
	}
	prefixes := map[string]string{"": "1", "k": "1e3", "h": "1e2", "d": "1e-1", "c": "1e-2", "m": "1e-3", "u": "1e-6", "n": "1e-9", "p": "1e-12", "f": "1e-15", "M": "1e6", "G": "1e9"}
	metric := func(kind, atom, with string, factor string) {
		for p := range strings.SplitSeq(with, " ") {
			p = strings.Trim(p, "-")
			add(kind, p+atom, new(big.Rat).Mul(ratOf(prefixes[p]), ratOf(factor)).RatString(), "0")
		}
	}
	metric("mass", "g", "- k m u n p", "1")
	add("mass", "[lb_av]", "453.59237", "0")
	add("mass", "[oz_av]", "28.349523125", "0")
	metric("length", "m", "- k c m u n", "1")
	for code, factor := range map[string]string{"[in_i]": "0.0254", "[ft_i]": "0.3048", "[yd_i]": "0.9144", "[mi_i]": "1609.344"} {
		add("length", code, factor, "0")
	}
	metric("volume", "L", "- d m u n p f", "1")
	metric("volume", "l", "- d m u n f", "1")
	for code, factor := range map[string]string{"m3": "1000", "dm3": "1", "cm3": "1e-3", "mm3": "1e-6", "[foz_us]": "0.0295735295625"} {
		add("volume", code, factor, "0")
	}
	metric("time", "s", "- m u n", "1")
	for code, factor := range map[string]string{"min": "60", "h": "3600", "d": "86400", "wk": "604800", "mo": "2629800", "a": "31557600"} {
		add("time", code, factor, "0")
	}
	add("temperature", "K", "1", "0")
	add("temperature", "Cel", "1", "273.15")
	add("temperature", "[degF]", "5/9", "45967/180") // 459.67 * 5/9
	metric("pressure", "Pa", "- h k", "1")
	add("pressure", "mm[Hg]", "133.322", "0")
	add("pressure", "bar", "1e5", "0")
	metric("amount", "mol", "- m u n p", "1")
	metric("equivalents", "eq", "- m u", "1")
	metric("IU", "[IU]", "- k m", "1")
	metric("enzyme units", "U", "- k m", "1")
	metric("energy", "J", "- k M", "1")
	metric("energy", "cal", "- k", "4.184")
	metric("electric", "V", "- k m u", "1")
	for code, factor := range map[string]string{"%": "1e-2", "1": "1", "[ppm]": "1e-6"} {
		add("ratio", code, factor, "0")
	}
	for code, factor := range map[string]string{"Hz": "1", "/s": "1", "/min": "1/60", "/h": "1/3600", "/d": "1/86400"} {
		add("frequency", code, factor, "0")
	}
	counts := map[string]string{"": "1", "10*3": "1e3", "10*6": "1e6", "10*9": "1e9", "10*12": "1e12"}
	for _, of := range []string{"L", "dL", "mL", "uL", "mm3"} {
		for code, factor := range counts {
			add("count per volume", code+"/"+of, new(big.Rat).Quo(ratOf(factor), facts[of].factor).RatString(), "0")
		}
	}
	// Of two units: what is above, what is below.
	for kind, pair := range map[string][2]string{
		"mass per volume": {"kg g mg ug ng pg", "L dL mL l dl ml"}, "amount per volume": {"mol mmol umol nmol pmol", "L dL mL l"},
		"equivalents per volume": {"eq meq ueq", "L dL mL"}, "IU per volume": {"[IU] k[IU] m[IU]", "L dL mL"}, "enzymes per volume": {"U kU mU", "L dL mL"},
		"volume per time": {"L mL", "s min h d"}, "mass per time": {"g mg", "s min h d"}, "mass per mass": {"g mg ug ng", "g mg kg"}, "velocity": {"km m cm", "s h"},
	} {
		for above := range strings.SplitSeq(pair[0], " ") {
			for below := range strings.SplitSeq(pair[1], " ") {
				add(kind, above+"/"+below, new(big.Rat).Quo(facts[above].factor, facts[below].factor).RatString(), "0")
			}
		}
	}
	add("mass per area", "kg/m2", "1", "0")
	add("mass per area", "g/m2", "1/1000", "0")
	return facts
}()

// unitsByKind are the codes of the units of each kind, in order.
var unitsByKind = func() map[string][]string {
	kinds := map[string][]string{}
	for _, code := range slices.Sorted(maps.Keys(unitFacts)) {
		kinds[unitFacts[code].kind] = append(kinds[unitFacts[code].kind], code)
	}
	return kinds
}()

// unitsLike are the units of the kind of one, itself among them.
func unitsLike(code string) []string {
	if u := unitFacts[code]; u != nil {
		return unitsByKind[u.kind]
	}
	return nil
}
