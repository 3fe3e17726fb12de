package erase_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fault"
	"tarn/store"
)

// records counts the rows that tell of erasures.
func (w *world) records() (n int) {
	w.t.Helper()
	for _, err := range w.data.Riders(w.t.Context(), []byte("erase/")) {
		must(w.t, err)
		n++
	}
	return n
}

// TestForget_keepsWhatIsNeeded erases while an export is kept that began before, forgets the job, and then the export.
func TestForget_keepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		w.put(`{"resourceType":"Patient","id":"p2"}`)
		head, err := w.data.Head(t.Context())
		must(t, err)
		w.ended = []store.TxID{head.Tx + 7, head.Tx}
		first, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		w.until(t.Context(), first, erase.Done)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		stop := w.run(t.Context())
		w.rider("erase/once/00000000000000000000000000000000", "") // of a job that the ledger does not know
		w.rider("erase/once/"+first, "")
		time.Sleep(3 * time.Hour)
		if w.records() != 2 {
			t.Errorf("%d rows are left while the job is known", w.records())
		}
		if n, err := w.ledger.Forget(t.Context(), time.Now()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(3 * time.Hour)
		if all, err := w.svc.Erased(t.Context(), datastore, head.Tx); err != nil || len(all) != 1 || all[0].Erasure != first {
			t.Errorf("while an export from before is known: %+v, %v", all, err)
		}
		// One that has not gone from the disk keeps its record, whatever is known.
		w.mu.Lock()
		w.ended, w.pins["export"] = w.ended[:1], head.Tx+7
		w.mu.Unlock()
		for range 7 {
			w.put(`{"resourceType":"Basic","id":"x"}`)
		}
		second, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		time.Sleep(3 * time.Hour)
		all, err := w.svc.Erased(t.Context(), datastore, 0)
		must(t, err)
		if len(all) != 1 || all[0].Erasure != second || all[0].Purged != 0 {
			t.Errorf("while it is held up: %+v", all)
		}
		if n, err := w.ledger.Forget(t.Context(), time.Now()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(3 * time.Hour)
		if w.records() == 0 {
			t.Error("what is held up is forgotten")
		}
		stop()
		w.mu.Lock()
		delete(w.pins, "export")
		w.ended = nil
		w.mu.Unlock()
		if more, err := w.svc.Purge(t.Context(), datastore); more || err != nil {
			t.Error(more, err)
		}
		if n, err := w.svc.Forget(t.Context(), datastore); n != 1 || err != nil || w.records() != 0 {
			t.Errorf("%d, %v; %d rows are left", n, err, w.records())
		}
	})
}

// TestForget_saysNowAndThenThatItCannot looks for a day whether records may go, while an export of a newer release is known.
func TestForget_saysNowAndThenThatItCannot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		log := &logged{}
		w.o.Log = slog.New(slog.NewTextHandler(log, nil))
		w.svc = erase.New(w.o)
		w.unread = fault.Errorf(fault.Unsupported, "test", "an export is of a newer release")
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		_, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		stop := w.run(t.Context())
		time.Sleep(24 * time.Hour)
		stop()
		if lines := strings.Count(log.String(), "old records"); lines == 0 || lines > 12 {
			t.Errorf("the log has %d lines", lines)
		}
	})
}
