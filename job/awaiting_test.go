package job_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

func TestRunner_waitsForWhatComesByItself(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		const what = "The index is not there yet."
		rec, ready := enqueue(t, l, job.New{}), time.Now().Add(5*time.Hour)
		release, begun := make(chan struct{}), 0
		_, stop := start(t, l, job.RunnerOptions{Attempts: 3, Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			if begun++; time.Now().Before(ready) {
				return job.Awaiting(fault.WithHint(fault.Errorf(fault.Unavailable, "test", what), "Repeat the request later."))
			}
			if err := r.SetPlan(ctx, pieces("a"), job.Progress{}); err != nil {
				return err
			}
			<-release
			return nil
		}})})
		defer stop()
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		if got := wantState(t, l, rec, job.InProgress); got.Message != what {
			t.Errorf("while it waits its message is %q", got.Message)
		}
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		if got := wantState(t, l, rec, job.InProgress); got.Message != "" || !got.Planned {
			t.Errorf("it goes on with the message %q", got.Message)
		}
		close(release)
		synctest.Wait()
		if wantState(t, l, rec, job.Completed); begun > 5*60+10 {
			t.Errorf("begun %d times", begun)
		}
	})
}

func TestRunner_canBeCancelledAndMovedWhileItAwaits(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, l *job.Ledger) {
		rec, first := enqueue(t, l, job.New{}), true
		w := work{run: func(ctx context.Context, r *job.Run) error {
			if first {
				return job.Awaiting(fault.Errorf(fault.Unavailable, "test", "Not yet."))
			}
			return untilStopped(ctx, r)
		}}
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(w)})
		time.Sleep(time.Hour)
		stop()
		wantState(t, l, rec, job.InProgress)
		first = false
		_, stop = start(t, openLedger(t, engine), job.RunnerOptions{Kinds: kinds(w)})
		synctest.Wait()
		if got := wantState(t, l, rec, job.InProgress); got.Message != "" {
			t.Errorf("another process has it, and its message is %q", got.Message)
		}
		stop()
		first = true
		_, stop = start(t, l, job.RunnerOptions{Kinds: kinds(w)})
		defer stop()
		time.Sleep(time.Hour)
		if _, err := l.Cancel(t.Context(), store1, rec.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := wantState(t, l, rec, job.CancelCompleted); strings.Contains(got.Message, "yet") {
			t.Errorf("cancelled with the message %q", got.Message)
		}
	})
}
