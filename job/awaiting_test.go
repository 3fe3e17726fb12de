package job_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
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

// TestRunner_letsOthersWorkWhileItAwaits has fewer workers than jobs that await something; the rest is done meanwhile, never
// more at once than there are workers.
func TestRunner_letsOthersWorkWhileItAwaits(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		ready := time.Now().Add(5 * time.Hour)
		var all []job.Record
		for n := range 6 {
			all = append(all, enqueue(t, l, job.New{Datastore: strings.Repeat(strconv.Itoa(n), 32)}))
		}
		var now, most atomic.Int32
		_, stop := start(t, l, job.RunnerOptions{Workers: map[job.Kind]int{all[0].Kind: 2}, Kinds: kinds(work{run: func(_ context.Context, r *job.Run) error {
			if r.Record().Datastore < strings.Repeat("4", 32) && time.Now().Before(ready) {
				return job.Awaiting(fault.Errorf(fault.Unavailable, "test", "Not yet."))
			}
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Hour)
			now.Add(-1)
			return nil
		}})})
		defer stop()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		for n, rec := range all {
			want := job.InProgress
			if n >= 4 {
				want = job.Completed
			}
			wantState(t, l, rec, want)
		}
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		for _, rec := range all {
			wantState(t, l, rec, job.Completed)
		}
		if most.Load() != 2 {
			t.Errorf("%d jobs worked at once", most.Load())
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
