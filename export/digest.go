package export

import (
	"context"

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
// An error of yield ends it. What has been erased since, or removed from history, it cannot compute: files that hold such are
// given as they were recorded when they were written, and the Loss tells of them.
func (s *Service) Digests(ctx context.Context, datastore, jobID string, yield func(File) error) (loss Loss, err error) {
	const op = "export.Digests"
	_, j, err := s.Describe(ctx, datastore, jobID)
	if err != nil {
		return loss, fault.Wrap(op, err)
	}
	data, err := s.datastores.Store(ctx, datastore)
	if err != nil {
		return loss, fault.Wrap(op, err)
	}
	p, err := s.newProofs(ctx, data, jobID, j)
	if err != nil {
		return loss, fault.Wrap(op, err)
	}
	if err := inOrder(ctx, len(p.plan), cap(s.readers), p.part, func(_ int, one proved) error {
		loss.add(one.lost)
		for _, f := range one.files {
			if err := yield(f); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return loss, fault.Wrap(op, err)
	}
	if body, f := ignoredFile(j, p.number); body != nil {
		return loss, yield(f)
	}
	return loss, nil
}

// discard is a sink that keeps nothing: the digest is made before it.
type discard struct{}

func (discard) write([]byte) error        { return nil }
func (discard) finish(File, []byte) error { return nil }
