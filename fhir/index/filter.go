package index

import (
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Filter is one search parameter of one resource type with its modifier and all its values, of which one must match. It
// never changes and may be used by several goroutines.
type Filter struct {
	ranges  []Range
	text    string
	negated bool
	exact   bool
}

// Compile is the filter for a parameter of a resource type. modifier is what follows the colon, without it: exact, not,
// or the name of a resource type; values have been divided at commas but are still escaped. The error is a
// fhir.OutcomeError of kind fault.Invalid that names the parameter and what is wrong with it.
func Compile(typ r4.Code, p *r4.SearchParam, modifier string, values []string, env Env) (*Filter, error) {
	return nil, fhir.NewOutcomeError(fault.Invalid, "index.Compile", fhir.Issue{Severity: fhir.SeverityError,
		Code: fhir.CodeInvalid, Details: "the parameter " + p.Name + " is not supported"})
}

// Ranges are the parts of the index that hold every accepted entry. For a negated filter they hold the entries of the
// resources that do not match. Resources may stand in them more than once.
func (f *Filter) Ranges() []Range { return f.ranges }

// Exact reports whether every entry within Ranges is accepted, so that Accept need not be asked.
func (f *Filter) Exact() bool { return f.exact }

// Accept judges one entry within Ranges, as the index keeps it, on its own: whether the filter, its negation left
// aside, is true of a resource because it has this entry. No means that another entry may still be accepted.
func (f *Filter) Accept(param uint16, kept []byte) Verdict { return No }

// Negated reports whether the filter is true of the resources of which no entry is accepted (:not, :not-in,
// :missing=true): the complement of what Ranges and Accept give.
func (f *Filter) Negated() bool { return f.negated }

// Match judges a resource by all its entries as the index keeps them, sorted by (Param, Value); negation is applied.
func (f *Filter) Match(kept []fhir.IndexEntry) Verdict { return No }

// MatchFull judges a resource by its uncut entries, as Extract gives them, in any order; negation is applied.
func (f *Filter) MatchFull(entries []fhir.IndexEntry) bool { return false }

// String explains the filter in one line for tarn search --explain.
func (f *Filter) String() string { return f.text }
