package store

import (
	"bytes"
	"context"
	"iter"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// Superseded are the former versions of all resources of a type as of the view's snapshot, those that are deletions and
// those that were erased left out, by ordinal and then the newest first. Their bodies are valid until the next one.
func (v *View) Superseded(ctx context.Context, typ r4.Code) iter.Seq2[Version, error] {
	const op = "store.Superseded"
	return func(yield func(Version, error) bool) {
		it := v.r.Scan(ctx, kv.Prefix(typeKey(nil, tableHistory, typ)))
		defer func() { _ = it.Close() }()
		at, veil := Nowhere, TxID(0)
		for it.Next() {
			var r row
			if len(it.Key()) != historyKeyLen || !r.parse(it.Value()) {
				yield(Version{}, fault.Wrap(op, broken("history", bytes.Clone(it.Key()))))
				return
			}
			if o := ordinalOf(it.Key()); o != at {
				key := ordinalKey(nil, tableCurrent, typ, o)
				values, err := v.r.Get(ctx, key)
				if err != nil {
					yield(Version{}, fault.Wrap(op, err))
					return
				}
				var ok bool
				if veil, ok = rowVeil(values[0]); !ok {
					yield(Version{}, fault.Wrap(op, broken("row", key)))
					return
				}
				at = o
			}
			if r.tx < veil || r.deleted() || r.isFloor() {
				continue
			}
			version, err := v.load(ctx, op, typ, at, &r)
			if !yield(version, err) || err != nil {
				return
			}
		}
		if err := it.Err(); err != nil {
			yield(Version{}, fault.Wrap(op, err))
		}
	}
}
