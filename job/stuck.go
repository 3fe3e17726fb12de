package job

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"tarn/fault"
)

// ErrStuck is the cause of a context that ended because a work neither made progress nor gave a sign of life for
// RunnerOptions.StuckAfter.
var ErrStuck = errors.New("job: no progress")

// DefaultStuckAfter is how long a work may go on without any progress or sign of life when nothing else is said.
const DefaultStuckAfter = 15 * time.Minute

// attempt calls a work once and ends it when it makes no progress and gives no sign of life for too long: that is a passing
// failure like any other, so the job is begun again behind its last checkpoint. A work that does not heed the end of its
// context cannot be stopped; the job's lease then beats no more, so that another process may take it over.
func (r *Runner) attempt(ctx context.Context, t *task, run *Run, work Work) error {
	if r.o.StuckAfter < 0 {
		return r.guarded(ctx, run, work.Run)
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	deaf := new(atomic.Bool)
	t.deaf.Store(deaf)
	go r.watch(ctx, deaf, run, end)
	err := r.guarded(ctx, run, work.Run)
	stuck := errors.Is(context.Cause(ctx), ErrStuck)
	t.deaf.Store(nil)
	if err != nil && stuck {
		return fault.Errorf(fault.Unavailable, "job.Run", "The job made no progress for %s.", r.o.StuckAfter)
	}
	return err
}

// watch looks at a work's progress and signs of life from time to time until ctx ends or both have stood still for too long.
func (r *Runner) watch(ctx context.Context, deaf *atomic.Bool, run *Run, end context.CancelCauseFunc) {
	type sign struct {
		progress Progress
		planned  bool
		alive    uint64
	}
	look := func() sign {
		rec := run.Record()
		return sign{rec.Progress, rec.Planned, run.alive.Load()}
	}
	last, since := look(), time.Now()
	for sleep(ctx, max(r.o.StuckAfter/8, time.Millisecond)) {
		if now := look(); now != last {
			last, since = now, time.Now()
			continue
		}
		if time.Since(since) >= r.o.StuckAfter {
			r.metrics.stuck(run.kind)
			r.o.Log.Warn("job makes no progress; it is begun again as soon as its work has ended", "job", run.id, "kind", run.kind, "for", time.Since(since))
			deaf.Store(true)
			end(ErrStuck)
			return
		}
	}
}
