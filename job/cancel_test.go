package job_test

import (
	"context"
	"testing"
	"testing/synctest"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

func TestRunner_cancels(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, l *job.Ledger) {
		tidied, release := 0, make(chan struct{})
		w := work{run: untilStopped, cancelled: func(ctx context.Context, r *job.Run) error {
			tidied++
			<-release
			return ctx.Err()
		}}
		running, waiting, last := enqueue(t, l, job.New{}), enqueue(t, l, job.New{}), enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(w)})
		synctest.Wait()
		cancel := func(rec job.Record) {
			t.Helper()
			if got, err := l.Cancel(t.Context(), store1, rec.ID); err != nil || got.State != job.CancelSubmitted {
				t.Fatal(got, err)
			}
			synctest.Wait()
		}
		cancel(waiting)
		wantState(t, l, waiting, job.CancelCompleted)
		if tidied != 0 {
			t.Error("tidied up after a job that never began")
		}
		wantState(t, l, running, job.InProgress)
		cancel(running)
		wantState(t, l, running, job.CancelInProgress)
		wantState(t, l, last, job.Queued)
		if got, err := l.Cancel(t.Context(), store1, running.ID); err != nil || got.State != job.CancelInProgress {
			t.Fatal(got, err)
		}
		close(release)
		synctest.Wait()
		wantState(t, l, running, job.CancelCompleted)
		wantState(t, l, last, job.InProgress)
		_, err := l.Cancel(t.Context(), store1, running.ID)
		wantKind(t, err, fault.Conflict, "CANCEL_COMPLETED")
		_, err = l.Cancel(t.Context(), store2, last.ID)
		wantKind(t, err, fault.NotFound, last.ID)

		// A cancel that no process saw is carried out by the next one, without running the work.
		stop()
		if _, err := l.Cancel(t.Context(), store1, last.ID); err != nil {
			t.Fatal(err)
		}
		w.run = func(context.Context, *job.Run) error { t.Error("ran"); return nil }
		_, stop = start(t, openLedger(t, engine), job.RunnerOptions{Kinds: kinds(w)})
		synctest.Wait()
		stop()
		wantState(t, l, last, job.CancelCompleted)
		if tidied != 2 {
			t.Errorf("tidied up %d times, want 2", tidied)
		}
	})
}

func TestRunner_letsAnAcceptedCancelDecide(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			_, err := l.Cancel(context.WithoutCancel(ctx), store1, rec.ID)
			return err // the work ended well, or nearly
		}})})
		defer stop()
		synctest.Wait()
		wantState(t, l, rec, job.CancelCompleted)
	})
}

func TestRunner_saysWhenTidyingUpFails(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: untilStopped, cancelled: func(context.Context, *job.Run) error {
			return fault.Errorf(fault.Denied, "", "The files cannot be removed.")
		}})})
		defer stop()
		synctest.Wait()
		if _, err := l.Cancel(t.Context(), store1, rec.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := wantState(t, l, rec, job.CancelFailed); got.Message != "The files cannot be removed." {
			t.Error(got.Message)
		}
	})
}
