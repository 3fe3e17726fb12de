package job

import (
	"context"

	"tarn/fault"
	"tarn/kv"
)

// Abandon says that a job cannot be done any more since what it works on goes: it is to become FAILED with the message,
// at once if it waits, else as soon as its work has stopped. One that was cancelled is ended by that. Again it changes
// nothing. A job that has ended is fault.Conflict, one that is not of that data store fault.NotFound.
func (l *Ledger) Abandon(ctx context.Context, datastore, id, message string) error {
	const op = "job.Abandon"
	before, _, err := l.read(ctx, id)
	if err == nil && before.Datastore != datastore {
		err = fault.Errorf(fault.NotFound, op, "There is no job %s in data store %s.", id, datastore)
	}
	if err != nil {
		return fault.Wrap(op, err)
	}
	err = l.space.Update(ctx, [][]byte{queueKey(before.Kind, datastore), recordKey(id)}, func(tx kv.Locked) (*kv.Batch, error) {
		q, r, err := decodeBoth(tx, before)
		if err != nil {
			return nil, err
		}
		if r.State.Cancelling() || r.Abandoned != "" && !r.State.Terminal() {
			return nil, nil
		}
		p := q.find(id)
		if r.State.Terminal() || p == nil {
			return nil, fault.Errorf(fault.Conflict, op, "The job has ended as %s.", r.State)
		}
		p.Abandoned = true
		r.Abandoned = cut(message, MaxMessage)
		b := new(kv.Batch)
		b.Set(recordKey(id), encode(r))
		setQueue(b, r.Kind, datastore, q)
		return b, nil
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	l.broadcast()
	return nil
}
