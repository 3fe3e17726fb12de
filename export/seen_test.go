package export_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"tarn/export"
	"tarn/fhir/r4"
	"tarn/store"
)

// asked are queries that notes what it is told of who may see what.
type asked struct{ see map[string]bool }

func (a asked) SelectSeen(_ context.Context, _ *store.View, _ string, see []r4.Code, _ r4.Code, _ string) iter.Seq2[store.Ordinal, error] {
	a.see[fmt.Sprint("select ", see)] = true
	return func(func(store.Ordinal, error) bool) {}
}

func (a asked) CheckSelectSeen(_ context.Context, _ *store.View, _ string, see []r4.Code, _ r4.Code, _ string) error {
	a.see[fmt.Sprint("check ", see)] = true
	return nil
}

// TestExport_asksItsFiltersForWhatMayBeSeen keeps in the job what the caller may see, and asks by it.
func TestExport_asksItsFiltersForWhatMayBeSeen(t *testing.T) {
	t.Parallel()
	a := asked{map[string]bool{}}
	w := newWorldOf(t, export.Options{Queries: a})
	w.put("Observation", 0, 3, "en")
	r := w.request()
	r.Selection = export.Selection{Types: []string{"Observation"}, Filters: []string{"Observation?subject.name=miller"}, See: []string{"Observation", "Slot"}}
	_, err := w.exports.Start(t.Context(), r)
	must(t, err)
	w.run()
	observation, _ := r4.CodeOf("Observation")
	slot, _ := r4.CodeOf("Slot")
	codes := []r4.Code{observation, slot}
	if len(a.see) != 2 || !a.see[fmt.Sprint("select ", codes)] || !a.see[fmt.Sprint("check ", codes)] {
		t.Errorf("the queries were asked with %v", a.see)
	}
}
