package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// Erasing takes two steps (docs/design/erase.md). Erase hides: a current row with a veil, the number of the transaction
// that erased, lets every reader pass over what is below it, whatever transaction it is as of. Purge removes those rows. In
// between lie views that are Pinned: jobs that began before and must find what they planned. Who purges waits for them.

// Name names a resource.
type Name struct {
	Type r4.Code
	ID   string
	Tx   TxID // for Erase: the transaction of the version that must be the current one; 0: whichever
}

// ChangedError says that resources have another current version than their Name.Tx, so that nothing was erased. Its kind is
// fault.Conflict.
type ChangedError struct {
	Resources []int // indexes into Erasure.Resources, ascending
}

// Error names no resource.
func (e *ChangedError) Error() string { return e.Unwrap().Error() }

// Unwrap is the fault.
func (e *ChangedError) Unwrap() error {
	return &fault.Error{Op: "store.Erase", Kind: fault.Conflict, Msg: fmt.Sprintf("%d of the resources were changed meanwhile", len(e.Resources))}
}

// Erasure is what Erase takes from sight, all or nothing.
type Erasure struct {
	Resources []Name // each once
	Riders    []Rider
	Once      [][]byte               // as in Transaction
	Report    func([]Result) []Rider // as in Transaction
}

// stageOver is how many resources are erased without staging.
const stageOver = 64

// stageStep is how many bytes end one batch of a staging, so that others who commit wait shortly; stageRead is how many rows
// of it are read at once.
const (
	stageStep = 1 << 20
	stageRead = 16
)

// Erase takes resources and all their versions from sight, in one transaction, and is durable when it returns nil. Each
// leaves a tombstone that says that it was erased; what is made anew under the id has the next version number. Where a
// Name.Tx is not that of the current version it is a *ChangedError, and nothing is done. Result i is
// that of resource i: Deleted, or None for what never was and for what is erased already. What Erase hides stays on the
// disk until Purge. More than about ten thousand resources at once may be fault.TooLarge, and nothing is done.
func (s *Store) Erase(ctx context.Context, e Erasure) ([]Result, error) {
	t := Transaction{Writes: make([]Write, len(e.Resources)), Riders: e.Riders, Once: e.Once, Report: func(results []Result) (riders []Rider) {
		if e.Report != nil {
			riders = e.Report(results)
		}
		for i := range results {
			if results[i].Change != None {
				return append(riders, txRider(erasedRider, results[i].Tx))
			}
		}
		return riders
	}}
	for i, r := range e.Resources {
		t.Writes[i] = Write{Op: Erase, Type: r.Type, ID: r.ID, seen: r.Tx}
	}
	if len(t.Writes) > stageOver {
		if err := t.check(); err != nil {
			return nil, err
		}
		if err := s.stage(ctx, t.Writes); err != nil {
			return nil, fault.Wrap("store.Erase", err)
		}
	}
	return s.Commit(ctx, t)
}

// asSeen holds against what stands the versions that were seen by whoever decided what is erased.
func (d *draft) asSeen(p *pending) error {
	var changed []int
	for i := range p.writes {
		w := &p.writes[i]
		if w.seen == 0 {
			continue
		}
		if r := d.resources[resourceKey{w.Type, w.ID}]; !r.found || r.row.tx != w.seen {
			changed = append(changed, i)
		}
	}
	if changed != nil {
		return &ChangedError{Resources: changed}
	}
	return nil
}

// stage copies the current rows of what is about to be erased into the history, so that the transaction that does it does
// not have to. Every reader passes over a history row of a version that is current.
func (s *Store) stage(ctx context.Context, writes []Write) error {
	for some := range slices.Chunk(writes, stageOver) {
		keys, ofWrite, err := s.currentKeys(ctx, some)
		if err != nil {
			return err
		}
		for len(keys) > 0 {
			n, err := s.stageSome(ctx, keys, ofWrite)
			if err != nil {
				return err
			}
			keys, ofWrite = keys[n:], ofWrite[n:]
		}
	}
	return nil
}

// currentKeys are the keys of the current rows of those that are or were there; they never change.
func (s *Store) currentKeys(ctx context.Context, writes []Write) (keys [][]byte, ofWrite []*Write, err error) {
	ids := make([][]byte, len(writes))
	for i := range writes {
		ids[i] = idKey(nil, writes[i].Type, writes[i].ID)
	}
	snap, err := s.space.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	ordinals, err := snap.Get(ctx, ids...)
	if err := closeAll(err, snap.Close()); err != nil {
		return nil, nil, err
	}
	for i, value := range ordinals {
		if value == nil {
			continue
		}
		if len(value) != 4 {
			return nil, nil, broken("id", ids[i])
		}
		keys = append(keys, ordinalKey(nil, tableCurrent, writes[i].Type, Ordinal(be.Uint32(value))))
		ofWrite = append(ofWrite, &writes[i])
	}
	return keys, ofWrite, nil
}

// stageSome copies the first n of some rows, as many as a step may have. It reads and writes under the lock of commits: a
// copy of a row that another erasure has hidden meanwhile, and a purge removed, would bring back what is gone.
func (s *Store) stageSome(ctx context.Context, keys [][]byte, ofWrite []*Write) (n int, err error) {
	err = s.space.Update(ctx, [][]byte{headKey}, func(tx kv.Locked) (*kv.Batch, error) {
		batch := &kv.Batch{}
		for n < len(keys) && batch.Size() < stageStep {
			some := keys[n:min(n+stageRead, len(keys))]
			values, err := tx.Get(ctx, some...)
			if err != nil {
				return nil, err
			}
			for i, value := range values {
				at := rowTx(value)
				if at == 0 {
					return nil, broken("row", some[i])
				}
				w := ofWrite[n+i]
				batch.Set(historyKey(nil, w.Type, ordinalOf(some[i]), at), value)
				w.staged = at
			}
			n += len(some)
		}
		return batch, nil
	})
	return n, err
}

// Place is a resource by its ordinal.
type Place struct {
	Type    r4.Code
	Ordinal Ordinal
}

// Purge removes for good what erasures have hidden of the resources: versions, the change index of these, documents that
// lie apart. It does so in steps and may be repeated; what is made anew meanwhile, and what is erased again, is safe. The
// engine's files may hold the bytes until Compact. upto is the transaction that erased the resources: of one that was erased
// again later, what lies between stays until that is purged.
func (s *Store) Purge(ctx context.Context, places []Place, upto TxID) error {
	const op = "store.Purge"
	for _, p := range places {
		for more := true; more; {
			var err error
			if more, err = s.purge(ctx, p, upto); err != nil {
				return fault.Wrap(op, err)
			}
		}
	}
	return nil
}

// fewPlaces is up to how many resources of a type are compacted one by one, and not with the whole table.
const fewPlaces = 8

// Compact takes what Purge has removed of the resources out of the engine's files, see kv.Space. Index values lie anywhere
// in the index of a type, so all of it is written anew.
func (s *Store) Compact(ctx context.Context, places []Place) error {
	byType := map[r4.Code][]Ordinal{}
	for _, p := range places {
		byType[p.Type] = append(byType[p.Type], p.Ordinal)
	}
	ranges := []kv.Range{kv.Prefix([]byte{tableRider}), kv.Prefix([]byte{tableBlob, 0xff, 0xff})} // and what was uploaded
	for typ, ordinals := range byType {
		ranges = append(ranges, kv.Prefix(typeKey(nil, tableSearch, typ)))
		for _, table := range []byte{tableCurrent, tableForward, tableHistory, tableBlob} {
			if len(ordinals) > fewPlaces {
				ranges = append(ranges, kv.Prefix(typeKey(nil, table, typ)))
				continue
			}
			for _, o := range ordinals {
				ranges = append(ranges, kv.Prefix(ordinalKey(nil, table, typ, o)))
			}
		}
	}
	slices.SortFunc(ranges, func(a, b kv.Range) int { return bytes.Compare(a.Start, b.Start) })
	return fault.Wrap("store.Compact", s.space.Compact(ctx, ranges...))
}

// purgeStep bounds the writes of one step of a purge.
const purgeStep = 2000

// purge does one step; more where there is more to do.
func (s *Store) purge(ctx context.Context, p Place, upto TxID) (more bool, err error) {
	v, err := s.view(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = closeAll(err, v.Close()) }()
	key := ordinalKey(nil, tableCurrent, p.Type, p.Ordinal)
	values, err := v.r.Get(ctx, key)
	if err != nil || values[0] == nil {
		return false, err
	}
	veil, ok := rowVeil(values[0])
	if !ok {
		return false, broken("row", key)
	}
	below := min(veil, upto) // whoever has pinned between the two reads nothing below upto
	if below == 0 {
		return false, nil
	}
	batch := &kv.Batch{}
	it := v.r.Scan(ctx, history(p.Type, p.Ordinal, below-1))
	for it.Next() {
		if batch.Len() >= purgeStep {
			more = true
			break
		}
		if err := dropVersion(batch, p, it.Key(), it.Value()); err != nil {
			return false, closeAll(err, it.Close())
		}
	}
	if err := closeAll(it.Err(), it.Close()); err != nil || batch.Len() == 0 {
		return false, err
	}
	return more, s.space.Update(ctx, nil, func(kv.Locked) (*kv.Batch, error) { return batch, nil })
}

// dropVersion deletes a row of the history and what belongs to it alone.
func dropVersion(batch *kv.Batch, p Place, key, value []byte) error {
	var r row
	if !r.parse(value) {
		return broken("row", slices.Clone(key))
	}
	batch.Delete(slices.Clone(key))
	batch.Delete(be.AppendUint32(changeKey(nil, p.Type, r.tx), uint32(p.Ordinal)))
	if r.apart() {
		var at place
		if !at.parse(r.document) {
			return broken("row", slices.Clone(key))
		}
		blobs := kv.Prefix(append([]byte{tableBlob}, at.ref[:]...))
		batch.DeleteRange(blobs.Start, blobs.End)
	}
	return nil
}
