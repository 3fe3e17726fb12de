// Package index turns resources into entries of the search index and search values into filters over them. What the
// bytes of a value mean is written down in docs/design/index-values.md; nobody outside this package reads them.
//
// Every filter that is not negated is true of a resource if one of its entries is accepted: entries are independent of
// each other, those of composites hold whole tuples. So a hit in the index decides for itself, and AND is the
// intersection of resources.
package index

// Epoch is the number of the search parameter tables and of the encodings together. It changes when either does:
// entries of another epoch must be extracted again before they are compared.
const Epoch uint32 = 1

// Verdict is the answer of a filter.
type Verdict uint8

// The verdicts.
const (
	No     Verdict = iota
	Yes            // it matches
	Unsure         // a value was cut by the store: extract from the document and ask MatchFull
)

// Range is a part of the index that a search walks over: the entries of Param with From <= value < To, bytewise, or
// those that begin with Prefix if that is set. A nil From begins at the least value, a nil To never ends. Param is not
// always that of the parameter searched for: parameters that are parts of another one share its entries.
type Range struct {
	Param            uint16
	From, To, Prefix []byte
}

// One reports whether the range is that of a single value, so that its hits come in the order of resources.
func (r Range) One() bool {
	n := len(r.From)
	return r.Prefix == nil && n > 0 && len(r.To) == n+1 && r.To[n] == 0 && string(r.To[:n]) == string(r.From)
}
