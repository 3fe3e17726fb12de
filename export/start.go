package export

import (
	"context"

	"tarn/fault"
	"tarn/job"
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
	checked, err := s.destination(j).Check(ctx, s.cloud)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	if len(checked.Findings) > 0 {
		return job.Record{}, &PreflightError{Job: "export", Findings: checked.Findings}
	}
	at, err := data.Fix(ctx)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	j.KeyARN, j.TxID, j.TransactionTime = checked.KeyARN, at.Tx, at.Instant
	params, err := j.marshal()
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	rec, _, err := s.ledger.Enqueue(ctx, job.New{Kind: Kind, Datastore: r.Datastore, Name: r.JobName, Params: params,
		ClientToken: r.ClientToken, Fingerprint: r.fingerprint(), MaxWaiting: MaxWaiting})
	return rec, fault.Wrap(op, err)
}
