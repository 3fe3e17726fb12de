package search_test

import (
	"testing"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/search"
)

func TestMatch_refusesWhatItCannotStandFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(`{"resourceType":"Patient","id":"a"}`)
	patient, _ := r4.CodeOf("Patient")
	for criteria, names := range map[string]string{
		"":                      "criteria",
		"_format=json":          "criteria",
		"_count=1":              "_count",
		"_sort=_id&_id=a":       "_sort",
		"_id=":                  "_id",
		"shoesize=9":            "shoesize",
		"_id:exact=a":           "_id:exact",
		"_lastUpdated=xy2020":   "_lastUpdated",
		"_lastUpdated=tomorrow": "_lastUpdated",
		"_text=x":               "_text",
	} {
		v := w.view()
		_, err := w.service.MatchAt(t.Context(), v, "", patient, criteria, 2)
		if !fault.Is(err, fault.Invalid) || !w.names(err, names) {
			t.Errorf("%q: %v", criteria, err)
		}
		must(t, v.Close())
	}
	v := w.view()
	defer func() { must(t, v.Close()) }()
	found, err := w.service.MatchAt(t.Context(), v, "", patient, "_id=b,a&_lastUpdated=gt2000", 2)
	must(t, err)
	if len(found) != 1 || found[0].ID != "a" || len(found[0].Body) == 0 {
		t.Errorf("found %v", found)
	}
}

var _ = search.Scope{}
