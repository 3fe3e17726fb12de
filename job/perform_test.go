package job_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

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
