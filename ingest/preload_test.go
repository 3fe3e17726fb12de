package ingest_test

import (
	"testing"

	"tarn/fault"
	"tarn/ingest"
)

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
