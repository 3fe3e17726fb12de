package export_test

import (
	"context"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/export"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// lazy is a writer that takes ten minutes for each piece.
type lazy struct{}

func (lazy) Write(p []byte) (int, error) {
	time.Sleep(10 * time.Minute)
	return len(p), nil
}

// lazyQueries finds one resource each ten minutes.
type lazyQueries struct{ n int }

func (q lazyQueries) SelectSeen(_ context.Context, _ *store.View, _ string, _ []r4.Code, _ r4.Code, _ string) iter.Seq2[store.Ordinal, error] {
	return func(yield func(store.Ordinal, error) bool) {
		for o := range q.n {
			time.Sleep(10 * time.Minute)
			if !yield(store.Ordinal(o), nil) {
				return
			}
		}
	}
}

func (lazyQueries) CheckSelectSeen(context.Context, *store.View, string, []r4.Code, r4.Code, string) error {
	return nil
}

// What takes longer than a job may be without progress, and goes on, is no stuck job; what does not go on is.
func TestExport_isNotStuckWhileItIsSlow(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		slow  func(*world, *export.Request)
		state job.State
	}{
		"a part of four hours": {func(w *world, _ *export.Request) {
			w.faults.read = func(_ context.Context, body io.Reader) error { _, err := io.Copy(lazy{}, body); return err }
		}, job.Completed},
		"no slot for four hours": {func(w *world, _ *export.Request) {
			release := w.exports.TakeSlotsForTest(2)
			time.AfterFunc(4*time.Hour, release)
		}, job.Completed},
		"a plan of four hours": {func(w *world, r *export.Request) {
			w.exports.UseQueries(lazyQueries{24})
			r.Selection.Filters = []string{"Patient?gender=male"}
		}, job.Completed},
		"a put that never returns": {func(w *world, _ *export.Request) {
			w.faults.read = func(ctx context.Context, _ io.Reader) error { <-ctx.Done(); return context.Cause(ctx) }
		}, job.Failed},
		"a put that never returns and a slot that never comes": {func(w *world, _ *export.Request) {
			w.put("Observation", 0, 1, "en")
			w.exports.TakeSlotsForTest(1)
			w.faults.read = func(ctx context.Context, _ io.Reader) error { <-ctx.Done(); return context.Cause(ctx) }
		}, job.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorldOf(t, export.Options{Workers: 2})
				w.put("Patient", 0, 24, long)
				r := w.request()
				c.slow(w, &r)
				rec, err := w.exports.Start(t.Context(), r)
				must(t, err)
				runner := job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{export.Kind: w.exports.Work()}})
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- runner.Run(ctx) }()
				time.Sleep(12 * time.Hour)
				stop()
				must(t, <-done)
				got := w.describe(rec.ID)
				if got.State != c.state || got.State == job.Failed && !strings.HasPrefix(got.Message, "The job made no progress for 15m") {
					t.Errorf("%s: %s", got.State, got.Message)
				}
			})
		})
	}
}
