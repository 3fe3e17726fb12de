package job

import (
	"context"

	"tarn/fault"
	"tarn/kv"
)

// ErrTermLost says that a job was claimed anew since, or has ended: the worker that gets it stops, and has written
// nothing.
var ErrTermLost = &fault.Error{Op: "job", Kind: fault.Conflict, Msg: "another worker has taken over the job"}

// sight is what a runner saw of a running job's lease.
type sight struct{ term, beat uint64 }

// claim takes the lease of a job that stands first in its queue, or of the running one if its lease is still as seen
// (or was given back). It returns nil when somebody was faster.
func (l *Ledger) claim(ctx context.Context, of namedQueue, id string, seen sight, owner string) (*row, []byte, error) {
	var claimed *row
	var params []byte
	lock := [][]byte{queueKey(of.kind, of.datastore), recordKey(id)}
	err := l.space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		q, r, err := decodeBoth(tx, &row{ID: id, Kind: of.kind, Datastore: of.datastore})
		if err != nil {
			return nil, err
		}
		got, err := tx.Get(ctx, paramsKey(id))
		if err != nil {
			return nil, err
		}
		params = got[0]
		b := new(kv.Batch)
		started := false
		switch {
		case q.Running != nil && q.Running.ID == id:
			if r.Owner != "" && (r.Term != seen.term || r.Beat != seen.beat) {
				return nil, nil
			}
		case q.Running == nil && len(q.Waiting) > 0 && q.Waiting[0].ID == id && !q.Waiting[0].ends():
			p := q.Waiting[0]
			p.Queued = false
			q.Running, q.Waiting = &p, q.Waiting[1:]
			r.State, started = InProgress, true
			r.Started = l.now().UnixMilli()
			setQueue(b, of.kind, of.datastore, q)
		default:
			return nil, nil
		}
		r.Term++
		r.Beat++
		r.Owner = owner
		r.Message = "" // what it awaited
		r.Rate, r.Paced = Pace{}, l.now().UnixMilli()
		claimed = r
		b.Set(recordKey(id), encode(r))
		if started {
			l.observe(b, r, params)
		}
		return b, nil
	})
	if err != nil {
		return nil, nil, fault.Wrap("job.claim", err)
	}
	if claimed != nil {
		l.broadcast()
	}
	return claimed, params, nil
}

// settle ends jobs that were cancelled or abandoned while they waited, and marks those behind another one as QUEUED.
func (l *Ledger) settle(ctx context.Context, of namedQueue) error {
	lock := [][]byte{queueKey(of.kind, of.datastore)}
	var touched []string
	for i, p := range of.Waiting {
		if p.ends() || !p.Queued && (of.Running != nil || i > 0) {
			touched = append(touched, p.ID)
			lock = append(lock, recordKey(p.ID))
		}
	}
	if len(touched) == 0 {
		return nil
	}
	err := l.space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		q, err := decodeQueue(tx.Values[0], of.kind, of.datastore)
		if err != nil {
			return nil, err
		}
		params, err := l.observed(ctx, tx, touched...)
		if err != nil {
			return nil, err
		}
		b := new(kv.Batch)
		for i, id := range touched {
			p := q.find(id)
			if p == nil || p == q.Running {
				continue
			}
			r, err := decodeRow(tx.Values[1+i], id)
			if err != nil {
				return nil, err
			}
			if p.ends() {
				if r.State = CancelCompleted; !p.Cancel {
					r.State, r.Message = Failed, r.Abandoned
				}
				q.remove(id)
				r.end(l.now())
			} else {
				p.Queued = true
				r.State = Queued
			}
			b.Set(recordKey(id), encode(r))
			l.observe(b, r, params[i])
		}
		if b.Len() == 0 {
			return nil, nil
		}
		setQueue(b, of.kind, of.datastore, q)
		return b, nil
	})
	if err != nil {
		return fault.Wrap("job.settle", err)
	}
	l.broadcast()
	return nil
}

// underTerm changes a job's row if its lease is still of that term, else ErrTermLost; each change is a beat.
func (l *Ledger) underTerm(ctx context.Context, id string, term uint64, change func(tx kv.Locked, r *row, b *kv.Batch) error) (*row, error) {
	var after *row
	err := l.space.Update(ctx, [][]byte{recordKey(id)}, func(tx kv.Locked) (*kv.Batch, error) {
		r, err := decodeRow(tx.Values[0], id)
		if err != nil {
			return nil, err
		}
		if r.Term != term || r.State.Terminal() {
			return nil, ErrTermLost
		}
		b := new(kv.Batch)
		before := *r
		if change != nil {
			if err := change(tx, r, b); err != nil {
				return nil, err
			}
		}
		if r.Message == before.Message && (r.Progress != before.Progress || r.Planned != before.Planned) {
			r.Message = "" // what it awaited has come
		}
		r.pace(before.Progress, l.now().UnixMilli())
		if r.State != before.State {
			params, err := l.observed(ctx, tx, id)
			if err != nil {
				return nil, err
			}
			l.observe(b, r, params[0])
		}
		r.Beat++
		b.Set(recordKey(id), encode(r))
		after = r
		return b, nil
	})
	return after, err
}

// finish ends a running job and frees its place. For a job whose end is on record already under this very term it does
// nothing, so that it may be repeated after an error that left open whether it happened.
func (l *Ledger) finish(ctx context.Context, of *row, state State, message string) (*row, error) {
	var after *row
	lock := [][]byte{queueKey(of.Kind, of.Datastore), recordKey(of.ID)}
	err := l.space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		q, r, err := decodeBoth(tx, of)
		if err != nil {
			return nil, err
		}
		if r.Term != of.Term {
			return nil, ErrTermLost
		}
		after = r
		if r.State.Terminal() {
			return nil, nil
		}
		if p := q.find(of.ID); p != nil && p.Cancel && state != CancelCompleted && state != CancelFailed {
			return nil, errCancelled // a cancel was accepted meanwhile: it decides
		}
		params, err := l.observed(ctx, tx, of.ID)
		if err != nil {
			return nil, err
		}
		if state == Failed && r.Abandoned != "" {
			message = r.Abandoned // whatever the work stumbled over, that was the reason
		}
		q.remove(of.ID)
		r.State, r.Message, r.Owner, r.Rate = state, cut(message, MaxMessage), "", Pace{}
		r.end(l.now())
		b := new(kv.Batch)
		l.observe(b, r, params[0])
		b.Set(recordKey(of.ID), encode(r))
		setQueue(b, of.Kind, of.Datastore, q)
		return b, nil
	})
	if err != nil {
		return nil, err
	}
	l.broadcast()
	return after, nil
}
