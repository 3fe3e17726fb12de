package ingest_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv/kvtest"
)

// TestPreload_thatFailsFailsTheCreation lets nothing be written into the data store until the job gives up.
func TestPreload_thatFailsFailsTheCreation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rec, _, err := w.ledger.Enqueue(t.Context(), job.New{Kind: ingest.Preload, Datastore: datastore})
		must(t, err)
		w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
			if one.Space != "system" {
				return kvtest.Before
			}
			return kvtest.NoFault
		})
		w.work()
		if got := w.describe(rec); got.State != job.Failed {
			t.Errorf("%s %s", got.State, got.Message)
		}
		if len(w.failed) != 1 || !strings.HasSuffix(w.failed[0], " true") {
			t.Errorf("the data store was told %q, want one failure that can be retried", w.failed)
		}
	})
}

// TestPreload_addsNothingBehindAnotherWorker lets a second worker do all of it while the first, which has lost its claim
// and does not know it yet, is between two batches.
func TestPreload_addsNothingBehindAnotherWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const patients = 12
	told := 0
	err := ingest.PreloadForTest(t.Context(), w.data, patients, func(int) error {
		if told++; told > 1 {
			return nil
		}
		return ingest.PreloadForTest(t.Context(), w.data, patients, func(int) error { return nil })
	})
	if told == 0 || !fault.Is(err, fault.Unavailable) {
		t.Errorf("the first worker went on, told %d times: %v", told, err)
	}
	all := w.versions()
	for name, version := range all {
		if version != 1 {
			t.Errorf("%s is at version %d", name, version)
		}
	}
	if len(all) < 1000 {
		t.Errorf("%d resources: less than a batch", len(all))
	}
	must(t, ingest.PreloadForTest(t.Context(), w.data, patients, func(int) error { return nil }))
	if again := w.versions(); asJSON(again) != asJSON(all) {
		t.Error("done again it changes something")
	}
}
