package search_test

import (
	"testing"

	"tarn/fhir/r4"
)

// TestSelectSeen_tellsNothingOfOtherTypes asks about patients by chains and _has, as one who may see observations alone.
func TestSelectSeen_tellsNothingOfOtherTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(`{"resourceType":"Patient","id":"a","name":[{"family":"Miller"}]}`,
		`{"resourceType":"Observation","id":"oa","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/a"}}`,
		`{"resourceType":"Observation","id":"ob","status":"final","code":{"text":"x"},"hasMember":[{"reference":"Observation/oa"}]}`,
		`{"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"text":"x"},"result":[{"reference":"Observation/oa"}]}`)
	v, err := w.store.Latest(t.Context())
	must(t, err)
	defer v.Close()
	observation := mustCode("Observation")
	for query, want := range map[string][2]int{ // seen by who sees all, and by who does not
		"":                            {2, 2},
		"status=final":                {2, 2},
		"subject:Patient.name=miller": {1, 0},
		"subject.name=miller":         {1, 0},
		"patient.name=miller":         {1, 0},
		"_has:DiagnosticReport:result:status=final": {1, 0},
		"has-member:Observation.status=final":       {1, 1},
		"_has:Observation:has-member:status=final":  {1, 1},
		"subject=Patient/a":                         {1, 1}, // the observation says so itself
	} {
		for i, see := range [][]r4.Code{nil, {observation}} {
			must(t, w.service.CheckSelectSeen(t.Context(), v, base, see, observation, query))
			n := 0
			for _, err := range w.service.SelectSeen(t.Context(), v, base, see, observation, query) {
				must(t, err)
				n++
			}
			if n != want[i] {
				t.Errorf("%q among %v finds %d, want %d", query, see, n, want[i])
			}
		}
	}
}
