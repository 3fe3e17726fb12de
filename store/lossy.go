package store

import (
	"context"
	"errors"

	"tarn/fault"
	"tarn/fhir/r4"
)

// Two riders of the store's own tell as of which transactions something may be missing: of the last erasure, and below
// which Trim has removed versions.
var (
	erasedRider  = []byte("store/erased")
	trimmedRider = []byte("store/trimmed")
)

func txRider(key []byte, tx TxID) Rider {
	return Rider{Key: key, Value: be.AppendUint64(nil, uint64(tx))}
}

// Lossy reports whether a view may lack what was there as of its transaction: something was erased since, or removed by
// Trim. If it does not, it shows exactly what every view as of it has shown.
func (v *View) Lossy(ctx context.Context) (bool, error) {
	for _, key := range [][]byte{erasedRider, trimmedRider} {
		tx, err := v.txOf(ctx, key)
		if err != nil {
			return false, fault.Wrap("store.Lossy", err)
		}
		if tx > v.tx {
			return true, nil
		}
	}
	return false, nil
}

func (v *View) txOf(ctx context.Context, rider []byte) (TxID, error) {
	key := riderKey(nil, rider)
	values, err := v.r.Get(ctx, key)
	switch {
	case err != nil || values[0] == nil:
		return 0, err
	case len(values[0]) != 8:
		return 0, broken("rider", key)
	}
	return TxID(be.Uint64(values[0])), nil
}

// Lost are those of the resources of which it cannot be told any more what they were as of the view, though they were
// there: they have been erased since, or their version was removed by Trim.
func (v *View) Lost(ctx context.Context, typ r4.Code, ordinals []Ordinal) (lost []Lost, err error) {
	const op = "store.Lost"
	for _, o := range ordinals {
		r, err := v.row(ctx, typ, o)
		switch {
		case errors.Is(err, ErrRemoved):
			lost = append(lost, Lost{Ordinal: o})
		case err != nil:
			return nil, fault.Wrap(op, err)
		case r.deleted() && r.number == 0:
			key := ordinalKey(nil, tableCurrent, typ, o)
			values, err := v.r.Get(ctx, key)
			if err != nil {
				return nil, fault.Wrap(op, err)
			}
			veil, ok := rowVeil(values[0])
			if !ok {
				return nil, fault.Wrap(op, broken("row", key))
			}
			lost = append(lost, Lost{Ordinal: o, ID: string(r.id), Erased: veil})
		}
	}
	return lost, nil
}
