package store

import (
	"bytes"
	"context"

	"tarn/fault"
	"tarn/fhir/r4"
)

// ErrRemoved is in the chain of the error of a view that is as of so long ago that a version which it would show has been
// removed by Trim. Its kind is fault.Gone.
var ErrRemoved error = &fault.Error{Op: "store", Kind: fault.Gone, Msg: "the history of that time is not kept any more"}

// removed is the error for a version that a view would show and that is not kept.
func removed(typ r4.Code, id string, at TxID) error {
	return &fault.Error{Op: "store", Kind: fault.Gone, Err: ErrRemoved,
		Msg: "the history is not kept for ever, and what " + typ.String() + "/" + id + " was at the time that is asked for has been removed"}
}

// former is the error for a number that a version had which is not there any more; nil where there never was one.
func (v *View) former(ctx context.Context, typ r4.Code, id string, number uint64) error {
	ordinal, err := v.ordinal(ctx, typ, id)
	if err != nil {
		return err
	}
	key := ordinalKey(nil, tableCurrent, typ, ordinal)
	values, err := v.r.Get(ctx, key)
	if err != nil {
		return err
	}
	var r row
	if !r.parse(values[0]) {
		return broken("row", key)
	}
	if r.first > v.tx || number >= r.number {
		return nil
	}
	veil := v.lowest(&r, 0)
	it := v.r.Scan(ctx, history(typ, ordinal, r.tx-1))
	defer func() { _ = it.Close() }()
	for it.Next() {
		var old row
		if !old.parse(it.Value()) {
			return broken("row", bytes.Clone(it.Key()))
		}
		if old.tx < veil {
			break
		}
		if old.isFloor() {
			return fault.Errorf(fault.Gone, "", "version %d of %s/%s was removed: the history is not kept for ever", number, typ, id)
		}
		if old.number <= number {
			return nil // it is newer than the view
		}
		veil = v.lowest(&old, veil) // a pinned view sees through the last erasure, and not through one before
	}
	if err := it.Err(); err != nil || r.veil == 0 {
		return err
	}
	return fault.Errorf(fault.Gone, "", "version %d of %s/%s was erased", number, typ, id)
}
