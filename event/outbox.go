package event

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

// Outbox are the events that are not delivered yet, in the rows event/o/ of the system space. It is safe for concurrent
// use.
type Outbox struct {
	space  kv.Space
	origin Origin
	now    func() time.Time
	kick   chan struct{}
	last   atomic.Int64 // ms of the newest event: the order of events heeds no clock that is put back
}

// Open is the outbox in the system space. There is nothing to close.
func Open(ctx context.Context, space kv.Space, origin Origin, now func() time.Time) (*Outbox, error) {
	if now == nil {
		now = time.Now
	}
	o := &Outbox{space: space, origin: origin, now: now, kick: make(chan struct{}, 1)}
	snap, err := space.Snapshot(ctx)
	if err != nil {
		return nil, fault.Wrap("event.Open", err)
	}
	all := kv.Prefix(prefix)
	all.Reverse = true
	it := snap.Scan(ctx, all)
	if it.Next() {
		o.last.Store(bornAt(it.Key()).UnixMilli())
	}
	return o, fault.Wrap("event.Open", errors.Join(it.Err(), it.Close(), snap.Close()))
}

// Job adds the event of a job's new state to the batch that makes it.
func (o *Outbox) Job(b *kv.Batch, rec job.Record, kind, arn, output string) {
	o.add(b, o.origin.OfJob(rec, kind, arn, output, o.moment()))
}

// Datastore adds the event of a data store's new status to the batch that makes it.
func (o *Outbox) Datastore(b *kv.Batch, id, arn, status string) {
	o.add(b, o.origin.OfDatastore(id, arn, status, o.moment()))
}

// moment is now, or a millisecond behind the newest event if that is later: no two events have one moment.
func (o *Outbox) moment() time.Time {
	for {
		last := o.last.Load()
		next := max(o.now().UnixMilli(), last+1)
		if o.last.CompareAndSwap(last, next) {
			return time.UnixMilli(next)
		}
	}
}

func (o *Outbox) add(b *kv.Batch, e Event) {
	value, err := e.marshal()
	if err != nil {
		return // the types above cannot fail
	}
	b.Set(e.key(), value)
	select {
	case o.kick <- struct{}{}: // the batch is not durable yet: the sender looks a moment later
	default:
	}
}

// waiting is one row of the outbox.
type waiting struct{ key, body []byte }

var prefix = []byte("event/o/")

// oldest are up to n events, the oldest first.
func (o *Outbox) oldest(ctx context.Context, n int) (rows []waiting, err error) {
	snap, err := o.space.Snapshot(ctx)
	if err != nil {
		return nil, fault.Wrap("event", err)
	}
	it := snap.Scan(ctx, kv.Prefix(prefix))
	for len(rows) < n && it.Next() {
		rows = append(rows, waiting{slices.Clone(it.Key()), slices.Clone(it.Value())})
	}
	return rows, fault.Wrap("event", errors.Join(it.Err(), it.Close(), snap.Close()))
}

// forget deletes what was delivered.
func (o *Outbox) forget(ctx context.Context, keys ...[]byte) error {
	b := new(kv.Batch)
	for _, k := range keys {
		b.Delete(k)
	}
	return fault.Wrap("event", o.space.Update(ctx, nil, func(kv.Locked) (*kv.Batch, error) { return b, nil }))
}
