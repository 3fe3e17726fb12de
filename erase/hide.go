package erase

import (
	"context"
	"errors"

	"tarn/fault"
	"tarn/fhir/r4"
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
	if goes(err) {
		return nil // it is being deleted, with all that is in it
	}
	if err != nil {
		return err
	}
	// After a failure too: this attempt, or one before, may have taken effect.
	defer w.wake(rec.Datastore)
	// It tells how far it is, so that a long history is not taken for no progress.
	n, err := w.hideMeant(ctx, st, rec.ID, p, code, func(looked int64) error {
		return run.SetProgress(ctx, func(p *job.Progress) { p.ResourcesTotal = looked })
	})
	if errors.Is(err, store.ErrIndexing) { // by which compartments are found
		return job.Awaiting(err)
	}
	if err != nil {
		return err
	}
	return run.SetProgress(ctx, func(p *job.Progress) { p.Resources = int64(n) })
}

// hideMeant hides what an erasure means, and tells how many that were at first. Whoever comes late, after the same erasure
// was carried out and purged, leaves alone what was made anew since: it decides as of the request, and holds what it saw
// against what stands.
func (s *Service) hideMeant(ctx context.Context, st *store.Store, jobID string, p params, code r4.Code, tell func(looked int64) error) (int, error) {
	names, kept, err := s.meant(ctx, st, p, code, tell)
	if err != nil {
		return 0, err
	}
	again := func(changed []store.Name) ([]store.Name, []string, error) { return s.again(ctx, st, p, code, changed) }
	return len(names), s.hide(ctx, st, jobID, p, names, kept, again)
}

// mostAtOnce is how many resources are hidden in one transaction; these fit as a rule.
const mostAtOnce = 8000

// mostChanges is how often it is decided anew of resources that others change meanwhile, before the job is left for a while.
const mostChanges = 50

// hide takes resources from sight in one transaction, or where they are too many in several, the last of names in the last.
// Those that were changed since they were seen are hidden only if again still gives them.
func (s *Service) hide(ctx context.Context, st *store.Store, jobID string, p params, names []store.Name, kept []string,
	again func(changed []store.Name) (names []store.Name, kept []string, err error),
) error {
	var once [][]byte
	if !p.Compartment { // it is tried twice at about the same time
		once = [][]byte{onceKey(jobID)}
	}
	fit, changes := s.atOnce, 0
	for len(names) > 0 {
		some := names[:min(len(names), fit)]
		err := s.hideSome(ctx, st, jobID, once, some, kept)
		var changed *store.ChangedError
		switch {
		case err == nil || errors.Is(err, store.ErrDone):
			names = names[len(some):]
		case errors.As(err, &changed):
			if changes++; changes > mostChanges {
				return fault.Errorf(fault.Unavailable, "erase", "What is to be erased is changed all the time; it is tried again.")
			}
			var more []string
			if names, more, err = renewed(names, changed.Resources, again); err != nil {
				return err
			}
			kept = append(kept, more[:min(len(more), max(0, maxKept-len(kept)))]...)
		case fault.Is(err, fault.TooLarge) && len(some) > 1:
			fit = len(some) / 2
		default:
			return err
		}
	}
	return nil
}

// renewed are names with those at some indexes decided anew, in their order.
func renewed(names []store.Name, changed []int, again func([]store.Name) ([]store.Name, []string, error)) (_ []store.Name, kept []string, err error) {
	var theirs []store.Name
	for _, i := range changed {
		theirs = append(theirs, names[i])
	}
	theirs, kept, err = again(theirs)
	if err != nil {
		return nil, nil, err
	}
	still := make(map[store.Name]store.TxID, len(theirs))
	for _, n := range theirs {
		still[store.Name{Type: n.Type, ID: n.ID}] = n.Tx
	}
	all, at := make([]store.Name, 0, len(names)), 0
	for i, n := range names {
		if at < len(changed) && changed[at] == i {
			at++
			tx, ok := still[store.Name{Type: n.Type, ID: n.ID}]
			if !ok {
				continue
			}
			n.Tx = tx
		}
		all = append(all, n)
	}
	return all, kept, nil
}

func (s *Service) hideSome(ctx context.Context, st *store.Store, jobID string, once [][]byte, names []store.Name, kept []string) error {
	_, err := st.Erase(ctx, store.Erasure{Resources: names, Once: once,
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
				return nil // and nothing that would have to be removed
			}
			left.tx = rec.Tx
			riders := append(rec.riders(), store.Rider{Key: pendingKey(rec.Tx), Value: left.encode()})
			for _, key := range once {
				riders = append(riders, store.Rider{Key: key, Value: []byte{}})
			}
			return riders
		}})
	return err
}
