package erase_test

import (
	"testing"

	"tarn/erase"
	"tarn/fault"
	"tarn/fhir/index"
	"tarn/store"
)

// Who belongs to a patient is found by the index, so a compartment waits until that knows everything.
func TestStart_refusesACompartmentWhileItIsIndexedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(`{"resourceType":"Patient","id":"p"}`)
	_, err := w.data.Reindex(t.Context(), nil, store.IndexEpochRider(index.Epoch-1))
	must(t, err)
	ask := erase.Request{Datastore: datastore, Type: patient, ID: "p", Compartment: true, Base: "http://tarn.test"}
	if _, _, err := w.svc.Start(t.Context(), ask); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a compartment: %v", err)
	}
	ask.Compartment = false
	if _, _, err := w.svc.Start(t.Context(), ask); err != nil {
		t.Errorf("a resource: %v", err)
	}
}
