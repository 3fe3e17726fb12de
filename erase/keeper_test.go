package erase_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

// unread is a space that cannot be read for a while.
type unread struct {
	kv.Space
	times atomic.Int32
}

func (u *unread) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	if u.times.Add(-1) >= 0 {
		return nil, fault.Errorf(fault.Unavailable, "test", "it cannot be read now")
	}
	return u.Space.Snapshot(ctx)
}

// TestRun_looksAgainForWhatIsUnderWay starts while the ledger cannot be read: what a process that died has hidden is purged later.
func TestRun_looksAgainForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		system, err := w.faults.Open(t.Context(), "system")
		must(t, err)
		space := &unread{Space: system}
		w.o.Ledger, err = job.Open(t.Context(), space, job.Options{})
		must(t, err)
		w.svc = erase.New(w.o)
		w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive"}]}`)
		_, _, err = w.svc.Start(t.Context(), request(false))
		must(t, err)
		w.svc = erase.New(w.o) // it remembers nothing
		space.times.Store(2)
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
