package job_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

// blind is an engine that cannot be read while it is off.
type blind struct {
	kv.Engine
	off *atomic.Bool
}

func (b blind) Open(ctx context.Context, name string) (kv.Space, error) {
	s, err := b.Engine.Open(ctx, name)
	return blindSpace{s, b.off}, err
}

type blindSpace struct {
	kv.Space
	off *atomic.Bool
}

func (s blindSpace) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	if s.off.Load() {
		return nil, fault.Errorf(fault.Unavailable, "blind", "cannot be read")
	}
	return s.Space.Snapshot(ctx)
}

// TestRunner_knowsOfAPlanWhoseWriteSeemedToFail lets the last write of a plan fail after it took effect, while nothing can
// be read either.
func TestRunner_knowsOfAPlanWhoseWriteSeemedToFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner, err := pebble.InMemory(pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer inner.Close()
		off := new(atomic.Bool)
		faulty := kvtest.NewFaulty(inner)
		l := openLedger(t, blind{faulty, off})
		w := &parts{n: 3, done: map[string]int{}}
		first := true
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			if first {
				first = false
				faulty.Hook(func(write kvtest.Write) kvtest.Fault {
					if write.N != 2 { // the first one clears what a broken plan would have left
						return kvtest.NoFault
					}
					off.Store(true)
					time.AfterFunc(10*time.Minute, func() { off.Store(false) })
					return kvtest.After
				})
			}
			return w.Run(ctx, r)
		}})})
		defer stop()
		time.Sleep(time.Hour)
		if got := wantState(t, l, rec, job.Completed); got.Progress.PartsDone != 3 || got.Progress.PartsTotal != 3 {
			t.Errorf("%+v", got.Progress)
		}
	})
}
