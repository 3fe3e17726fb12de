package index

import (
	"slices"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// EntriesOf are the values of a parameter among the entries of a resource, wherever it has them.
func EntriesOf(typ r4.Code, p *r4.SearchParam, entries []fhir.IndexEntry) (values []string) {
	of := planOf(typ).params[p.Code]
	for _, s := range of.slots {
		for _, e := range entries {
			if e.Param == s.param && (s.only == 0 || refersTo(e.Value, false, s.only) == Yes) {
				values = append(values, string(e.Value))
			}
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// PartTypes are what the parts of a parameter are compared as.
func PartTypes(typ r4.Code, p *r4.SearchParam) []r4.ParamType {
	return planOf(typ).params[p.Code].types
}
