package job_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tarn/job"
	"tarn/kv"
)

func TestRunner_takesOverAfterACrashAtOnceWithoutALease(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		if run, err := l.Claim(t.Context(), kind, store1, "dead", 0); err != nil || run == nil {
			t.Fatal(run, err)
		}
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(context.Context, *job.Run) error { return nil }})})
		defer stop()
		synctest.Wait()
		wantState(t, l, rec, job.Completed)
	})
}

func TestRunner_takesOverOnlyALeaseThatStandsStill(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		const lease = 9 * time.Second
		rec := enqueue(t, l, job.New{})
		_, stopFirst := start(t, l, job.RunnerOptions{Owner: "first", Lease: lease, Kinds: kinds(work{run: untilStopped})})
		synctest.Wait()
		var taken time.Time
		_, stop := start(t, l, job.RunnerOptions{Owner: "second", Lease: lease, Kinds: kinds(work{run: func(context.Context, *job.Run) error {
			taken = time.Now()
			return nil
		}})})
		defer stop()
		time.Sleep(time.Hour)
		if got := wantState(t, l, rec, job.InProgress); got.Owner != "first" || got.Term != 1 || got.Beat < 1000 {
			t.Fatalf("%+v", got)
		}
		given := time.Now()
		stopFirst() // gives it back: no lease to wait for
		synctest.Wait()
		wantState(t, l, rec, job.Completed)
		if !taken.Equal(given) {
			t.Errorf("given back at %v and taken over at %v", given, taken)
		}
	})
}

func TestRunner_waitsForTheLeaseOfADeadOne(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		const lease = 9 * time.Second
		rec := enqueue(t, l, job.New{})
		dead, err := l.Claim(t.Context(), kind, store1, "dead", 0)
		if err != nil || dead == nil {
			t.Fatal(dead, err)
		}
		began := time.Now()
		var took time.Duration
		_, stop := start(t, l, job.RunnerOptions{Owner: "rival", Lease: lease, Kinds: kinds(work{run: func(context.Context, *job.Run) error {
			took = time.Since(began)
			return nil
		}})})
		defer stop()
		time.Sleep(lease - time.Second)
		wantState(t, l, rec, job.InProgress)
		time.Sleep(lease)
		wantState(t, l, rec, job.Completed)
		if took < lease || took > lease+lease/3 {
			t.Errorf("taken over after %v, want %v", took, lease)
		}
		if err := dead.Checkpoint(t.Context(), "late", nil, job.Progress{}); !errors.Is(err, job.ErrTermLost) {
			t.Errorf("the dead one wrote: %v", err)
		}
	})
}

func TestRunner_stopsAWorkWhoseTermIsLost(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		var cause error
		_, stop := start(t, l, job.RunnerOptions{Owner: "slow", Lease: 9 * time.Second, Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			cause = untilStopped(ctx, r)
			return cause
		}})})
		defer stop()
		synctest.Wait()
		now := state(t, l, rec)
		rival, err := l.Claim(t.Context(), kind, store1, "rival", now.Beat)
		if err != nil || rival == nil {
			t.Fatal(rival, err)
		}
		for range 10 { // the rival lives on
			time.Sleep(time.Second)
			if err := rival.Beat(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if !errors.Is(cause, job.ErrTermLost) {
			t.Errorf("cause %v", cause)
		}
		if err := rival.Finish(t.Context(), job.Completed, ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := wantState(t, l, rec, job.Completed); got.Term != 2 {
			t.Errorf("%+v", got)
		}
	})
}
