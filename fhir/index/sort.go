package index

import (
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Sort is a search parameter by which resources are put in order (_sort).
type Sort struct{ r Range }

// NewSort is the order by a parameter of a resource type. The error names a parameter that gives no order: composite
// and special ones.
func NewSort(typ r4.Code, p *r4.SearchParam) (*Sort, error) {
	return nil, fhir.NewOutcomeError(fault.Invalid, "index.NewSort", fhir.Issue{Severity: fhir.SeverityError,
		Code: fhir.CodeInvalid, Details: "the parameter _sort cannot name " + p.Name})
}

// Key is what a resource is compared by, bytewise: the least of its values, or with descending the greatest; nil where
// it has none (those come last). kept are its entries as the index keeps them; the key is a part of them.
func (s *Sort) Key(kept []fhir.IndexEntry, descending bool) []byte { return nil }

// Ranges holds the entries whose order is that of the keys: a walk over them, forward or backward, meets each resource
// first at its Key. More than one range means that walks over each must be merged by KeyOf.
func (s *Sort) Ranges() []Range { return []Range{s.r} }

// KeyOf is the key that an entry within Ranges gives, nil if it gives none.
func (s *Sort) KeyOf(param uint16, kept []byte) []byte { return nil }
