package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tarn/job"
	"tarn/kv"
	"tarn/kv/pebble"
)

// work is a job.Work made of functions.
type work struct {
	run       func(context.Context, *job.Run) error
	cancelled func(context.Context, *job.Run) error
}

func (w work) Run(ctx context.Context, r *job.Run) error { return w.run(ctx, r) }

func (w work) Cancelled(ctx context.Context, r *job.Run) error {
	if w.cancelled == nil {
		return nil
	}
	return w.cancelled(ctx, r)
}

// untilStopped works until its context ends and tells why.
func untilStopped(ctx context.Context, _ *job.Run) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// bubble runs a story with a ledger in a synctest bubble.
func bubble(t *testing.T, story func(t *testing.T, engine kv.Engine, l *job.Ledger)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine, err := pebble.InMemory(pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		story(t, engine, openLedger(t, engine))
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
}

// start runs a Runner; the function stops it and waits.
func start(t *testing.T, l *job.Ledger, o job.RunnerOptions) (*job.Runner, func()) {
	t.Helper()
	r := job.NewRunner(l, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return r, func() { cancel(); <-done }
}

func kinds(w job.Work) map[job.Kind]job.Work { return map[job.Kind]job.Work{kind: w} }

func state(t *testing.T, l *job.Ledger, rec job.Record) job.Record {
	t.Helper()
	now, err := l.Describe(context.Background(), rec.Datastore, rec.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func wantState(t *testing.T, l *job.Ledger, rec job.Record, s job.State) job.Record {
	t.Helper()
	now := state(t, l, rec)
	if now.State != s {
		t.Fatalf("job %d is %s (%q), want %s", rec.Seq, now.State, now.Message, s)
	}
	if s.Terminal() != !now.EndTime.IsZero() {
		t.Fatalf("job %d is %s and ended at %v", rec.Seq, s, now.EndTime)
	}
	return now
}

func TestRunner_runsEachQueueInOrderOneAtATime(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		var mu sync.Mutex
		var order []uint64
		running, most := map[string]int{}, 0
		_, stop := start(t, l, job.RunnerOptions{Workers: map[job.Kind]int{kind: 2}, Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			rec := r.Record()
			mu.Lock()
			order = append(order, rec.Seq)
			running[rec.Datastore]++
			sum := 0
			for d, n := range running {
				if sum += n; n > 1 {
					t.Errorf("%d jobs of data store %s at once", n, d)
				}
			}
			most = max(most, sum)
			mu.Unlock()
			time.Sleep(time.Minute)
			mu.Lock()
			running[rec.Datastore]--
			mu.Unlock()
			return nil
		}})})
		defer stop()
		var jobs []job.Record
		for i := range 9 {
			jobs = append(jobs, enqueue(t, l, job.New{Datastore: fmt.Sprintf("%032x", i%3)}))
		}
		synctest.Wait()
		wantState(t, l, jobs[0], job.InProgress)
		wantState(t, l, jobs[2], job.Submitted) // its queue is free, but no worker is
		wantState(t, l, jobs[3], job.Queued)
		time.Sleep(time.Hour)
		for _, rec := range jobs {
			wantState(t, l, rec, job.Completed)
		}
		mu.Lock()
		defer mu.Unlock()
		if most != 2 {
			t.Errorf("%d at once, want 2", most)
		}
		for d := range 3 {
			var own []uint64
			for _, seq := range order {
				if int(seq-1)%3 == d {
					own = append(own, seq)
				}
			}
			if !slices.IsSorted(own) || len(own) != 3 {
				t.Errorf("data store %d: order %v", d, own)
			}
		}
	})
}

func TestRunner_drainsAndResumes(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Owner: "first", Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			if err := r.Checkpoint(ctx, "a", []byte("1"), job.Progress{PartsDone: 1}); err != nil {
				return err
			}
			if err := untilStopped(ctx, r); !errors.Is(err, job.ErrDrain) {
				t.Errorf("cause %v", err)
			}
			return ctx.Err()
		}})})
		synctest.Wait()
		stop()
		got := wantState(t, l, rec, job.InProgress)
		if got.Owner != "" || got.Term != 1 || got.Progress.PartsDone != 1 {
			t.Fatalf("%+v", got)
		}
		l = openLedger(t, engine)
		_, stop = start(t, l, job.RunnerOptions{Owner: "second", Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			if v, err := r.CheckpointAt(ctx, "a"); err != nil || string(v) != "1" {
				t.Errorf("checkpoint %q %v", v, err)
			}
			if err := r.Checkpoint(ctx, "a", []byte("1"), job.Progress{PartsDone: 1}); err != nil {
				return err
			}
			return r.Checkpoint(ctx, "b", nil, job.Progress{PartsDone: 1})
		}})})
		synctest.Wait()
		stop()
		got = wantState(t, l, rec, job.Completed)
		if got.Term != 2 || got.Progress.PartsDone != 2 || got.Owner != "" || !got.StartTime.Equal(state(t, l, rec).StartTime) {
			t.Fatalf("%+v", got)
		}
	})
}

func TestRunner_finishesWhatEndsWhileItDrains(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			<-ctx.Done()
			return nil
		}})})
		synctest.Wait()
		stop()
		wantState(t, l, rec, job.Completed)
	})
}

func TestRunner_leavesForeignKindsAlone(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{Kind: "other"})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: untilStopped})})
		defer stop()
		time.Sleep(time.Hour)
		wantState(t, l, rec, job.Submitted)
		if active, err := l.Active(t.Context(), store1); err != nil || len(active) != 1 || active[0].ID != rec.ID {
			t.Errorf("active: %v %v", active, err)
		}
	})
}
