package job

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// ListFilter says which jobs a list shows. All that is set must hold.
type ListFilter struct {
	Datastore       string // empty: of every data store
	Kind            Kind   // empty: of every kind
	Name            string // exactly; empty: any
	State           State  // empty: any
	SubmittedBefore time.Time
	SubmittedAfter  time.Time // both exclusive; zero: no bound
	Limit           int       // at most MaxList and, when 0 or less, DefaultList
	Cursor          string    // Page.Next of the page before; empty: from the newest
}

// Page sizes of List.
const (
	DefaultList = 100
	MaxList     = 1000
)

// Page is one page of a list, newest first. Next is empty on the last one.
type Page struct {
	Jobs []Record
	Next string
}

// List shows jobs, newest first. A page is one consistent state. Jobs queued after the first page was made do not show
// in later ones. A cursor that List did not give out is fault.Invalid.
func (l *Ledger) List(ctx context.Context, f ListFilter) (Page, error) {
	const op = "job.List"
	if f.Limit <= 0 {
		f.Limit = DefaultList
	}
	f.Limit = min(f.Limit, MaxList)
	in := scope(f.Datastore, f.Kind)
	rng, err := f.indexRange(in)
	if err != nil {
		return Page{}, err
	}
	snap, err := l.space.Snapshot(ctx)
	if err != nil {
		return Page{}, fault.Wrap(op, err)
	}
	defer snap.Close()

	var page Page
	it := snap.Scan(ctx, rng)
	defer it.Close()
	prefix := indexPrefix(in)
	var ids, positions []string
	chunk := f.Limit + 1
	if f.State != "" || f.Datastore == "" && f.Kind != "" {
		chunk = max(chunk, 256) // the records decide, so many may be passed over
	}
	more := true
	for more && len(page.Jobs) <= f.Limit { // one more than asked for tells whether there is a next page
		ids, positions = ids[:0], positions[:0]
		for len(ids) < chunk {
			if more = it.Next(); !more {
				break
			}
			v := it.Value()
			if len(v) < 32 {
				return Page{}, fault.Errorf(fault.Internal, op, "an index row is damaged")
			}
			if f.Name != "" && string(v[32:]) != f.Name {
				continue
			}
			ids = append(ids, string(v[:32]))
			positions = append(positions, string(bytes.TrimPrefix(it.Key(), prefix)))
		}
		if err := it.Err(); err != nil {
			return Page{}, fault.Wrap(op, err)
		}
		records, err := readAll(ctx, snap, ids)
		if err != nil {
			return Page{}, fault.Wrap(op, err)
		}
		for i, rec := range records {
			if f.State != "" && rec.State != f.State || f.Datastore == "" && f.Kind != "" && rec.Kind != f.Kind {
				continue
			}
			if len(page.Jobs) == f.Limit {
				return page, nil // Next was set by the last that fitted
			}
			page.Jobs = append(page.Jobs, rec)
			if len(page.Jobs) == f.Limit {
				page.Next = positions[i]
			}
		}
	}
	page.Next = "" // the index ended before one more was found
	return page, nil
}

// indexRange is the part of the index that can match, read backwards.
func (f *ListFilter) indexRange(scope string) (kv.Range, error) {
	rng := kv.Prefix(indexPrefix(scope))
	rng.Reverse = true
	if !f.SubmittedAfter.IsZero() {
		// Submit times have ms precision: later than it means in a later millisecond.
		rng.Start = indexKey(scope, clamp(f.SubmittedAfter).Truncate(time.Millisecond).Add(time.Millisecond), 0)
	}
	if !f.SubmittedBefore.IsZero() {
		before := clamp(f.SubmittedBefore)
		if t := before.Truncate(time.Millisecond); !t.Equal(before) {
			before = t.Add(time.Millisecond)
		}
		rng.End = indexKey(scope, before, 0)
	}
	if f.Cursor != "" {
		if raw, err := hex.DecodeString(f.Cursor); err != nil || len(raw) != 16 {
			return kv.Range{}, fault.Errorf(fault.Invalid, "job.List", "The cursor is not one that a list gave out.")
		}
		if at := append(indexPrefix(scope), f.Cursor...); rng.End == nil || bytes.Compare(at, rng.End) < 0 {
			rng.End = at
		}
	}
	if rng.End != nil && bytes.Compare(rng.Start, rng.End) > 0 {
		rng.Start = rng.End
	}
	return rng, nil
}

// clamp keeps a time within what the index can say.
func clamp(t time.Time) time.Time {
	first, last := time.UnixMilli(0), time.UnixMilli(math.MaxInt64/int64(time.Millisecond)/2)
	switch {
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}

func readAll(ctx context.Context, read kv.Reader, ids []string) ([]Record, error) {
	keys := make([][]byte, 0, 2*len(ids))
	for _, id := range ids {
		keys = append(keys, recordKey(id), paramsKey(id))
	}
	if len(keys) == 0 {
		return nil, nil
	}
	got, err := read.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(ids))
	for i, id := range ids {
		r, err := decodeRow(got[2*i], id)
		if err != nil {
			return nil, fault.Errorf(fault.Internal, "job.List", "the index names job %s: %w", id, err)
		}
		records[i] = r.record(json.RawMessage(got[2*i+1]))
	}
	return records, nil
}

// Active lists the jobs of a data store (empty: of all) that have not ended, oldest first within each queue.
func (l *Ledger) Active(ctx context.Context, datastore string) ([]Record, error) {
	const op = "job.Active"
	snap, err := l.space.Snapshot(ctx)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer snap.Close()
	queues, err := readQueues(ctx, snap)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	var ids []string
	for _, q := range queues {
		if datastore != "" && q.datastore != datastore {
			continue
		}
		if q.Running != nil {
			ids = append(ids, q.Running.ID)
		}
		for _, p := range q.Waiting {
			ids = append(ids, p.ID)
		}
	}
	records, err := readAll(ctx, snap, ids)
	return records, fault.Wrap(op, err)
}

// namedQueue is a queue with its name.
type namedQueue struct {
	kind      Kind
	datastore string
	*queue
}

func readQueues(ctx context.Context, read kv.Reader) (queues []namedQueue, err error) {
	it := read.Scan(ctx, kv.Prefix(queuesPrefix()))
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.Next() {
		kind, datastore, ok := bytes.Cut(it.Key()[len(queuesPrefix()):], []byte("/"))
		if !ok {
			return nil, fault.Errorf(fault.Internal, "job", "a queue's key is damaged")
		}
		q, err := decodeQueue(it.Value(), Kind(kind), string(datastore))
		if err != nil {
			return nil, err
		}
		queues = append(queues, namedQueue{Kind(kind), string(datastore), q})
	}
	return queues, it.Err()
}
