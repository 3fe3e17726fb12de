package export_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/export"
	"tarn/fault"
	"tarn/fhir/index"
	"tarn/job"
	"tarn/search"
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

// An export that waited while the program was replaced by one with another index waits for that too.
func TestExport_waitsUntilTheDataStoreIsIndexedAnew(t *testing.T) {
	t.Parallel()
	for name, selection := range map[string]export.Selection{
		"patients": {Level: export.Patients},
		"a filter": {Filters: []string{"Patient?language=en"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				queries, err := search.New(search.Options{Datastores: w.catalog})
				must(t, err)
				w.exports.UseQueries(queries)
				w.put("Patient", 0, 3, "en")
				r := w.request()
				r.Selection = selection
				rec, err := w.exports.Start(t.Context(), r)
				must(t, err)
				_, err = w.store().Reindex(t.Context(), nil, store.IndexEpochRider(index.Epoch-1))
				must(t, err)
				runner := job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{export.Kind: w.exports.Work()}})
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- runner.Run(ctx) }()
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				if got := w.describe(rec.ID); got.State != job.InProgress || !strings.Contains(got.Message, "being indexed anew") {
					t.Errorf("%s: %s", got.State, got.Message)
				}
				_, err = w.store().Reindex(t.Context(), nil, store.IndexEpochRider(index.Epoch))
				must(t, err)
				time.Sleep(3 * time.Minute)
				stop()
				must(t, <-done)
				if got := w.describe(rec.ID); got.State != job.Completed || got.Message != "" {
					t.Errorf("%s: %s", got.State, got.Message)
				}
			})
		})
	}
}
