package index

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// Filter is one search parameter of one resource type with its modifier and all its values, of which one must match. It
// never changes and may be used by several goroutines.
type Filter struct {
	slots   []slot
	pieces  pieces
	ranges  []Range
	text    string
	negated bool
	exact   bool
}

// Compile is the filter for a parameter of a resource type. modifier is what follows the colon, without it: exact, not,
// or the name of a resource type; values have been divided at commas but are still escaped. The error is a
// fhir.OutcomeError of kind fault.Invalid that names the parameter and what is wrong with it.
func Compile(typ r4.Code, p *r4.SearchParam, modifier string, values []string, env Env) (*Filter, error) {
	s := &subject{param: p, typ: p.Type, name: p.Name, modifier: modifier, env: env}
	if modifier != "" {
		s.name += ":" + modifier
	}
	of := planOf(typ).params[p.Code]
	if of == nil {
		return nil, s.refuse(codeNotSupported, "is not supported for %s", typ)
	}
	f := &Filter{slots: of.slots, text: s.name + "=" + strings.Join(values, ",")}
	if modifier == "missing" && p.Type != r4.ParamComposite {
		return f, f.missing(s, values)
	}
	if p.Type != r4.ParamComposite {
		s.kinds = of.parts[0]
	}
	if !s.known() {
		return nil, s.refuse(codeNotSupported, "has a modifier that a parameter of type %s does not have for %s", p.Type, typ)
	}
	if len(values) == 0 {
		return nil, s.refuse(fhir.CodeValue, "has no value")
	}
	var all []piece
	for _, value := range values {
		var some []piece
		var err error
		if p.Type == r4.ParamComposite {
			some, err = s.tuple(value, of)
		} else {
			some, err = s.pieces(value)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	f.negated = modifier == "not" || modifier == "not-in"
	f.set(all)
	return f, nil
}

// missing is the filter for :missing.
func (f *Filter) missing(s *subject, values []string) error {
	if len(values) != 1 || values[0] != "true" && values[0] != "false" {
		return s.refuse(fhir.CodeValue, "is neither true nor false")
	}
	f.negated = values[0] == "true"
	f.set([]piece{{}})
	return nil
}

// set gives the filter its pieces and works out the ranges.
func (f *Filter) set(all []piece) {
	f.pieces, f.exact = newPieces(all), true
	for _, s := range f.slots {
		first := len(f.ranges)
		for i := range f.pieces.all {
			from, to, exact := f.pieces.all[i].kept()
			f.exact = f.exact && exact && s.only == 0
			r := Range{Param: s.param, From: from, To: to}
			if n := len(f.ranges); n > first && overlaps(f.ranges[n-1], r) {
				f.ranges[n-1].To = later(f.ranges[n-1].To, to)
			} else {
				f.ranges = append(f.ranges, r)
			}
		}
	}
}

// overlaps reports whether b, which does not begin before a, begins within it.
func overlaps(a, b Range) bool { return a.To == nil || bytes.Compare(b.From, a.To) < 0 }

func later(a, b []byte) []byte {
	if a == nil || b == nil {
		return nil
	}
	if bytes.Compare(a, b) > 0 {
		return a
	}
	return b
}

// Ranges are the parts of the index that hold every accepted entry. For a negated filter they hold the entries of the
// resources that do not match. Resources may stand in them more than once.
func (f *Filter) Ranges() []Range { return f.ranges }

// Exact reports whether every entry within Ranges is accepted, so that Accept need not be asked.
func (f *Filter) Exact() bool { return f.exact }

// Accept judges one entry within Ranges, as the index keeps it, on its own: whether the filter, its negation left
// aside, is true of a resource because it has this entry. No means that another entry may still be accepted.
func (f *Filter) Accept(param uint16, kept []byte) Verdict {
	if len(kept) > maxKept {
		return f.judge(param, kept[:cutKept], true)
	}
	return f.judge(param, kept, false)
}

func (f *Filter) judge(param uint16, v []byte, cut bool) Verdict {
	best := No
	for _, s := range f.slots {
		if s.param != param {
			continue
		}
		verdict := f.pieces.judge(v, cut)
		if verdict != No && s.only != 0 {
			verdict = both(verdict, refersTo(v, cut, s.only))
		}
		if verdict == Yes {
			return Yes
		}
		best = max(best, verdict)
	}
	return best
}

// both is the verdict of two conditions together.
func both(a, b Verdict) Verdict {
	switch {
	case a == No || b == No:
		return No
	case a == Yes && b == Yes:
		return Yes
	}
	return Unsure
}

// Negated reports whether the filter is true of the resources of which no entry is accepted (:not, :not-in,
// :missing=true): the complement of what Ranges and Accept give.
func (f *Filter) Negated() bool { return f.negated }

// Match judges a resource by all its entries as the index keeps them, sorted by (Param, Value); negation is applied.
func (f *Filter) Match(kept []fhir.IndexEntry) Verdict {
	best := No
	for _, s := range f.slots {
		first, _ := slices.BinarySearchFunc(kept, s.param, func(e fhir.IndexEntry, p uint16) int { return cmp.Compare(e.Param, p) })
		for _, e := range kept[first:] {
			if e.Param != s.param {
				break
			}
			switch f.Accept(e.Param, e.Value) {
			case Yes:
				return f.negate(Yes)
			case Unsure:
				best = Unsure
			}
		}
	}
	return f.negate(best)
}

func (f *Filter) negate(v Verdict) Verdict {
	if !f.negated || v == Unsure {
		return v
	}
	return yes(v == No)
}

// MatchFull judges a resource by its uncut entries, as Extract gives them, in any order; negation is applied.
func (f *Filter) MatchFull(entries []fhir.IndexEntry) bool {
	for _, e := range entries {
		if f.judge(e.Param, e.Value, false) == Yes {
			return !f.negated
		}
	}
	return f.negated
}

// String explains the filter in one line for tarn search --explain.
func (f *Filter) String() string {
	var names []string
	for _, s := range f.slots {
		name := r4.ParamCode(s.param).String()
		if s.only != 0 {
			name += " to " + s.only.String()
		}
		names = append(names, name)
	}
	how := "each value judged"
	if f.exact {
		how = "exact"
	}
	if f.negated {
		how += ", negated"
	}
	return fmt.Sprintf("%s: %d ranges of %s, %s", f.text, len(f.ranges), strings.Join(names, " and "), how)
}
