package store

import (
	"bytes"
	"slices"

	"tarn/kv"
)

// loadRows makes the rows of a load, in the order of their keys and one at a time, so that a load takes little memory
// beside its resources. Each row is valid until the next one is asked for.
type loadRows struct {
	*load
	head     *head   // behind it
	first    []Rider // of the data store
	tx       TxID
	ordinals []Ordinal // of the writes
	key      []byte
	value    []byte
}

// all yields every row; tables come in the order of their letters.
func (r *loadRows) all(yield func(kv.Entry) bool) {
	for _, table := range []func(func(kv.Entry) bool) bool{
		r.current, r.forwards, r.heads, r.identities, r.blobs, r.riders, r.search, r.instants, r.changes,
	} {
		if !table(yield) {
			return
		}
	}
}

func (r *loadRows) ordinalKey(table byte, i int32) []byte {
	r.key = ordinalKey(r.key[:0], table, r.typeOf(i), r.ordinals[i])
	return r.key
}

func (r *loadRows) current(yield func(kv.Entry) bool) bool {
	for _, i := range r.rows {
		w := &r.writes[i]
		made := row{tx: r.tx, first: r.tx, number: 1, instant: r.head.instant, id: w.key[3:]}
		key := r.ordinalKey(tableCurrent, i)
		if size := r.size(w); size > inlineMax {
			made.flags |= rowApart
			p := place{ref: ownRef(key, r.tx), length: size}
			r.value = p.append(made.appendHeader(r.value[:0]))
		} else {
			r.value = w.Resource.AppendStamped(made.appendHeader(r.value[:0]), w.ID, 1, r.head.instant)
		}
		if !yield(kv.Entry{Key: key, Value: r.value}) {
			return false
		}
	}
	return true
}

// size is that of the stamped document; ids have been checked, so it is exact.
func (r *loadRows) size(w *prepared) int { return w.Resource.StampedSize(w.ID, 1, r.head.instant) }

func (r *loadRows) forwards(yield func(kv.Entry) bool) bool {
	for _, i := range r.rows {
		forward := r.writes[i].forward
		for n := 0; n*kv.MaxValue < len(forward); n++ {
			key := be.AppendUint16(r.ordinalKey(tableForward, i), uint16(n))
			if !yield(kv.Entry{Key: key, Value: forward[n*kv.MaxValue : min((n+1)*kv.MaxValue, len(forward))]}) {
				return false
			}
		}
	}
	return true
}

func (r *loadRows) heads(yield func(kv.Entry) bool) bool {
	return yield(kv.Entry{Key: headKey, Value: r.head.append(nil)})
}

func (r *loadRows) identities(yield func(kv.Entry) bool) bool {
	for _, i := range r.ids {
		r.value = be.AppendUint32(r.value[:0], uint32(r.ordinals[i]))
		if !yield(kv.Entry{Key: r.writes[i].key, Value: r.value}) {
			return false
		}
	}
	return true
}

func (r *loadRows) blobs(yield func(kv.Entry) bool) bool {
	for _, i := range r.rows {
		w := &r.writes[i]
		if r.size(w) <= inlineMax {
			continue
		}
		ref := ownRef(r.ordinalKey(tableCurrent, i), r.tx)
		body := w.Resource.AppendStamped(nil, w.ID, 1, r.head.instant)
		for n := 0; n*kv.MaxValue < len(body); n++ {
			r.key = blobKey(r.key[:0], ref, uint16(n))
			if !yield(kv.Entry{Key: r.key, Value: body[n*kv.MaxValue : min((n+1)*kv.MaxValue, len(body))]}) {
				return false
			}
		}
	}
	return true
}

func (r *loadRows) riders(yield func(kv.Entry) bool) bool {
	sorted := slices.Concat(r.t.Riders, r.first)
	slices.SortStableFunc(sorted, func(a, b Rider) int { return bytes.Compare(a.Key, b.Key) })
	for k, rider := range sorted {
		if k+1 < len(sorted) && bytes.Equal(rider.Key, sorted[k+1].Key) {
			continue // the later wins
		}
		r.key = riderKey(r.key[:0], rider.Key)
		if !yield(kv.Entry{Key: r.key, Value: rider.Value}) {
			return false
		}
	}
	return true
}

func (r *loadRows) search(yield func(kv.Entry) bool) bool {
	for _, t := range r.terms.sorted {
		r.key = be.AppendUint32(append(r.key[:0], r.terms.key(t)...), uint32(r.ordinals[t.write]))
		if !yield(kv.Entry{Key: r.key}) {
			return false
		}
	}
	return true
}

func (r *loadRows) instants(yield func(kv.Entry) bool) bool {
	r.value = be.AppendUint64(r.value[:0], uint64(r.tx))
	return yield(kv.Entry{Key: instantKey(nil, r.head.instant), Value: r.value})
}

func (r *loadRows) changes(yield func(kv.Entry) bool) bool {
	r.value = be.AppendUint64(append(r.value[:0], byte(Created)), 1)
	for _, i := range r.rows {
		r.key = be.AppendUint32(changeKey(r.key[:0], r.typeOf(i), r.tx), uint32(r.ordinals[i]))
		if !yield(kv.Entry{Key: r.key, Value: r.value}) {
			return false
		}
	}
	return true
}
