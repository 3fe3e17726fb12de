package store

import (
	"bytes"
	"context"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// Keep says which superseded versions stay.
type Keep struct {
	Horizon  TxID // what was superseded after it stays: views as of it and later ones lose nothing
	Versions int  // of each resource so many versions stay, the current one among them; 0: the horizon alone decides
}

// trimLook bounds the history rows that one step of a trim looks at, trimStep the versions that one batch removes.
const (
	trimLook = 4000
	trimStep = 2000
)

// Trim removes superseded versions that need not be kept, of the resources from a place on (zero: from the first), in one
// step of bounded size. next is where to go on, zero where that was the last; removed is how many went. Of each resource the
// oldest go, and a floor stays behind that tells who looks below it that there were some (ErrRemoved). It may be broken off
// and repeated. Nobody may need a view as of before the horizon: see Pinned.
func (s *Store) Trim(ctx context.Context, keep Keep, from Place) (next Place, removed int, err error) {
	const op = "store.Trim"
	v, err := s.view(ctx)
	if err != nil {
		return Place{}, 0, fault.Wrap(op, err)
	}
	defer func() { err = closeAll(err, fault.Wrap(op, v.Close())) }()
	keep.Horizon = min(keep.Horizon, s.confirmed(v.head).Tx)
	t := &trimming{s: s, ctx: ctx, v: v, keep: keep}
	if t.lossy, err = v.txOf(ctx, trimmedRider); err != nil {
		return Place{}, 0, fault.Wrap(op, err)
	}
	t.lossy = max(t.lossy, keep.Horizon)
	it := v.r.Scan(ctx, kv.Range{Start: ordinalKey(nil, tableHistory, from.Type, from.Ordinal), End: []byte{tableHistory + 1}})
	defer func() { err = closeAll(err, fault.Wrap(op, it.Close())) }()
	for looked := 0; it.Next(); looked++ {
		at, err := placeOf(it.Key())
		if err != nil {
			return Place{}, t.removed, fault.Wrap(op, err)
		}
		if at != t.at {
			if err := t.settle(); err != nil {
				return Place{}, t.removed, fault.Wrap(op, err)
			}
			if looked >= trimLook {
				return at, t.removed, nil
			}
			if err := t.begin(at); err != nil {
				return Place{}, t.removed, fault.Wrap(op, err)
			}
		}
		if err := t.look(it.Key(), it.Value()); err != nil {
			return Place{}, t.removed, fault.Wrap(op, err)
		}
	}
	if err := it.Err(); err != nil {
		return Place{}, t.removed, fault.Wrap(op, err)
	}
	return Place{}, t.removed, fault.Wrap(op, t.settle())
}

// placeOf is the resource of a history row.
func placeOf(key []byte) (Place, error) {
	if len(key) != historyKeyLen {
		return Place{}, broken("history", bytes.Clone(key))
	}
	return Place{r4.Code(be.Uint16(key[1:])), ordinalOf(key)}, nil
}

// trimming is one step. Of the resource at hand it meets the versions from the newest to the oldest.
type trimming struct {
	s       *Store
	ctx     context.Context
	v       *View
	keep    Keep
	removed int
	lossy   TxID // below it versions may be missing

	at    Place
	veil  TxID // of the resource
	above TxID // the transaction that superseded the version that comes next
	rank  int  // how many newer versions there are
	last  row  // the newest that goes
	old   []oldVersion
}

// oldVersion is one that goes, without its document.
type oldVersion struct {
	tx     TxID
	number uint64
	blob   []byte // of a document that lies apart; nil
}

// begin turns to another resource.
func (t *trimming) begin(at Place) error {
	key := ordinalKey(nil, tableCurrent, at.Type, at.Ordinal)
	values, err := t.v.r.Get(t.ctx, key)
	if err != nil {
		return err
	}
	var r row
	if !r.parse(values[0]) {
		return broken("row", key)
	}
	t.at, t.veil, t.above, t.rank, t.old = at, r.veil, r.tx, 0, t.old[:0]
	return nil
}

// look decides on one version.
func (t *trimming) look(key, value []byte) error {
	var r row
	if !r.parse(value) {
		return broken("row", bytes.Clone(key))
	}
	if r.tx == t.above || r.tx < t.veil || r.isFloor() {
		return nil // the current one, copied; to be purged; no version
	}
	t.rank++
	superseded := t.above
	t.above = r.tx
	if superseded > t.keep.Horizon || t.rank < t.keep.Versions {
		return nil
	}
	gone := oldVersion{tx: r.tx, number: r.number}
	if r.apart() {
		var p place
		if !p.parse(r.document) {
			return broken("row", bytes.Clone(key))
		}
		gone.blob = append([]byte{tableBlob}, p.ref[:]...)
	}
	if len(t.old) == 0 {
		t.last = row{flags: rowFloor, tx: max(r.first, t.veil), first: r.first, instant: r.instant, id: bytes.Clone(r.id)}
	}
	t.old = append(t.old, gone)
	return nil
}

// settle removes what was found of the resource at hand, the oldest first: whatever breaks off, what is left is without
// gaps above the floor.
func (t *trimming) settle() error {
	for len(t.old) > 0 {
		n := max(len(t.old)-trimStep, 0)
		some := t.old[n:]
		t.old = t.old[:n]
		batch := &kv.Batch{}
		for _, o := range some {
			batch.Delete(historyKey(nil, t.at.Type, t.at.Ordinal, o.tx))
			batch.Delete(be.AppendUint32(changeKey(nil, t.at.Type, o.tx), uint32(t.at.Ordinal)))
			if o.blob != nil {
				batch.DeleteRange(o.blob, kv.PrefixEnd(o.blob))
			}
		}
		lossy := txRider(trimmedRider, t.lossy)
		batch.Set(riderKey(nil, lossy.Key), lossy.Value)
		floor := t.last
		floor.number = some[0].number
		batch.Set(historyKey(nil, t.at.Type, t.at.Ordinal, floor.tx), floor.appendHeader(nil))
		if err := t.s.space.Update(t.ctx, nil, func(kv.Locked) (*kv.Batch, error) { return batch, nil }); err != nil {
			return err
		}
		t.removed += len(some)
	}
	return nil
}
