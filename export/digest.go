package export

import (
	"context"
	"errors"

	"tarn/fault"
	"tarn/job"
)

// Describe is an export as its job knows it.
func (s *Service) Describe(ctx context.Context, datastore, jobID string) (job.Record, Job, error) {
	rec, err := s.ledger.Describe(ctx, datastore, jobID)
	if err != nil {
		return rec, Job{}, err
	}
	if rec.Kind != Kind {
		return rec, Job{}, fault.Errorf(fault.NotFound, "export.Describe", "There is no export job %s of data store %s.", jobID, datastore)
	}
	j, err := parseJob(rec.Params)
	return rec, j, err
}

// Digests computes again, from the data store as of the job's transaction, what each file of an export must be, in the
// manifest's order, and calls yield for each. It reads what the export read and writes nothing; the bucket is not
// looked at. It reads as many parts at once as the Service has workers, over all callers, and ends soon after ctx does.
// An error of yield ends it.
func (s *Service) Digests(ctx context.Context, datastore, jobID string, yield func(File) error) error {
	const op = "export.Digests"
	_, j, err := s.Describe(ctx, datastore, jobID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	data, err := s.datastores.Store(ctx, datastore)
	if err != nil {
		return fault.Wrap(op, err)
	}
	v, err := data.At(ctx, j.TxID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	plan, err := planSelection(ctx, data, v, &j, s.queries)
	if err = errors.Join(err, v.Close()); err != nil {
		return fault.Wrap(op, err)
	}
	number := jobNumber(jobID)
	part := func(ctx context.Context, k int) ([]File, error) {
		select {
		case s.readers <- struct{}{}:
			defer func() { <-s.readers }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		v, err := data.At(ctx, j.TxID) // one view a part, so that no snapshot of the engine is held for long
		if err != nil {
			return nil, err
		}
		files, err := writePart(ctx, v, j, number, plan[k], discard{}, s.share)
		return files, fault.Wrap(op, errors.Join(err, v.Close()))
	}
	if err := inOrder(ctx, len(plan), cap(s.readers), part, func(_ int, files []File) error {
		for _, f := range files {
			if err := yield(f); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if body, f := ignoredFile(j, number); body != nil {
		return yield(f)
	}
	return nil
}

// discard is a sink that keeps nothing: the digest is made before it.
type discard struct{}

func (discard) write([]byte) error        { return nil }
func (discard) finish(File, []byte) error { return nil }
