package export_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"tarn/export"
	"tarn/fault"
	"tarn/job"
)

func TestExport_leavesItsFilesWhenCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 5100, "en")
	w.put("Observation", 0, 20100, "en")
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.faults.fail = func(n int, _ string) (error, error) {
		if n != 4 {
			return nil, nil
		}
		_, err := w.ledger.Cancel(t.Context(), w.data.ID, rec.ID)
		must(t, err)
		return nil, fault.Errorf(fault.Unavailable, "test", "boom") // not tried again
	}
	w.run()
	got := w.describe(rec.ID)
	f := w.folder(rec.ID)
	if _, whole := f[export.ManifestName]; got.State != job.CancelCompleted || whole || len(f) == 0 || len(f) > 5 {
		t.Errorf("%s with %d files, manifest %v", got.State, len(f), whole)
	}
}

// TestAbandon_tellsWhy gives up an export that runs, and one that waits behind it.
func TestAbandon_tellsWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 15100, "en")
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	next, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.faults.fail = func(n int, _ string) (error, error) {
		if n == 2 {
			must(t, w.exports.Abandon(t.Context(), w.data.ID, rec.ID, "An erasure went before it."))
			must(t, w.exports.Abandon(t.Context(), w.data.ID, next.ID, "An erasure went before it too."))
			return nil, fault.Errorf(fault.Unavailable, "test", "boom") // not tried again
		}
		return nil, nil
	}
	w.run()
	for id, why := range map[string]string{rec.ID: "An erasure went before it.", next.ID: "An erasure went before it too."} {
		if got := w.describe(id); got.State != job.Failed || got.Message != why {
			t.Errorf("%s: %q", got.State, got.Message)
		}
	}
	if err := w.exports.Abandon(t.Context(), w.data.ID, strings.Repeat("0", 32), "why"); !fault.Is(err, fault.NotFound) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestExport_saysWhichKeyFailedItMidway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 15100, "en")
	w.faults.fail = func(n int, _ string) (error, error) {
		if n == 2 {
			must(t, w.root().DisableKey(t.Context(), w.key.ID))
		}
		return nil, nil
	}
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	if got := w.describe(rec.ID); got.State != job.Failed || !strings.Contains(got.Message, w.key.ID) || !strings.Contains(got.Message, "isabled") {
		t.Errorf("%s: %s", got.State, got.Message)
	}
}

func TestExport_endsWhenItsDataStoreGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 15100, "en")
	w.faults.fail = func(n int, _ string) (error, error) {
		if n == 2 {
			_, err := w.catalog.Delete(t.Context(), w.data.ID)
			must(t, err)
			must(t, w.catalog.Purge(t.Context(), w.data.ID))
		}
		return nil, nil
	}
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	if got := w.describe(rec.ID); got.State != job.Failed || !strings.Contains(got.Message, "deleted") && !strings.Contains(got.Message, "dropped") {
		t.Errorf("%s: %q", got.State, got.Message)
	}
}

func TestDigests_ofManyCallersKeepToTheWorkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 15100, "en")
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	want := w.manifest(rec.ID).Output
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			n := 0
			_, err := w.exports.Digests(t.Context(), w.data.ID, rec.ID, func(f export.File) error {
				if n >= len(want) || f != want[n] {
					t.Errorf("file %d is %+v", n, f)
				}
				n++
				return nil
			})
			if err != nil || n != len(want) {
				t.Errorf("%d files, %v", n, err)
			}
		})
	}
	all.Wait()
	left := errors.New("the caller left")
	ctx, leave := context.WithCancelCause(t.Context())
	_, err = w.exports.Digests(ctx, w.data.ID, rec.ID, func(export.File) error { leave(left); return nil })
	if err == nil {
		t.Error("goes on for nobody")
	}
}
