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
)

const year = 365 * 24 * time.Hour

// skewed is a ledger whose clock can be set.
func skewed(t *testing.T, engine kv.Engine, skew *atomic.Int64) *job.Ledger {
	t.Helper()
	space, err := engine.Open(t.Context(), "system")
	if err != nil {
		t.Fatal(err)
	}
	l, err := job.Open(t.Context(), space, job.Options{Now: func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A clock that was ahead once does not put the ends of all later jobs into a time yet to come.
func TestLedger_recoversFromAClockThatWasAhead(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, _ *job.Ledger) {
		var skew atomic.Int64
		l := skewed(t, engine, &skew)
		ahead := enqueue(t, l, job.New{Datastore: store2})
		if _, err := l.Cancel(t.Context(), store2, ahead.ID); err != nil {
			t.Fatal(err)
		}
		skew.Store(int64(14 * year))
		first := enqueue(t, l, job.New{})
		skew.Store(0)
		second, third := enqueue(t, l, job.New{}), enqueue(t, l, job.New{})
		if _, err := l.Cancel(t.Context(), store1, third.ID); err != nil {
			t.Fatal(err)
		}
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(context.Context, *job.Run) error { return nil }})})
		synctest.Wait()
		stop()
		if second.SubmitTime.Before(first.SubmitTime) {
			t.Errorf("submitted at %v and then at %v", first.SubmitTime, second.SubmitTime)
		}
		for i, rec := range []job.Record{first, second, third} {
			got := state(t, l, rec)
			if !got.State.Terminal() || got.EndTime.After(time.Now()) || got.EndTime.Before(got.StartTime) {
				t.Errorf("job %d is %s, started at %v and ended at %v", i, got.State, got.StartTime, got.EndTime)
			}
		}
		time.Sleep(2 * time.Hour)
		n, err := l.Forget(t.Context(), time.Now().Add(-time.Hour))
		if err != nil || n != 4 {
			t.Errorf("%d jobs are forgotten: %v", n, err)
		}
	})
}

func TestLedger_endsNoJobBeforeItBegan(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, _ *job.Ledger) {
		var skew atomic.Int64
		skew.Store(int64(14 * year))
		l := skewed(t, engine, &skew)
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(context.Context, *job.Run) error { skew.Store(0); return nil }})})
		defer stop()
		synctest.Wait()
		if got := wantState(t, l, rec, job.Completed); got.EndTime.After(time.Now()) || got.EndTime.Before(got.StartTime) {
			t.Errorf("started at %v, ended at %v", got.StartTime, got.EndTime)
		}
	})
}

func TestForget_isNotMisledByAClockThatIsSetAhead(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, _ *job.Ledger) {
		var skew atomic.Int64
		l := skewed(t, engine, &skew)
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Retention: 24 * time.Hour, Kinds: kinds(work{run: func(context.Context, *job.Run) error { return nil }})})
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		skew.Store(int64(14 * year))
		time.Sleep(20 * time.Hour)
		synctest.Wait()
		wantState(t, l, rec, job.Completed)
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		if _, err := l.Describe(t.Context(), rec.Datastore, rec.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the job is still there after 26 hours: %v", err)
		}
	})
}
