package export

import (
	"context"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
	"tarn/store"
)

// Start checks a request (Preflight), fixes the transaction that the export shows and queues the job. Errors:
// fault.NotFound and fault.Conflict of the data store, *PreflightError with all findings, fault.Throttled where
// MaxWaiting exports wait. The same ClientToken with the same request gives the job that it made before.
func (s *Service) Start(ctx context.Context, r Request) (job.Record, error) {
	const op = "export.Start"
	if rec, found, err := s.ledger.Lookup(ctx, Kind, r.Datastore, r.ClientToken, r.fingerprint()); found || err != nil {
		return rec, fault.Wrap(op, err)
	}
	data, err := s.datastores.Store(ctx, r.Datastore)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	j, err := r.job()
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	if err := s.checkSelection(ctx, data, &j); err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	var checked Checked
	if !j.Own {
		if checked, err = s.destination(j).Check(ctx, s.cloud); err != nil {
			return job.Record{}, fault.Wrap(op, err)
		}
	}
	if len(checked.Findings) > 0 {
		return job.Record{}, &PreflightError{Job: "export", Findings: checked.Findings}
	}
	at, err := data.Fix(ctx)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	if j.Selection.Since > at.Instant+ahead {
		return job.Record{}, refuse("_since", "it is in the future")
	}
	if j.Selection.Until > at.Instant { // what is changed between the two would be in no window
		return job.Record{}, refuse("_until", "it is in the future: the data store's time is %s. Leave it out for all that has been changed by now; transactionTime of the export is the _since of the next", at.Instant)
	}
	j.MaxLines, j.MaxBytes = s.lines, s.bytes
	j.KeyARN, j.TxID, j.TransactionTime = checked.KeyARN, at.Tx, at.Instant
	params, err := j.marshal()
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	rec, _, err := s.ledger.Enqueue(ctx, job.New{Kind: Kind, Datastore: r.Datastore, Name: r.JobName, Params: params,
		ClientToken: r.ClientToken, Fingerprint: r.fingerprint(), MaxWaiting: MaxWaiting})
	return rec, fault.Wrap(op, err)
}

// ahead is how far a caller's clock may be ahead of the data store's, in milliseconds.
const ahead = fhir.Instant(time.Minute / time.Millisecond)

// checkSelection refuses what a selection asks for and cannot be given: what has no sound form, a group or patients that
// are not there, queries that a search would refuse.
func (s *Service) checkSelection(ctx context.Context, data *store.Store, j *Job) error {
	if err := j.Selection.check(); err != nil || j.Selection.isZero() {
		return err
	}
	v, err := data.Latest(ctx)
	if err != nil {
		return err
	}
	now := *j
	now.TransactionTime = fhir.InstantOf(time.Now())
	c, err := newChooser(ctx, v, &now, s.queries)
	if err == nil {
		err = c.checkQueries()
	}
	return closing(err, v.Close())
}
