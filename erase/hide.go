package erase

import (
	"context"
	"errors"

	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// Work hides what erasures are to erase.
func (s *Service) Work() job.Work { return work{s} }

type work struct{ *Service }

// Run implements job.Work. What it does again after a stop changes nothing the second time.
func (w work) Run(ctx context.Context, run *job.Run) error {
	rec := run.Record()
	p, code, err := parseParams(rec.Params)
	if err != nil {
		return err
	}
	st, err := w.o.Datastores.Store(ctx, rec.Datastore)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) || fault.Is(err, fault.Conflict) {
		return nil // it is being deleted, with all that is in it
	}
	if err != nil {
		return err
	}
	names, kept, err := w.meant(ctx, st, p, code)
	if err != nil {
		return err
	}
	defer w.wake(rec.Datastore) // after a failure too: it may have taken effect
	if err := w.hide(ctx, st, rec.ID, p, names, kept); err != nil {
		return err
	}
	return run.SetProgress(ctx, func(p *job.Progress) { p.Resources = int64(len(names)) })
}

// hide takes resources from sight in one transaction, or where they are too many in several, the last of names in the last.
func (s *Service) hide(ctx context.Context, st *store.Store, jobID string, p params, names []store.Name, kept []string) error {
	var once [][]byte
	if !p.Compartment { // it is tried twice at about the same time
		once = [][]byte{onceKey(jobID)}
	}
	for len(names) > 0 {
		some := names
		err := s.hideSome(ctx, st, jobID, once, some, kept)
		for fault.Is(err, fault.TooLarge) && len(some) > 1 {
			some = some[:len(some)/2]
			err = s.hideSome(ctx, st, jobID, once, some, kept)
		}
		if err != nil && !errors.Is(err, store.ErrDone) {
			return err
		}
		names = names[len(some):]
	}
	return nil
}

func (s *Service) hideSome(ctx context.Context, st *store.Store, jobID string, once [][]byte, names []store.Name, kept []string) error {
	var done []store.Rider
	for _, key := range once {
		done = append(done, store.Rider{Key: key, Value: []byte{}})
	}
	_, err := st.Erase(ctx, store.Erasure{Resources: names, Once: once, Riders: done,
		Report: func(results []store.Result) []store.Rider {
			rec, left := Record{Format: 1, Erasure: jobID, Counts: map[string]int{}, Kept: kept}, pending{job: jobID}
			for i := range results {
				r := &results[i]
				if r.Change == store.None {
					continue
				}
				rec.Counts[r.Type.String()]++
				rec.Tx, rec.Instant = r.Tx, int64(r.Instant)
				left.places = append(left.places, store.Place{Type: r.Type, Ordinal: r.Ordinal})
			}
			if rec.Tx == 0 {
				return nil
			}
			left.tx = rec.Tx
			return []store.Rider{{Key: recordKey(rec.Tx, jobID), Value: rec.encode()}, {Key: pendingKey(rec.Tx), Value: left.encode()}}
		}})
	return err
}
