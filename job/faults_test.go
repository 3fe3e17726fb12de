package job_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

// parts is a work of n planned parts, each checkpointed, as an export is. It counts what it does.
type parts struct {
	n      int
	done   map[string]int
	tidied int
}

func (p *parts) Run(ctx context.Context, r *job.Run) error {
	if !r.Planned() {
		var plan []string
		for i := range p.n {
			plan = append(plan, fmt.Sprintf("%03d", i))
		}
		if err := r.SetPlan(ctx, pieces(plan...), job.Progress{PartsTotal: int64(p.n)}); err != nil {
			return err
		}
	}
	done := map[string]bool{}
	for c, err := range r.Checkpoints(ctx) {
		if err != nil {
			return err
		}
		done[c.Key] = true
	}
	for piece, err := range r.Plan(ctx) {
		if err != nil {
			return err
		}
		if key := string(piece); !done[key] {
			p.done[key]++
			if err := r.Checkpoint(ctx, key, []byte("sum of "+key), job.Progress{PartsDone: 1, Resources: 5000}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *parts) Cancelled(context.Context, *job.Run) error { p.tidied++; return nil }

// TestLedger_survivesAFaultAtEveryWrite lets each write of a job's life fail, before and after it took effect, with and
// without a restart behind it, and looks at the outcome.
func TestLedger_survivesAFaultAtEveryWrite(t *testing.T) {
	const n = 5
	for _, restart := range []bool{false, true} {
		for side, name := range map[kvtest.Fault]string{kvtest.Before: "before", kvtest.After: "after"} {
			for nth := 1; ; nth++ {
				reached := false
				t.Run(fmt.Sprintf("restart %v, %s write %d", restart, name, nth), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { reached = faultyLife(t, n, nth, side, restart) })
				})
				if t.Failed() || !reached {
					if nth < n+4 && !t.Failed() {
						t.Errorf("a life had only %d writes", nth-1)
					}
					break
				}
			}
		}
	}
}

func faultyLife(t *testing.T, n, nth int, side kvtest.Fault, restart bool) (reached bool) {
	inner, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	engine := kvtest.NewFaulty(inner)
	l := openLedger(t, engine)
	w := &parts{n: n, done: map[string]int{}}
	failed := make(chan struct{}, 1)
	engine.Hook(func(at kvtest.Write) kvtest.Fault {
		if at.N == nth {
			failed <- struct{}{}
			return side
		}
		return kvtest.NoFault
	})
	_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(w)})
	request := job.New{Kind: kind, Datastore: store1, ClientToken: "t", Fingerprint: "f"}
	for range 2 { // a client repeats a call that failed
		if _, _, err = l.Enqueue(t.Context(), request); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	doomed := job.Record{}
	if doomed, _, err = l.Enqueue(t.Context(), job.New{Kind: kind, Datastore: store1}); fault.Is(err, fault.Unavailable) {
		doomed, _, err = l.Enqueue(t.Context(), job.New{Kind: kind, Datastore: store1})
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err = l.Cancel(t.Context(), store1, doomed.ID); fault.Is(err, fault.Unavailable) {
		_, err = l.Cancel(t.Context(), store1, doomed.ID)
	}
	if err != nil && !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	synctest.Wait()
	if restart {
		select {
		case <-failed:
			reached = true
		default:
		}
		stop()
		l = openLedger(t, engine)
		_, stop = start(t, l, job.RunnerOptions{Kinds: kinds(w)})
	}
	time.Sleep(time.Hour)
	stop()
	select {
	case <-failed:
		reached = true
	default:
	}

	page, err := l.List(t.Context(), job.ListFilter{Datastore: store1})
	if err != nil {
		t.Fatal(err)
	}
	completed := 0
	for _, rec := range page.Jobs {
		switch {
		case rec.ClientToken == "t":
			completed++
			if rec.State != job.Completed || rec.Progress != (job.Progress{PartsDone: int64(n), PartsTotal: int64(n), Resources: int64(5000 * n)}) {
				t.Errorf("the job: %+v", rec)
			}
			marks := 0
			for c, err := range l.Checkpoints(t.Context(), rec.ID) {
				if err != nil || string(c.Value) != "sum of "+c.Key {
					t.Errorf("checkpoint %+v %v", c, err)
				}
				marks++
			}
			if marks != n {
				t.Errorf("%d checkpoints, want %d", marks, n)
			}
		case rec.ID == doomed.ID:
			if rec.State != job.CancelCompleted && rec.State != job.Completed {
				t.Errorf("the cancelled job: %+v", rec)
			}
		default: // a call without a token that failed after it took effect
			if side != kvtest.After || rec.State != job.Completed {
				t.Errorf("a job nobody asked for: %+v", rec)
			}
		}
	}
	if completed != 1 {
		t.Errorf("%d jobs under one token", completed)
	}
	if active, err := l.Active(t.Context(), ""); err != nil || len(active) != 0 {
		t.Errorf("still active: %v %v", active, err)
	}
	return reached
}

// TestRunner_goesOnWhenTheEngineRecovers lets all writes fail for a while.
func TestRunner_goesOnWhenTheEngineRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner, err := pebble.InMemory(pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer inner.Close()
		engine := kvtest.NewFaulty(inner)
		l := openLedger(t, engine)
		rec := enqueue(t, l, job.New{})
		until := time.Now().Add(10 * time.Minute)
		ended := false
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			engine.Hook(func(kvtest.Write) kvtest.Fault {
				if time.Now().Before(until) {
					return kvtest.Before
				}
				return kvtest.NoFault
			})
			if ended {
				return errors.New("ran again")
			}
			ended = true
			return nil
		}})})
		defer stop()
		time.Sleep(time.Hour)
		if got := wantState(t, l, rec, job.Completed); got.EndTime.Before(until) {
			t.Errorf("ended at %v", got.EndTime)
		}
	})
}
