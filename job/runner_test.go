package job_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tarn/fault"
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

func TestRunner_endsJobsAsTheirWorkEnds(t *testing.T) {
	const stopped = "The job stopped on an error of the server. Its log tells more under the id of the job."
	for name, c := range map[string]struct {
		run     func(context.Context, *job.Run) error
		state   job.State
		message string
		panics  float64
	}{
		"well":   {func(context.Context, *job.Run) error { return nil }, job.Completed, "", 0},
		"partly": {func(_ context.Context, r *job.Run) error { r.Partial("2 lines were bad."); return nil }, job.CompletedWithErrors, "2 lines were bad.", 0},
		"badly":  {func(context.Context, *job.Run) error { return fault.Errorf(fault.Denied, "x", "No.") }, job.Failed, "No.", 0},
		"advised": {func(context.Context, *job.Run) error {
			return fault.WithHint(fault.Errorf(fault.Denied, "x", "No."), "Ask.")
		}, job.Failed, "No. Ask.", 0},
		"foreign": {func(context.Context, *job.Run) error { return errors.New("secret") }, job.Failed, stopped, 0},
		"disk": {func(context.Context, *job.Run) error {
			return fault.WithHint(fault.Errorf(fault.Internal, "local", "the body is damaged: %w", errors.New("open /srv/secret")), "look below /srv")
		}, job.Failed, stopped, 0},
		"panic": {func(context.Context, *job.Run) error { panic("secret") }, job.Failed, "The work stopped on an internal error.", 1},
		"long": {func(context.Context, *job.Run) error {
			return fault.Errorf(fault.Invalid, "", "%s", strings.Repeat("é", 5000))
		}, job.Failed, strings.Repeat("é", job.MaxMessage-1) + "…", 0},
		"deadline": {func(context.Context, *job.Run) error { return context.DeadlineExceeded }, job.Failed, stopped, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
				rec := enqueue(t, l, job.New{})
				r, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: c.run})})
				defer stop()
				synctest.Wait()
				if got := wantState(t, l, rec, c.state); got.Message != c.message {
					t.Errorf("message %q, want %q", got.Message, c.message)
				}
				if n := metric(t, r, "tarn_job_ended_total", string(c.state)); n != 1 {
					t.Errorf("%v ended as %s, want 1", n, c.state)
				}
				if n := metric(t, r, "tarn_job_panics_total", string(kind)); n != c.panics {
					t.Errorf("%v panics, want %v", n, c.panics)
				}
			})
		})
	}
}

// metric is the value of the counter of that name that carries a label of that value.
func metric(t *testing.T, r *job.Runner, name, label string) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(r.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == label {
					return m.GetCounter().GetValue()
				}
			}
		}
	}
	return 0
}

func TestRunner_triesAgainWhileAFailurePasses(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		var at []time.Duration
		began := time.Now()
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Attempts: 4, Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			at = append(at, time.Since(began))
			if len(at) == 3 { // some progress: the count begins again
				if err := r.Checkpoint(ctx, "x", nil, job.Progress{PartsDone: 1}); err != nil {
					return err
				}
			}
			return fault.Errorf(fault.Unavailable, "s3", "The bucket does not answer.")
		}})})
		defer stop()
		time.Sleep(time.Hour)
		if got := wantState(t, l, rec, job.Failed); got.Message != "The bucket does not answer." {
			t.Error(got.Message)
		}
		want := []time.Duration{0, 1, 3, 4, 6, 10}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(at, want) {
			t.Errorf("tried at %v, want %v", at, want)
		}
	})
}

func TestRunner_canBeCancelledAndDrainedWhileItPauses(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		unavailable := work{run: func(context.Context, *job.Run) error { return fault.Errorf(fault.Unavailable, "", "Later.") }}
		first, second := enqueue(t, l, job.New{}), enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(unavailable)})
		synctest.Wait()
		if _, err := l.Cancel(t.Context(), store1, first.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantState(t, l, first, job.CancelCompleted)
		stop()
		wantState(t, l, second, job.InProgress)
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

// What a work had in its hands when it broke down may be a patient's: the log tells what kind of thing it was, and where.
func TestRunner_logsNoValueOfAPanic(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		var log bytes.Buffer
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Log: slog.New(slog.NewTextHandler(&log, nil)),
			Kinds: kinds(work{run: func(context.Context, *job.Run) error { panic("Zoe Zyzzyva, born 1950") }})})
		synctest.Wait()
		wantState(t, l, rec, job.Failed)
		stop()
		if text := log.String(); strings.Contains(text, "Zyzzyva") || !strings.Contains(text, "panic in a job") || !strings.Contains(text, "runner_test.go") {
			t.Errorf("logged %s", text)
		}
	})
}
