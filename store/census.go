package store

import (
	"bytes"
	"context"
	"sort"

	"tarn/fault"
	"tarn/fhir/r4"
)

// Types are the types that ever had a resource as of the view, in ascending order.
func (v *View) Types(ctx context.Context) ([]r4.Code, error) {
	var types []r4.Code
	var keys [][]byte
	for typ, t := range v.head.types {
		if t.next > 0 {
			types = append(types, r4.Code(typ))
			keys = append(keys, ordinalKey(nil, tableCurrent, r4.Code(typ), 0))
		}
	}
	if v.tx == v.head.tx || len(types) == 0 {
		return types, nil
	}
	rows, err := v.r.Get(ctx, keys...)
	if err != nil {
		return nil, fault.Wrap("store.Types", err)
	}
	had := types[:0]
	for i, typ := range types {
		if first := rowFirst(rows[i]); first == 0 {
			return nil, fault.Wrap("store.Types", broken("row", keys[i]))
		} else if first <= v.tx {
			had = append(had, typ)
		}
	}
	return had, nil
}

// Census tells which ordinals of a type existed as of the view. It costs the type's deletions, not its resources.
func (v *View) Census(ctx context.Context, typ r4.Code) (Census, error) {
	const op = "store.Census"
	next, err := v.nextOrdinal(ctx, typ)
	if err != nil {
		return Census{}, fault.Wrap(op, err)
	}
	c := Census{Next: next}
	if next == 0 {
		return c, nil
	}
	// The rows of a resource stand together, the oldest first: the last that the view shows decides, unless the resource
	// was erased since.
	it := v.r.Scan(ctx, span(tableLiveness, typ, 0, next))
	defer func() { _ = it.Close() }()
	at := Nowhere
	var dead, veiled bool
	settle := func() {
		if at != Nowhere && (dead || veiled) {
			c.Dead = append(c.Dead, at)
			if !dead {
				c.Erased = append(c.Erased, at)
			}
		}
	}
	for it.Next() {
		key, value := it.Key(), it.Value()
		if len(key) != livenessKeyLen || len(value) != 1 {
			return Census{}, fault.Wrap(op, broken("liveness", bytes.Clone(key)))
		}
		if ordinal := ordinalOf(key); ordinal != at {
			settle()
			at, dead, veiled = ordinal, false, false
		}
		change, tx := Change(value[0]), TxID(be.Uint64(key[ordinalKeyLen:]))
		if tx > v.tx {
			veiled = veiled || change == erased && !v.seesThrough(tx)
			continue
		}
		dead = change == Deleted || change == erased
	}
	settle()
	if err := it.Err(); err != nil {
		return Census{}, fault.Wrap(op, err)
	}
	return c, nil
}

// nextOrdinal is the first ordinal that had not been given out as of the view. Ordinals are given out in the order of
// TxIDs, so the first transactions of current rows ascend and can be searched by halves.
func (v *View) nextOrdinal(ctx context.Context, typ r4.Code) (Ordinal, error) {
	if !typ.Valid() {
		return 0, nil
	}
	t := &v.head.types[typ]
	if t.last <= v.tx {
		return t.next, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if next, ok := v.next[typ]; ok {
		return next, nil
	}
	var err error
	next := sort.Search(int(t.next), func(i int) bool {
		if err != nil {
			return true
		}
		key := ordinalKey(nil, tableCurrent, typ, Ordinal(i))
		values, e := v.r.Get(ctx, key)
		if e != nil {
			err = e
			return true
		}
		first := rowFirst(values[0])
		if first == 0 {
			err = broken("row", key)
		}
		return first > v.tx
	})
	if err != nil {
		return 0, err
	}
	if v.next == nil {
		v.next = make(map[r4.Code]Ordinal)
	}
	v.next[typ] = Ordinal(next)
	return Ordinal(next), nil
}
