package erase_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fault"
	"tarn/fhir/index"
	"tarn/job"
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

// An erasure of a compartment that waited while the program was replaced by one with another index waits for that too.
func TestErase_waitsUntilTheDataStoreIsIndexedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p"}`)
		w.put(`{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/p"}}`)
		ask := erase.Request{Datastore: datastore, Type: patient, ID: "p", Compartment: true, Base: "http://tarn.test"}
		id, _, err := w.svc.Start(t.Context(), ask)
		must(t, err)
		_, err = w.data.Reindex(t.Context(), nil, store.IndexEpochRider(index.Epoch-1))
		must(t, err)
		runner := job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{erase.Kind: w.svc.Work()}})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- runner.Run(ctx) }()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Waiting || w.live() != 2 {
			t.Errorf("%+v %v, %d resources are there", p, err, w.live())
		}
		_, err = w.data.Reindex(t.Context(), nil, store.IndexEpochRider(index.Epoch))
		must(t, err)
		time.Sleep(3 * time.Minute)
		stop()
		must(t, <-done)
		if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Hidden || w.live() != 0 {
			t.Errorf("%+v %v, %d resources are there", p, err, w.live())
		}
	})
}
