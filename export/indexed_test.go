package export_test

import (
	"testing"

	"tarn/export"
	"tarn/fault"
	"tarn/fhir/index"
	"tarn/store"
)

// Compartments are found by the index, so what selects by them is refused until that knows everything; a whole data store
// is not.
func TestStart_refusesSelectionsWhileItIsIndexedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 3, "en")
	_, err := w.store().Reindex(t.Context(), nil, store.IndexEpochRider(index.Epoch-1))
	must(t, err)
	r := w.request()
	r.Selection = export.Selection{Level: export.Patients}
	if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Unavailable) {
		t.Errorf("patients: %v", err)
	}
	r.Selection = export.Selection{}
	if _, err := w.exports.Start(t.Context(), r); err != nil {
		t.Errorf("the whole data store: %v", err)
	}
}
