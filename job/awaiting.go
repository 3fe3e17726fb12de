package job

import (
	"context"
	"errors"

	"tarn/fault"
	"tarn/kv"
)

// Awaiting says of a work's error that it is no failure: what the job needs is not there yet and comes by itself, however
// long that takes. The work is begun again after a while, which counts as no attempt, and the sentence of err is the Message
// of the job until it has made progress. Kind and sentence stay; nil stays nil.
func Awaiting(err error) error {
	if err == nil {
		return nil
	}
	return &awaiting{err}
}

type awaiting struct{ err error }

func (a *awaiting) Error() string { return a.err.Error() }
func (a *awaiting) Unwrap() error { return a.err }

// awaits tells what a job waits for, where err says that it does.
func (r *Runner) awaits(ctx context.Context, run *Run, err error) bool {
	var a *awaiting
	if !errors.As(err, &a) {
		return false
	}
	what := cut(fault.Message(a.err), MaxMessage)
	if run.Record().Message == what {
		return true
	}
	r.o.Log.Info("job waits", "job", run.id, "kind", run.kind, "for", what)
	if err := run.write(ctx, "job.await", func(_ kv.Locked, row *row, _ *kv.Batch) error {
		row.Message = what
		return nil
	}); err != nil && ctx.Err() == nil {
		r.o.Log.Warn("what a job waits for could not be written", "job", run.id, "error", err)
	}
	return true
}
