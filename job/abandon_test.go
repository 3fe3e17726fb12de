package job_test

import (
	"context"
	"testing"
	"testing/synctest"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

// leaver is a work that says when it leaves a failed job in order.
type leaver struct {
	work
	left *int
}

func (w leaver) Failed(context.Context, *job.Run, error) error { *w.left++; return nil }

func TestAbandon_failsWhatRunsAndWhatWaits(t *testing.T) {
	const why = "The data store was deleted."
	bubble(t, func(t *testing.T, engine kv.Engine, l *job.Ledger) {
		left := 0
		w := leaver{work{run: untilStopped}, &left}
		running, waiting, cancelled, next := enqueue(t, l, job.New{}), enqueue(t, l, job.New{}), enqueue(t, l, job.New{}), enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: map[job.Kind]job.Work{kind: w}})
		synctest.Wait()
		if _, err := l.Cancel(t.Context(), store1, cancelled.ID); err != nil {
			t.Fatal(err)
		}
		for _, rec := range []job.Record{cancelled, waiting, running} {
			if err := l.Abandon(t.Context(), store1, rec.ID, why); err != nil && !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		wantState(t, l, cancelled, job.CancelCompleted)
		for _, rec := range []job.Record{running, waiting} {
			if got := wantState(t, l, rec, job.Failed); got.Message != why {
				t.Errorf("message %q", got.Message)
			}
		}
		if left != 1 {
			t.Errorf("%d jobs were left in order, want the one that ran", left)
		}
		wantState(t, l, next, job.InProgress)
		wantKind(t, l.Abandon(t.Context(), store1, running.ID, why), fault.Conflict, "FAILED")
		wantKind(t, l.Abandon(t.Context(), store2, next.ID, why), fault.NotFound, next.ID)

		// One that no process saw is carried out by the next process, without running the work.
		stop()
		if err := l.Abandon(t.Context(), store1, next.ID, why); err != nil {
			t.Fatal(err)
		}
		w.run = func(context.Context, *job.Run) error { t.Error("ran"); return nil }
		_, stop = start(t, openLedger(t, engine), job.RunnerOptions{Kinds: map[job.Kind]job.Work{kind: w}})
		synctest.Wait()
		stop()
		if got := wantState(t, l, next, job.Failed); got.Message != why || left != 2 {
			t.Errorf("message %q, %d left in order", got.Message, left)
		}
	})
}

// A work that ends well at that very moment has been done; one that is cancelled afterwards is cancelled.
func TestAbandon_changesNothingOfWhatIsDone(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		release := make(chan struct{})
		rec, other := enqueue(t, l, job.New{}), enqueue(t, l, job.New{Datastore: store2})
		_, stop := start(t, l, job.RunnerOptions{Workers: map[job.Kind]int{kind: 2}, Kinds: kinds(work{run: func(_ context.Context, r *job.Run) error {
			<-release
			return nil
		}})})
		defer stop()
		synctest.Wait()
		for _, rec := range []job.Record{rec, other} {
			if err := l.Abandon(t.Context(), rec.Datastore, rec.ID, "Gone."); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Cancel(t.Context(), store2, other.ID); err != nil {
			t.Fatal(err)
		}
		close(release)
		synctest.Wait()
		wantState(t, l, rec, job.Completed)
		wantState(t, l, other, job.CancelCompleted)
	})
}
