package ingest

import (
	"context"
	"encoding/json"
	"errors"

	"tarn/fault"
	"tarn/fhir/validate"
	"tarn/job"
	"tarn/store"
	"tarn/synth"
)

// PreloadPatients is the size of the sample population that PreloadDataConfig SYNTHEA gives a data store.
const PreloadPatients = 100

// PreloadWork fills data stores that are created with a sample population.
func (s *Service) PreloadWork() job.Work { return preloadWork{s} }

type preloadWork struct{ *Service }

// Run implements job.Work. The number of resources done rides with each batch, so that a job which was killed goes on
// behind it: the population is the same each time.
func (w preloadWork) Run(ctx context.Context, run *job.Run) error {
	id := run.Record().Datastore
	err := w.fill(ctx, id, run)
	if err == nil {
		err = w.o.Datastores.Activate(ctx, id)
	}
	return err
}

// Failed implements job.Failer: the data store does not stay CREATING, in which state it could not even be deleted. Where
// that cannot be written either, whoever looks after data stores that are CREATING asks for the preload again.
func (w preloadWork) Failed(ctx context.Context, run *job.Run, reason error) error {
	return w.giveUp(ctx, run, sentence("preload", reason), fault.Is(reason, fault.Unavailable))
}

// Cancelled implements job.Canceller, likewise.
func (w preloadWork) Cancelled(ctx context.Context, run *job.Run) error {
	return w.giveUp(ctx, run, "The preload was cancelled.", true)
}

func (w preloadWork) giveUp(ctx context.Context, run *job.Run, why string, retryable bool) error {
	err := w.o.Datastores.Fail(ctx, run.Record().Datastore, why, retryable)
	if goes(err) { // it is ACTIVE, or is being deleted
		return nil
	}
	return err
}

var preloadKey = []byte("preload/done")

func (w preloadWork) fill(ctx context.Context, id string, run *job.Run) error {
	st, err := w.o.Datastores.Loading(ctx, id)
	if err != nil {
		return err
	}
	return preload(ctx, st, PreloadPatients, func(n int) error {
		return run.SetProgress(ctx, func(p *job.Progress) { p.Resources = int64(n) })
	})
}

// preload writes what is left of a population, and tells after each batch how many resources are done. A batch is applied
// only behind the one before it: a worker that was overtaken by another adds nothing.
func preload(ctx context.Context, st *store.Store, patients int, tell func(done int) error) error {
	done := 0
	place, err := st.Rider(ctx, preloadKey)
	if err != nil {
		return err
	}
	if place != nil {
		if err := json.Unmarshal(place, &done); err != nil {
			return fault.Errorf(fault.Internal, "ingest.preload", "the place of the preload is damaged: %w", err)
		}
	}
	prepare, n, size := newPreparer(validate.Strict, nil), 0, 0
	var writes []store.Write
	flush := func() error {
		next, _ := json.Marshal(n) // a number: it cannot fail
		_, err := st.Commit(ctx, store.Transaction{Writes: writes, Given: &store.Rider{Key: preloadKey, Value: place},
			Riders: []store.Rider{{Key: preloadKey, Value: next}}, Bulk: true})
		if errors.Is(err, store.ErrStale) {
			return fault.Errorf(fault.Unavailable, "ingest.preload", "another worker has moved the preload on: %w", err)
		}
		if err != nil {
			return err
		}
		place, writes, size = next, writes[:0], 0
		return tell(n)
	}
	for r := range synth.Population(synth.Options{Seed: 1, Patients: patients}) {
		if n++; n <= done {
			continue
		}
		w, _, err := prepare.write(r.JSON)
		if err != nil {
			return fault.Wrap("ingest.preload", err)
		}
		writes = append(writes, w)
		if size += len(r.JSON); len(writes) == batchLines || size >= batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// DeleteWork drops what deleted data stores held. Their other jobs fail, those that wait and those that run: what they work
// on goes.
func (s *Service) DeleteWork() job.Work { return deleteWork{s} }

type deleteWork struct{ *Service }

// Run implements job.Work.
func (w deleteWork) Run(ctx context.Context, run *job.Run) error {
	self := run.Record()
	others, err := w.o.Ledger.Active(ctx, self.Datastore)
	if err != nil {
		return err
	}
	for _, j := range others {
		if j.ID == self.ID {
			continue
		}
		if err := w.o.Ledger.Abandon(ctx, j.Datastore, j.ID, "The data store was deleted."); err != nil && !fault.Is(err, fault.Conflict) { // it has ended by itself
			return err
		}
	}
	return w.o.Datastores.Purge(ctx, self.Datastore)
}
