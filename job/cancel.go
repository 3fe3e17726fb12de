package job

import (
	"context"

	"tarn/fault"
	"tarn/kv"
)

// Cancel asks for the end of a job: it becomes CANCEL_SUBMITTED, its place in the queue is free at once, and a Runner
// brings it to CANCEL_COMPLETED. Cancelling it again gives its present state. A job that has ended is fault.Conflict,
// one that is not of that data store fault.NotFound.
func (l *Ledger) Cancel(ctx context.Context, datastore, id string) (Record, error) {
	const op = "job.Cancel"
	before, params, err := l.read(ctx, id)
	if err == nil && before.Datastore != datastore {
		err = fault.Errorf(fault.NotFound, op, "There is no job %s in data store %s.", id, datastore)
	}
	if err != nil {
		return Record{}, fault.Wrap(op, err)
	}
	var rec Record
	lock := [][]byte{queueKey(before.Kind, datastore), recordKey(id)}
	err = l.space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		q, r, err := decodeBoth(tx, before)
		if err != nil {
			return nil, err
		}
		rec = r.record(params)
		if r.State.Cancelling() {
			return nil, nil
		}
		p := q.find(id)
		if r.State.Terminal() || p == nil {
			return nil, fault.Errorf(fault.Conflict, op, "The job has ended as %s and cannot be cancelled.", r.State)
		}
		p.Cancel = true
		r.State = CancelSubmitted
		rec = r.record(params)
		b := new(kv.Batch)
		l.observe(b, r, params)
		b.Set(recordKey(id), encode(r))
		setQueue(b, r.Kind, datastore, q)
		return b, nil
	})
	if err != nil {
		return Record{}, fault.Wrap(op, err)
	}
	l.broadcast()
	return rec, nil
}

// decodeBoth reads the queue and the record of a job, locked in that order.
func decodeBoth(tx kv.Locked, of *row) (*queue, *row, error) {
	q, err := decodeQueue(tx.Values[0], of.Kind, of.Datastore)
	if err != nil {
		return nil, nil, err
	}
	r, err := decodeRow(tx.Values[1], of.ID)
	return q, r, err
}

// Discard notes that nobody wants the results of a job that has ended any more, so that whoever keeps them may erase
// them; again it changes nothing. A job that has not ended is fault.Conflict.
func (l *Ledger) Discard(ctx context.Context, datastore, id string) (Record, error) {
	const op = "job.Discard"
	var rec Record
	err := l.space.Update(ctx, [][]byte{recordKey(id)}, func(tx kv.Locked) (*kv.Batch, error) {
		r, err := decodeRow(tx.Values[0], id)
		if err == nil && r.Datastore != datastore {
			err = fault.Errorf(fault.NotFound, op, "There is no job %s in data store %s.", id, datastore)
		}
		if err == nil && !r.State.Terminal() {
			err = fault.Errorf(fault.Conflict, op, "The job is %s.", r.State)
		}
		if err != nil {
			return nil, err
		}
		rec = r.record(nil)
		if r.Discarded != 0 {
			return nil, nil
		}
		r.Discarded = l.now().UnixMilli()
		rec = r.record(nil)
		b := new(kv.Batch)
		b.Set(recordKey(id), encode(r))
		return b, nil
	})
	if err != nil {
		return Record{}, fault.Wrap(op, err)
	}
	l.broadcast()
	return rec, nil
}
