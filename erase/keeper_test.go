package erase_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fault"
	"tarn/store"
)

// TestRun_looksAgainForWhatIsUnderWay starts while the data stores cannot be listed: what a process that died has hidden is
// purged later.
func TestRun_looksAgainForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive"}]}`)
		_, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		list, lists := w.o.List, 0
		w.o.List = func(ctx context.Context) ([]string, error) {
			if lists++; lists <= 2 {
				return nil, fault.Errorf(fault.Unavailable, "test", "they cannot be listed now")
			}
			return list(ctx)
		}
		w.svc = erase.New(w.o) // it remembers nothing
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { w.svc.Run(ctx); close(ended) }()
		time.Sleep(time.Minute)
		stop()
		<-ended
		if row := w.holds("secretive"); row != "" {
			t.Errorf("row %s still tells", row)
		}
	})
}

// TestRun_purgesWhatTheLedgerHasForgotten restarts when the job of an erasure that an export holds up has been forgotten.
func TestRun_purgesWhatTheLedgerHasForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive"}]}`)
		w.pins["export"] = store.TxID(1)
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		w.until(t.Context(), id, erase.Hidden)
		stop := w.run(t.Context())
		time.Sleep(2 * time.Hour)
		stop()
		if n, err := w.ledger.Forget(t.Context(), time.Now()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if w.holds("secretive") == "" {
			t.Fatal("the export did not hold it up")
		}
		delete(w.pins, "export")
		w.svc = erase.New(w.o) // it remembers nothing
		stop = w.run(t.Context())
		time.Sleep(time.Minute)
		stop()
		if row := w.holds("secretive"); row != "" {
			t.Errorf("row %s still tells", row)
		}
	})
}
