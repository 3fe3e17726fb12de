package index

import (
	"bytes"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Sort is a search parameter by which resources are put in order (_sort). It never changes and may be used by several
// goroutines.
type Sort struct {
	slots  []slot
	forms  []byte
	ranges []Range
}

// sorted are the forms of values that give an order, for each type of parameter.
var sorted = map[r4.ParamType][]byte{
	r4.ParamString:    {formString},
	r4.ParamToken:     {formToken},
	r4.ParamDate:      {formDate, formDate + 1, formDate + 2, formDate + 3},
	r4.ParamNumber:    {formPoint, formInterval},
	r4.ParamQuantity:  {formPoint, formInterval},
	r4.ParamReference: {formReference, formOtherURI, formCanonical},
	r4.ParamURI:       {formURI},
}

// NewSort is the order by a parameter of a resource type. The error names a parameter that gives no order: composite
// and special ones. Strings are in the order of their folded texts, tokens of code and system, dates of begin and end,
// quantities of their numbers whatever the unit, references of the id.
func NewSort(typ r4.Code, p *r4.SearchParam) (*Sort, error) {
	of, forms := planOf(typ).params[p.Code], sorted[p.Type]
	if of == nil || forms == nil {
		return nil, fhir.NewOutcomeError(fault.Invalid, "index.NewSort", fhir.Issue{Severity: fhir.SeverityError,
			Code: codeNotSupported, Details: `the parameter "_sort" names ` + quote(p.Name) + ", which gives no order for " + typ.String()})
	}
	s := &Sort{slots: of.slots, forms: forms}
	for _, slot := range of.slots {
		for _, form := range forms {
			s.ranges = append(s.ranges, Range{Param: slot.param, From: []byte{form}, To: []byte{form + 1}})
		}
	}
	return s, nil
}

// Key is what a resource is compared by, bytewise: the least of its values, or with descending the greatest; nil where
// it has none (those come last). kept are its entries as the index keeps them; the key is a part of them.
func (s *Sort) Key(kept []fhir.IndexEntry, descending bool) (key []byte) {
	for _, e := range kept {
		k := s.KeyOf(e.Param, e.Value)
		if k != nil && (key == nil || bytes.Compare(k, key) > 0 == descending) {
			key = k
		}
	}
	return key
}

// Ranges hold the entries that give keys. Within each range the entries are in the order of their keys, so that a walk
// over it, forward or backward, meets a resource first at the key that it is sorted by; walks over several ranges are
// merged by KeyOf.
func (s *Sort) Ranges() []Range { return s.ranges }

// KeyOf is the key that an entry gives, a part of it; nil if it gives none.
func (s *Sort) KeyOf(param uint16, kept []byte) []byte {
	for _, slot := range s.slots {
		if slot.param != param || len(kept) < 2 || bytes.IndexByte(s.forms, kept[0]) < 0 {
			continue
		}
		if len(kept) > maxKept {
			kept = kept[:cutKept]
		}
		if slot.only != 0 && refersTo(kept, false, slot.only) != Yes {
			continue
		}
		switch key := kept[1:]; kept[0] {
		case formPoint, formInterval:
			if number, _, ok := cutDecimal(key); ok {
				return number
			}
			return key
		case formString:
			if at := bytes.IndexByte(key, sep); at >= 0 {
				return key[:at]
			}
			return key
		default:
			return key
		}
	}
	return nil
}
