package search_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"tarn/fhir/r4"
	"tarn/search"
)

// count is of the queries of one kind.
type count struct{ asked, some, all, differ int }

// tally counts queries by what they try; the empty kind is all of them.
type tally map[string]*count

// add counts a query of which the oracle found some of all documents of its type, and gives the differences of all.
func (y tally) add(q asked, found, of int, equal bool) int {
	kinds := []string{""}
	for _, c := range q.conds {
		kinds = append(kinds, c.kinds...)
	}
	slices.Sort(kinds)
	for _, k := range slices.Compact(kinds) {
		c := y[k]
		if c == nil {
			c = &count{}
			y[k] = c
		}
		c.asked++
		switch found {
		case 0:
		case of:
			c.all++
			fallthrough
		default:
			c.some++
		}
		if !equal {
			c.differ++
		}
	}
	return y[""].differ
}

func (y tally) log(t *testing.T) {
	t.Helper()
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(y)) {
		if k != "" && !strings.HasPrefix(k, "chain to ") && !strings.HasPrefix(k, "_has ") && !strings.HasPrefix(k, "composite ") {
			fmt.Fprintf(&b, "\n  %-36s %5d asked, %5d found something, %d differ", k, y[k].asked, y[k].some, y[k].differ)
		}
	}
	all := y[""]
	if all == nil {
		t.Fatal("nothing was asked")
	}
	t.Logf("%d queries, %d found something, %d of them everything; differences: %d%s", all.asked, all.some, all.all, all.differ, b.String())
}

var prefixes = []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

// kindsOf are the kinds of conditions that docs/search.md offers, by type of parameter.
var kindsOf = map[r4.ParamType][]string{
	r4.ParamString: {"string begins", "string :exact", "string :contains"},
	r4.ParamToken: {"token code", "token system|code", "token |code", "token system|", "token implied|code", "token of Identifier", "token of ContactPoint", "token of code",
		"token of boolean", "token of Coding", "token of CodeableConcept", "token :not code", "token :not system|code", "token :not |code", "token :not system|", "token :text",
		"token :of-type", "token :above", "token :below"},
	r4.ParamDate:   append(withPrefixes("date "), "date of date", "date of dateTime", "date of instant", "date of Period", "date of Timing", "date minute"),
	r4.ParamNumber: append(withPrefixes("number "), "number of number", "number of Range"),
	r4.ParamQuantity: append(append(withPrefixes("quantity "), withPrefixes("quantity converted ")...), "quantity number", "quantity system|code", "quantity ||code", "quantity ||unit",
		"quantity of Quantity", "quantity of comparator", "quantity of Range", "quantity of SampledData", "quantity of Money", "quantity of Age", "quantity of Duration"),
	r4.ParamURI: {"uri", "uri url|version", "uri :above", "uri :below"},
	r4.ParamReference: {"reference id", "reference Type/id", "reference Type/id/_history", "reference absolute", "reference absolute local", "reference uri", "reference url",
		"reference url|version", "reference :above url", "reference :above url|version", "reference :below url", "reference :below url|version", "reference :Type id", "reference :Type Type/id",
		"reference :identifier value", "reference :identifier |value", "reference :identifier system|", "reference :identifier system|value"},
	r4.ParamComposite: {"composite", "composite date ap", "composite quantity ap", "composite quantity converted", "composite token system|code", "composite number eq"},
	r4.ParamSpecial:   {"special near", "special near distance", "special near distance|unit"},
}

func withPrefixes(of string) (all []string) {
	for _, p := range prefixes {
		all = append(all, of+p)
	}
	return all
}

// kindsIn are those of the modifiers that ask for value sets, by the form of the value set.
var kindsIn = []string{"token :in bound", "token :in expansion", "token :in codes", "token :in system", "token :in is-a", "token :in descendent-of",
	"token :in is-not-a", "token :in equals", "token :in nested", "token :in excluding", "token :not-in codes", "token :not-in is-a", "token :not-in nested"}

// kindsBeside are those of conditions that are of no type of parameter.
var kindsBeside = append(withPrefixes("_lastUpdated "), "chain", "chain :Type", "chain :Type within", "_has", "_has within", ":missing=true", ":missing=false", "_id", "_id:not")

// Every kind of condition is asked for by itself, so that none is left out by chance, and most of its queries find
// something but not everything.
func TestSearch_equalsAWalkForEachKindOfCondition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := newOracle(w)
	load(t, w, o, population(t))
	g := newGenerator(o, seed())
	total := tally{}
	n := rounds(3)
	for _, tuned := range []func(){func() {}, w.service.Hurry, w.service.Linger} {
		tuned()
		for typ := r4.ParamNumber; typ <= r4.ParamSpecial; typ++ {
			g.cover(t, w, kindsOf[typ], n, total, func() (r4.Code, cond, bool) {
				at := pick(g, g.held[typ])
				c, ok := g.values(at.typ, at.p)
				return at.typ, c, ok
			})
		}
		member := g.members()
		g.cover(t, w, kindsIn, n, total, func() (r4.Code, cond, bool) {
			at := pick(g, member)
			c, ok := g.values(at.typ, at.p)
			return at.typ, c, ok
		})
		g.cover(t, w, kindsBeside, n, total, g.beside)
	}
	total.log(t)
	for _, kinds := range kindsOf {
		for _, kind := range kinds {
			total.holds(t, kind, 3*n)
		}
	}
	for _, kind := range append(slices.Clone(kindsIn), kindsBeside...) {
		total.holds(t, kind, 3*n)
	}
}

// cover asks queries of one condition until there were n of each kind, or the dice give no more.
func (g *generator) cover(t *testing.T, w *world, kinds []string, n int, total tally, next func() (r4.Code, cond, bool)) {
	t.Helper()
	left := map[string]int{}
	for _, kind := range kinds {
		left[kind] = n
	}
	for tries := 0; len(left) > 0 && tries < 8_000*n; tries++ {
		typ, c, ok := next()
		if !ok || !slices.ContainsFunc(c.kinds, func(kind string) bool { return left[kind] > 0 }) || len(g.o.byType[typ]) < 5 && tries < 4_000*n {
			continue
		}
		slices.Sort(c.kinds)
		c.kinds = slices.Compact(c.kinds)
		g.ask(t, w, asked{typ: typ, conds: []cond{c}, extra: []search.Pair{{Name: "_count", Value: pick(g, []string{"7", "50", "1000"})}}}, total)
		for _, kind := range c.kinds {
			if left[kind]--; left[kind] == 0 {
				delete(left, kind)
			}
		}
	}
}

// members are the parameters of which documents hold codes of the value sets.
func (g *generator) members() []holding {
	return slices.DeleteFunc(slices.Clone(g.held[r4.ParamToken]), func(at holding) bool {
		return !slices.ContainsFunc(g.o.byType[at.typ], func(d *odoc) bool {
			return slices.ContainsFunc(d.things(at.p), func(x thing) bool {
				return slices.ContainsFunc(tokens(x), func(t tok) bool {
					return slices.ContainsFunc(g.o.valueSets(), func(s valueSet) bool { return s.has(t) })
				})
			})
		})
	})
}

// beside makes a condition that is of no type of parameter.
func (g *generator) beside() (r4.Code, cond, bool) {
	typ := pick(g, g.large())
	switch g.rng.IntN(6) {
	case 0:
		return typ, g.lastUpdated(pick(g, g.o.byType[typ])), true
	case 1:
		return typ, g.ids(pick(g, g.o.byType[typ])), true
	case 2:
		at := pick(g, g.held[pick(g, []r4.ParamType{r4.ParamToken, r4.ParamString, r4.ParamDate, r4.ParamReference, r4.ParamQuantity, r4.ParamSpecial})])
		return at.typ, g.missing(at.p), true
	case 3:
		c, ok := g.has(typ, g.rng.IntN(2))
		return typ, c, ok
	}
	c, ok := g.chain(typ, g.rng.IntN(2))
	return typ, c, ok
}

// holds reports a kind of which too few queries were asked, or too few found something, so that they might say nothing.
func (y tally) holds(t *testing.T, kind string, n int) {
	t.Helper()
	c := y[kind]
	if c == nil || c.asked < n {
		t.Errorf("%s: asked %+v, want %d", kind, c, n)
	} else if c.some < c.asked/8 || c.all > c.asked*9/10 {
		t.Errorf("%s: too few answers tell something: %+v", kind, *c)
	}
}
