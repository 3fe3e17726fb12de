package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"tarn/cloud"
	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// finish ends an import that has come to its end. The place stays, so that a finish that is done again finds it.
func (e *execution) finish(ctx context.Context) error {
	if err := e.putManifest(ctx); err != nil {
		return err
	}
	if err := e.tell(ctx, true); err != nil {
		return err
	}
	if n := e.at.Total.Failed; n > 0 {
		e.run.Partial(fmt.Sprintf("%d of %d resources were not imported. The folder FAILURE of the output says which and why.", n, e.at.Total.Scanned))
	}
	return nil
}

func (e *execution) putManifest(ctx context.Context) error {
	b, err := newManifest(e.job, e.id, e.files, e.at).marshal()
	if err != nil {
		return fault.Wrap("ingest.finish", err)
	}
	return e.out.Put(ctx, e.folder+"manifest.json", bytes.NewReader(b), int64(len(b)), cloud.PutOptions{KMSKeyID: e.job.KeyARN, ContentType: "application/json"})
}

// Failed implements job.Failer. The logs and the manifest say how far the job came, if they can be written.
func (w importWork) Failed(ctx context.Context, run *job.Run, reason error) error {
	unread := int64(0)
	if errors.As(reason, new(*unreadable)) {
		unread = 1
	}
	return w.end(ctx, run, sentence("import", reason), unread)
}

// Cancelled implements job.Canceller.
func (w importWork) Cancelled(ctx context.Context, run *job.Run) error {
	return w.end(ctx, run, "The import was cancelled.", 0)
}

// sentence is what may be said to a user of why a job has failed; what names its kind.
func sentence(what string, reason error) string {
	why := fault.Message(reason)
	if hint := fault.Hint(reason); hint != "" {
		why += " " + hint
	}
	if kind := fault.KindOf(reason); (kind == fault.Internal || kind == fault.Unavailable) && fault.HasForeignCause(reason) {
		why = "The " + what + " stopped on an error of the server. Its log tells more under the id of the job."
	}
	return why
}

// conclude writes the logs, as far as the job came, and the manifest, and deletes what was kept of the logs; it may be
// done again. Where a log cannot be written for now, nothing is deleted; where it never can, that is the error.
func (e *execution) conclude(ctx context.Context) error {
	at := e.at
	at.Owed, at.kept = e.at.withOwn(), kept{}
	var errs []error
	for i := range at.Owed {
		o := &at.Owed[i]
		if o.Logged {
			continue
		}
		f, err := e.files.at(o.File)
		if err == nil {
			err = e.putLogs(ctx, *o, f)
		}
		if fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		errs = append(errs, err)
		o.Logged = true
	}
	if err := e.putManifest(ctx); err != nil {
		if fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
	}
	var err error
	e.at, err = drop(ctx, e.store, e.id, at)
	if lost := errors.Join(errs...); lost != nil && err == nil {
		return lostLogs{lost}
	}
	return errors.Join(append(errs, err)...)
}

// end ends a job that does not go on; unread is how many files could not be read. What cannot be written now is left to Tidy.
func (w importWork) end(ctx context.Context, run *job.Run, why string, unread int64) error {
	rec := run.Record()
	j, err := ParseJob(rec.Params)
	if err != nil {
		return err
	}
	st, err := w.o.Datastores.Store(ctx, j.Datastore)
	if goes(err) {
		return nil
	}
	if err == nil && run.Planned() { // without a plan nothing was done
		err = w.close(ctx, rec, j, st, why, unread, func(e *execution) error {
			e.run = run
			return e.tell(ctx, true)
		})
	}
	if err != nil {
		w.wake()
	}
	return err
}

// goes reports whether a data store cannot be had since it is being deleted, with all that is in it.
func goes(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) || fault.Is(err, fault.Conflict)
}

// close ends what is in the data store of a job that has a plan and does not go on. Its place says so first: should its
// record not say so, since the process dies, or should another worker not know yet that the job is no longer its own, then
// nothing is added behind logs that are closed. It may be done again; what is done already stays done.
func (s *Service) close(ctx context.Context, rec job.Record, j Job, st *store.Store, why string, unread int64, tell func(*execution) error) error {
	at, err := readPlace(ctx, st, rec.ID)
	if err == nil && at.Ended == "" {
		next := at
		next.Ended, next.Total.FilesFailed = why, unread
		at, err = at.move(ctx, st, rec.ID, next, nil)
	}
	if err != nil || at.Closed {
		return err
	}
	files, err := readPlan(s.o.Ledger.Plan(ctx, rec.ID))
	if err == nil { // whatever becomes of the logs: nobody tells it later
		err = tell(&execution{at: at, files: files})
	}
	if err != nil {
		return err
	}
	e, err := s.execution(ctx, rec, j, st)
	switch {
	case err == nil:
	case fault.Is(err, fault.Unavailable) || ctx.Err() != nil:
		return err
	default: // the role cannot be had, so no log can be written
		if _, dropped := drop(ctx, st, rec.ID, at); dropped != nil {
			return errors.Join(err, dropped)
		}
		return lostLogs{err}
	}
	e.files = files
	return e.conclude(ctx)
}

// drop deletes what is kept of logs, which are written or never will be, and says in the place that nothing is left to do.
func drop(ctx context.Context, st *store.Store, id string, at place) (place, error) {
	at.Owed, at.kept = at.withOwn(), kept{}
	for i := range at.Owed {
		at.Owed[i].Logged = true
	}
	at, err := forget(ctx, st, id, at)
	if err != nil {
		return at, err
	}
	next := at
	next.Closed = true
	return at.move(ctx, st, id, next, nil)
}
