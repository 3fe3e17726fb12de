package catalog_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tarn/catalog"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// TestStore_asksForAFreshIndex opens a data store with later tables than those by which it was indexed: the index is asked
// for, until somebody hears it, and the contents can be used meanwhile.
func TestStore_asksForAFreshIndex(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	later := func(epoch uint32) {
		must(t, h.Close())
		h.epoch = epoch
		h.reopen(t)
	}
	later(1)
	made, err := h.Create(ctx, request())
	must(t, err)
	data, err := h.Store(ctx, made.ID)
	must(t, err)
	resource, err := fhir.NewParser(fhir.Limits{}).Parse([]byte(`{"resourceType":"Patient"}`))
	must(t, err)
	typ, _ := r4.CodeOf("Patient")
	_, err = data.Commit(ctx, store.Transaction{Writes: []store.Write{{Op: store.Create, Type: typ, ID: "a", Resource: resource, Epoch: 1}}})
	must(t, err)

	later(1)
	_, err = h.Store(ctx, made.ID)
	must(t, err)
	if len(h.tasks) != 0 {
		t.Errorf("with the same tables: %v", h.tasks)
	}

	later(2)
	h.refuse = fault.Errorf(fault.Unavailable, "test", "no room")
	data, err = h.Store(ctx, made.ID)
	must(t, err)
	if epoch, err := data.IndexEpoch(ctx); err != nil || epoch != 1 {
		t.Errorf("epoch %d, %v", epoch, err)
	}
	if len(h.tasks) != 0 {
		t.Errorf("refused: %v", h.tasks)
	}
	h.refuse = nil
	for range 3 {
		_, err = h.Store(ctx, made.ID)
		must(t, err)
	}
	if want := (catalog.Task{Kind: catalog.Reindex, Datastore: made.ID}); len(h.tasks) != 1 || h.tasks[0] != want {
		t.Errorf("with later tables: %v", h.tasks)
	}
}

// TestStore_asksForAFreshIndexUntilItIsFresh lets the work that was asked for fail, so that the index stays as it was.
func TestStore_asksForAFreshIndexUntilItIsFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, ctx := open(t), t.Context()
		made, err := h.Create(ctx, request())
		must(t, err)
		data, err := h.Store(ctx, made.ID)
		must(t, err)
		_, err = data.Reindex(ctx, nil, store.IndexEpochRider(1))
		must(t, err)
		resource, err := fhir.NewParser(fhir.Limits{}).Parse([]byte(`{"resourceType":"Patient"}`))
		must(t, err)
		typ, _ := r4.CodeOf("Patient")
		_, err = data.Commit(ctx, store.Transaction{Writes: []store.Write{{Op: store.Create, Type: typ, ID: "a", Resource: resource, Epoch: 1}}})
		must(t, err)
		must(t, h.Close())
		h.epoch = 2
		h.reopen(t)
		use := func(want int, when string) {
			t.Helper()
			for range 3 {
				data, err = h.Store(ctx, made.ID)
				must(t, err)
			}
			if h.asked != want {
				t.Errorf("%s: asked %d times, want %d", when, h.asked, want)
			}
		}
		use(1, "at once")
		time.Sleep(2 * time.Minute)
		use(2, "when it has not helped")
		for range 20 {
			time.Sleep(10 * time.Minute)
			use(h.asked+1, "now and then")
		}
		_, err = data.Reindex(ctx, nil, store.IndexEpochRider(2))
		must(t, err)
		last := h.asked
		for range 3 {
			time.Sleep(time.Hour)
			use(last, "when it is fresh")
		}
	})
}
