package job

import "context"

// Claim takes the job whose turn it is in a queue, as a Runner would; nil if there is none. A running one is taken
// over only if seizeAt is its beat.
func (l *Ledger) Claim(ctx context.Context, k Kind, datastore, owner string, seizeAt uint64) (*Run, error) {
	snap, err := l.space.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close()
	got, err := snap.Get(ctx, queueKey(k, datastore))
	if err != nil {
		return nil, err
	}
	q, err := decodeQueue(got[0], k, datastore)
	if err != nil {
		return nil, err
	}
	id, seen := "", sight{}
	if q.Running != nil {
		id = q.Running.ID
		r, _, err := l.read(ctx, id)
		if err != nil {
			return nil, err
		}
		seen = sight{r.Term, seizeAt}
	} else if len(q.Waiting) > 0 {
		id = q.Waiting[0].ID
	} else {
		return nil, nil
	}
	r, params, err := l.claim(ctx, namedQueue{k, datastore, q}, id, seen, owner)
	if err != nil || r == nil {
		return nil, err
	}
	return newRun(l, r, params), nil
}

// Finish ends a claimed job.
func (r *Run) Finish(ctx context.Context, s State, message string) error {
	_, err := r.ledger.finish(ctx, &row{ID: r.id, Kind: r.kind, Datastore: r.row.Datastore, Term: r.term}, s, message)
	return err
}

// Settle ends what was cancelled while waiting and marks the others QUEUED.
func (l *Ledger) Settle(ctx context.Context) error {
	snap, err := l.space.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	queues, err := readQueues(ctx, snap)
	if err != nil {
		return err
	}
	for _, q := range queues {
		if err := l.settle(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
