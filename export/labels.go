package export

import (
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// labels are values of _tag or _security that a resource must have, all of them. A resource is asked itself, where no
// search can be: the answer is that of a search.
type labels struct {
	param  string
	values []string // system|code
	reader reader
	byType map[r4.Code][]*index.Filter
}

// of reports whether a resource has the labels.
func (l *labels) of(v store.Version, base string) (bool, error) {
	if l.byType == nil {
		l.reader.init()
		l.byType = map[r4.Code][]*index.Filter{}
	}
	filters, known := l.byType[v.Type]
	if !known {
		for _, value := range l.values {
			f, err := index.Compile(v.Type, v.Type.Param(l.param), "", []string{value}, index.Env{Base: base})
			if err != nil {
				return false, err
			}
			filters = append(filters, f)
		}
		l.byType[v.Type] = filters
	}
	entries, err := l.reader.uncut(v)
	if err != nil {
		return false, err
	}
	for _, f := range filters {
		if !f.MatchFull(entries) {
			return false, nil
		}
	}
	return true, nil
}
