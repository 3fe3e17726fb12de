package store

import (
	"bytes"
	"context"
	"iter"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// Nowhere stands for the ordinal of a resource that is not there.
const Nowhere = End

// Next is the first ordinal of a type that had not been given out as of the view.
func (v *View) Next(ctx context.Context, typ r4.Code) (Ordinal, error) {
	next, err := v.nextOrdinal(ctx, typ)
	return next, fault.Wrap("store.Next", err)
}

// Count is how many resources of a type live as of the view.
func (v *View) Count(ctx context.Context, typ r4.Code) (int, error) {
	if typ.Valid() && v.head.types[typ].last <= v.tx {
		return int(v.head.types[typ].live), nil
	}
	c, err := v.Census(ctx, typ)
	return c.Live(), fault.Wrap("store.Count", err)
}

// Ordinals are the ordinals of resources by their ids, in one round trip: Nowhere for one that did not exist as of the
// view or before. A resource that is deleted keeps its ordinal.
func (v *View) Ordinals(ctx context.Context, typ r4.Code, ids []string) ([]Ordinal, error) {
	const op = "store.Ordinals"
	if len(ids) == 0 {
		return nil, nil
	}
	next, err := v.nextOrdinal(ctx, typ)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	found := make([]Ordinal, len(ids))
	keys := make([][]byte, 0, len(ids))
	for i, id := range ids {
		found[i] = Nowhere
		if len(id) == 0 || len(id) > 64 {
			keys = append(keys, idKey(nil, typ, "-")) // a key must be asked for; what it finds is passed over
			continue
		}
		keys = append(keys, idKey(nil, typ, id))
	}
	values, err := v.r.Get(ctx, keys...)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	for i, value := range values {
		if value == nil || len(ids[i]) == 0 || len(ids[i]) > 64 {
			continue
		}
		if len(value) != 4 {
			return nil, fault.Wrap(op, broken("id", keys[i]))
		}
		if o := Ordinal(be.Uint32(value)); o < next {
			found[i] = o
		}
	}
	return found, nil
}

// ReadOrdinals is ReadOrdinal for many resources in one round trip; result i is of ordinals[i]. What was not there has
// the Number 0, what is deleted says so; neither is an error.
func (v *View) ReadOrdinals(ctx context.Context, typ r4.Code, ordinals []Ordinal) ([]Version, error) {
	return v.readOrdinals(ctx, "store.ReadOrdinals", typ, ordinals, true)
}

// Headers is ReadOrdinals without the documents that lie apart: Body may be nil.
func (v *View) Headers(ctx context.Context, typ r4.Code, ordinals []Ordinal) ([]Version, error) {
	return v.readOrdinals(ctx, "store.Headers", typ, ordinals, false)
}

func (v *View) readOrdinals(ctx context.Context, op string, typ r4.Code, ordinals []Ordinal, bodies bool) ([]Version, error) {
	if len(ordinals) == 0 {
		return nil, nil
	}
	keys := make([][]byte, len(ordinals))
	arena := make([]byte, 0, len(ordinals)*ordinalKeyLen)
	for i, o := range ordinals {
		from := len(arena)
		arena = ordinalKey(arena, tableCurrent, typ, o)
		keys[i] = arena[from:len(arena):len(arena)]
	}
	values, err := v.r.Get(ctx, keys...)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	versions := make([]Version, len(ordinals))
	for i, o := range ordinals {
		if values[i] == nil || rowFirst(values[i]) > v.tx {
			continue
		}
		var r row
		if rowTx(values[i]) > v.tx { // an older one is in the history
			if r, err = v.row(ctx, typ, o); err != nil {
				return nil, fault.Wrap(op, err)
			}
		} else if !r.parse(values[i]) {
			return nil, fault.Wrap(op, broken("row", keys[i]))
		}
		if versions[i] = r.version(typ, o); bodies && !r.deleted() && r.apart() {
			if versions[i], err = v.load(ctx, op, typ, o, &r); err != nil {
				return nil, err
			}
		}
	}
	return versions, nil
}

// IDs are the ids of a type in their bytewise order, or with back in the opposite one, and the ordinals: all that
// existed as of the view or before, deleted or not. It begins behind the id after, or at the first where that is empty.
func (v *View) IDs(ctx context.Context, typ r4.Code, after string, back bool) iter.Seq2[Named, error] {
	const op = "store.IDs"
	return func(yield func(Named, error) bool) {
		next, err := v.nextOrdinal(ctx, typ)
		if err != nil {
			yield(Named{}, fault.Wrap(op, err))
			return
		}
		r := kv.Prefix(typeKey(nil, tableID, typ))
		if after != "" && back {
			r.End = idKey(nil, typ, after)
		} else if after != "" {
			r.Start = append(idKey(nil, typ, after), 0)
		}
		r.Reverse = back
		it := v.r.Scan(ctx, r)
		defer func() { _ = it.Close() }()
		for it.Next() {
			key, value := it.Key(), it.Value()
			if len(key) <= 3 || len(value) != 4 {
				yield(Named{}, fault.Wrap(op, broken("id", bytes.Clone(key))))
				return
			}
			if o := Ordinal(be.Uint32(value)); o < next && !yield(Named{string(key[3:]), o}, nil) {
				return
			}
		}
		if err := it.Err(); err != nil {
			yield(Named{}, fault.Wrap(op, err))
		}
	}
}

// Named is a resource of a type by its id and its ordinal.
type Named struct {
	ID      string
	Ordinal Ordinal
}

// Kept are entries as the index keeps them: values cut, sorted by (Param, Value), each once. They share exact values
// with entries.
func Kept(entries []Entry) []Entry { return normalEntries(entries) }
