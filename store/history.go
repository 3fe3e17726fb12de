package store

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/kv"
)

// History are the versions of a resource as of the view, tombstones among them, the newest first. A page begins behind
// the last version of the page before it: before is that version's Tx, or 0 for the first page. A resource that never
// was is fault.NotFound. The versions belong to the caller.
func (v *View) History(ctx context.Context, typ r4.Code, id string, before TxID) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		for version, err := range v.versions(ctx, typ, id, before, 0) {
			if !yield(version, fault.Wrap("store.History", err)) {
				return
			}
		}
	}
}

// versions are the versions below the TxID before (0: all) and, unless most is 0, those with a number up to most.
func (v *View) versions(ctx context.Context, typ r4.Code, id string, before TxID, most uint64) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		ordinal, err := v.ordinal(ctx, typ, id)
		if err != nil {
			yield(Version{}, err)
			return
		}
		top := v.tx
		if before != 0 {
			top = min(top, before-1)
		}
		key := ordinalKey(nil, tableCurrent, typ, ordinal)
		values, err := v.r.Get(ctx, key)
		if err != nil {
			yield(Version{}, err)
			return
		}
		var r row
		if !r.parse(values[0]) {
			yield(Version{}, broken("row", key))
			return
		}
		if r.first > v.tx {
			yield(Version{}, notFound("", typ, id))
			return
		}
		lowest := v.lowest(&r, 0)
		if top < v.tx && v.seesThrough(r.veil) { // an erasure before that one may stand between the two
			then, err := v.row(ctx, typ, ordinal)
			if err != nil {
				if !errors.Is(err, ErrRemoved) {
					yield(Version{}, err)
				}
				return
			}
			lowest = v.lowest(&then, 0)
		}
		give := func() bool {
			if most != 0 && r.number > most {
				return true
			}
			version, err := v.load(ctx, "", typ, ordinal, &r)
			return yield(version, err) && err == nil
		}
		if r.tx <= top {
			if !give() {
				return
			}
		}
		if r.tx <= 1 {
			return
		}
		// A history row of the current version itself may stand there already; it is passed over.
		it := v.r.Scan(ctx, history(typ, ordinal, min(top, r.tx-1)))
		defer func() { _ = it.Close() }()
		for it.Next() {
			if !r.parse(bytes.Clone(it.Value())) {
				yield(Version{}, broken("row", bytes.Clone(it.Key())))
				return
			}
			if r.isFloor() || r.tx < lowest {
				return
			}
			lowest = v.lowest(&r, lowest)
			if !give() {
				return
			}
		}
		if err := it.Err(); err != nil {
			yield(Version{}, err)
		}
	}
}

// Changes are the changes of a type by the transactions after < Tx <= upto that the view shows, in the order of (Tx,
// Ordinal).
func (v *View) Changes(ctx context.Context, typ r4.Code, after, upto TxID) iter.Seq2[ChangeRow, error] {
	return v.changes(ctx, "store.Changes", typ, after, min(upto, v.tx), false)
}

// ChangesBack is Changes in the opposite order, the newest first.
func (v *View) ChangesBack(ctx context.Context, typ r4.Code, after, upto TxID) iter.Seq2[ChangeRow, error] {
	return v.changes(ctx, "store.ChangesBack", typ, after, min(upto, v.tx), true)
}

func (v *View) changes(ctx context.Context, op string, typ r4.Code, after, upto TxID, back bool) iter.Seq2[ChangeRow, error] {
	return func(yield func(ChangeRow, error) bool) {
		if after >= upto {
			return
		}
		it := v.r.Scan(ctx, kv.Range{Start: changeKey(nil, typ, after+1), End: changeKey(nil, typ, upto+1), Reverse: back})
		defer func() { _ = it.Close() }()
		for it.Next() {
			c, ok := parseChange(it.Key(), it.Value())
			if !ok {
				yield(ChangeRow{}, fault.Wrap(op, broken("change", bytes.Clone(it.Key()))))
				return
			}
			if !yield(c, nil) {
				return
			}
		}
		if err := it.Err(); err != nil {
			yield(ChangeRow{}, fault.Wrap(op, err))
		}
	}
}

// A change row is the change in one byte, then the number.
const changeLen = 1 + 8

func parseChange(key, value []byte) (ChangeRow, bool) {
	if len(key) != changeKeyLen || len(value) != changeLen {
		return ChangeRow{}, false
	}
	return ChangeRow{
		Tx:      TxID(be.Uint64(key[3:])),
		Ordinal: Ordinal(be.Uint32(key[11:])),
		Number:  be.Uint64(value[1:]),
		Change:  Change(value[0]),
	}, true
}

// TxAt is the largest TxID, not newer than the view, whose instant is <= at; 0 where all are later.
func (v *View) TxAt(ctx context.Context, at fhir.Instant) (TxID, error) {
	const op = "store.TxAt"
	if at < 0 {
		return 0, nil
	}
	it := v.r.Scan(ctx, kv.Range{Start: []byte{tableInstant}, End: append(instantKey(nil, at), 0), Reverse: true})
	defer func() { _ = it.Close() }()
	if !it.Next() {
		return 0, fault.Wrap(op, it.Err())
	}
	if len(it.Value()) != 8 {
		return 0, fault.Wrap(op, broken("instant", bytes.Clone(it.Key())))
	}
	// A row above the view's TxID shows that the view's own instant is not above it, so its own TxID is the answer.
	return min(TxID(be.Uint64(it.Value())), v.tx), nil
}
