package store

import (
	"context"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Reindexed are the new index entries of a current version.
type Reindexed struct {
	Type    r4.Code
	ID      string
	Tx      TxID    // the version from which Entries were made
	Entries []Entry // all of them
	Epoch   uint32
}

// Reindex replaces the index entries of current versions without making new ones; it takes no TxID and is durable when
// it returns nil. A resource that has another version by now, or is deleted, is passed over: who wrote that has indexed
// it, by the tables of its own epoch. It commits in bulk, riders with it. It returns how many were replaced.
func (s *Store) Reindex(ctx context.Context, list []Reindexed, riders ...Rider) (int, error) {
	const op = "store.Reindex"
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	t := &Transaction{Bulk: true, Writes: make([]Write, len(list)), Riders: riders}
	p := &pending{ctx: ctx, t: t, writes: make([]prepared, len(list)), done: make(chan struct{})}
	seen := make(map[resourceKey]bool, len(list))
	for i := range list {
		e := &list[i]
		if !e.Type.Valid() || !fhir.ValidID(e.ID) || seen[resourceKey{e.Type, e.ID}] {
			return 0, fault.Errorf(fault.Invalid, op, "%s/%s is no resource, or is named twice", e.Type, clip(e.ID))
		}
		seen[resourceKey{e.Type, e.ID}] = true
		t.Writes[i] = Write{Op: reindex, Type: e.Type, ID: e.ID, Entries: e.Entries, Epoch: e.Epoch}
		w := &p.writes[i]
		w.ready(&t.Writes[i])
		w.tx = e.Tx
		p.size += aboutRow + 5*len(w.forward)
	}
	for i := range riders {
		if err := riders[i].check(); err != nil {
			return 0, fault.Wrap(op, err)
		}
		p.size += len(riders[i].Key) + len(riders[i].Value)
	}
	results, err := s.wait(ctx, p)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	replaced := 0
	for i := range results {
		if results[i].Tx != 0 {
			replaced++
		}
	}
	return replaced, nil
}

// reindex plans the new entries of a version if it is the current one.
func (d *draft) reindex(w *prepared, r *resource) (Result, error) {
	if !r.found || r.row.deleted() || r.row.tx != w.tx {
		return Result{}, nil
	}
	next := *r
	next.forward = w.forward
	if err := d.index(w, r, &next); err != nil {
		return Result{}, err
	}
	d.changed = append(d.changed, changed{r, next})
	return Result{Version: Version{Type: w.Type, ID: w.ID, Ordinal: r.ordinal, Tx: w.tx}}, nil
}
