package job

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// perform brings one claimed job to its end, or gives it back when the process drains. It writes with a context that
// outlives the drain, so that a work that ended well is not done again.
func (r *Runner) perform(t *task, claimed *row, params []byte) {
	ctx := t.life
	log := r.o.Log.With("job", claimed.ID, "kind", claimed.Kind, "datastore", claimed.Datastore, "term", claimed.Term)
	run := newRun(r.ledger, claimed, params)
	work := r.o.Kinds[claimed.Kind]
	r.metrics.running(claimed.Kind, 1)
	defer r.metrics.running(claimed.Kind, -1)
	stopBeat := r.beat(t, run)
	defer stopBeat()
	log.Info("job claimed", "state", claimed.State)

	state, message := Completed, ""
	abandoned := func() {
		state = Failed // finish knows the message
		if err := r.failed(ctx, run, work, fault.Errorf(fault.Conflict, "job", "What the job worked on is gone.")); err != nil {
			log.Warn("an abandoned job could not be left in order", "error", err)
		}
	}
	switch {
	case claimed.State.Cancelling():
		state = CancelSubmitted
	case claimed.Abandoned != "":
		abandoned()
	default:
		var err error
		state, message, err = r.labour(t, run, work)
		switch cause := context.Cause(t.work); {
		case errors.Is(err, ErrTermLost) || errors.Is(cause, ErrTermLost):
			log.Warn("job lost to another worker")
			return
		case err == nil && !errors.Is(cause, ErrCancelled):
		case errors.Is(cause, ErrDrain):
			r.giveBack(ctx, run, log.Warn)
			return
		case errors.Is(cause, ErrCancelled):
			state = CancelSubmitted
		case errors.Is(cause, ErrAbandoned):
			abandoned()
		default:
			state, message = Failed, failure(err)
			log.Error("job failed", "error", err)
			if failed := r.failed(ctx, run, work, err); failed != nil {
				log.Error("a failed job could not be left in order", "error", failed)
			}
		}
	}
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		if state == CancelSubmitted {
			if state, message = r.tidy(ctx, run, work); state == "" {
				r.giveBack(ctx, run, log.Warn)
				return
			}
		}
		final, err := r.ledger.finish(context.WithoutCancel(ctx), claimed, state, message)
		switch {
		case err == nil:
			r.metrics.ended(claimed.Kind, final.State)
			log.Info("job ended", "state", final.State, "resources", final.Progress.Resources, "bytes", final.Progress.Bytes)
			return
		case errors.Is(err, ErrCancelled):
			state = CancelSubmitted
			continue
		case lost(err):
			log.Warn("job lost to another worker")
			return
		}
		log.Error("the end of a job could not be written", "error", err)
		if !sleep(ctx, pause) {
			return // another claim will find it IN_PROGRESS and end it
		}
	}
}

// labour runs the work, again after a pause while it fails with fault.Unavailable or awaits something.
func (r *Runner) labour(t *task, run *Run, work Work) (State, string, error) {
	ctx := t.work
	pause, failures, patience := firstPause, 0, firstPause
	for {
		before := run.Record().Progress
		err := r.attempt(ctx, t, run, work)
		if err == nil {
			state, message := run.outcome()
			return state, message, nil
		}
		if ctx.Err() != nil || !fault.Is(err, fault.Unavailable) && !errors.As(err, new(*awaiting)) {
			return "", "", err
		}
		if again := r.recall(ctx, run); again != nil {
			if lost(again) {
				again = ErrTermLost
			}
			return "", "", again
		}
		if r.awaits(ctx, run, err) {
			if !r.stepAside(ctx, t, patience) {
				return "", "", err
			}
			patience = min(2*patience, maxPause)
			continue
		}
		patience = firstPause
		if run.Record().Progress != before {
			pause, failures = firstPause, 0
		}
		if failures++; failures >= r.o.Attempts {
			return "", "", err
		}
		r.o.Log.Warn("job will be tried again", "job", run.id, "in", pause, "error", err)
		r.metrics.retried(run.kind)
		if !sleep(ctx, pause) {
			return "", "", err
		}
		pause = min(2*pause, maxPause)
	}
}

// recall reads again what is on record of a job whose work has failed, for as long as it takes: a write of which the work
// was told that it failed may have taken effect, and a work that did not know of its own plan would make another.
func (r *Runner) recall(ctx context.Context, run *Run) error {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := run.refresh(ctx)
		if err == nil || lost(err) {
			return err
		}
		if ctx.Err() == nil {
			r.o.Log.Error("the record of a job could not be read", "job", run.id, "error", err)
		}
		if !sleep(ctx, pause) {
			return err
		}
	}
}

// tidy cleans up after a cancelled job. An empty state says that the process drains meanwhile.
func (r *Runner) tidy(ctx context.Context, run *Run, work Work) (State, string) {
	pause, failures := firstPause, 0
	for {
		err := run.write(ctx, "job.cancel", func(_ kv.Locked, row *row, _ *kv.Batch) error {
			row.State = CancelInProgress
			return nil
		})
		if err == nil {
			canceller, ok := work.(Canceller)
			if !ok {
				return CancelCompleted, ""
			}
			if err = r.guarded(ctx, run, canceller.Cancelled); err == nil {
				return CancelCompleted, ""
			}
		}
		switch {
		case lost(err):
			return CancelFailed, "" // finish will find the term over and write nothing
		case ctx.Err() != nil:
			return "", ""
		case !fault.Is(err, fault.Unavailable):
			return CancelFailed, failure(err)
		}
		if failures++; failures >= r.o.Attempts {
			return CancelFailed, failure(err)
		}
		if !sleep(ctx, pause) {
			return "", ""
		}
		pause = min(2*pause, maxPause)
	}
}

// failedTime bounds how long a work may take to leave a failed job in order.
const failedTime = time.Minute

// failed lets a work leave a failed job in order, while the process drains too.
func (r *Runner) failed(ctx context.Context, run *Run, work Work, reason error) error {
	f, ok := work.(Failer)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), failedTime)
	defer cancel()
	return r.guarded(ctx, run, func(ctx context.Context, run *Run) error { return f.Failed(ctx, run, reason) })
}

// guarded calls a work and turns a panic into an error.
func (r *Runner) guarded(ctx context.Context, run *Run, call func(context.Context, *Run) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.metrics.panicked(run.kind)
			// The value may hold anything that the work had in its hands: only its type is told.
			r.o.Log.Error("panic in a job", "job", run.id, "panic", told(p), "stack", string(debug.Stack()))
			err = fault.Errorf(fault.Internal, "job.Run", "The work stopped on an internal error.")
		}
	}()
	return call(ctx, run)
}

// beat shows from time to time that the worker lives, and ends the work when the term is lost. With no lease nobody
// watches, and nothing is written.
func (r *Runner) beat(t *task, run *Run) (stop func()) {
	if r.o.Lease <= 0 {
		return func() {}
	}
	beatCtx, end := context.WithCancel(context.WithoutCancel(t.life))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(beatCtx, r.o.Lease/3) {
			if deaf := t.deaf.Load(); deaf != nil && deaf.Load() {
				continue // whoever watches may take the job over
			}
			err := run.Beat(beatCtx)
			if lost(err) {
				t.endLife(ErrTermLost)
				return
			}
		}
	}()
	return func() { end(); <-done }
}

// giveBack lets anyone go on with the job at once.
func (r *Runner) giveBack(ctx context.Context, run *Run, warn func(string, ...any)) {
	err := run.write(context.WithoutCancel(ctx), "job.giveBack", func(_ kv.Locked, row *row, _ *kv.Batch) error {
		row.Owner, row.Rate = "", Pace{}
		return nil
	})
	if err != nil && !lost(err) {
		warn("a job could not be given back; it goes on after the lease", "error", err)
		return
	}
	r.ledger.broadcast()
}

// told is what of a panic's value may stand in the log.
func told(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}

// failure is the sentence for Record.Message, which whoever may describe the job can read: what a disk or a database says
// of itself is for the log only.
func failure(err error) string {
	if kind := fault.KindOf(err); (kind == fault.Internal || kind == fault.Unavailable) && fault.HasForeignCause(err) {
		return "The job stopped on an error of the server. Its log tells more under the id of the job."
	}
	message := fault.Message(err)
	if hint := fault.Hint(err); hint != "" {
		message += " " + hint
	}
	return cut(message, MaxMessage)
}

// sleep reports whether the whole pause went by before ctx ended.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
