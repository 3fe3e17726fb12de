package store

import (
	"bytes"
	"context"
	"math"
	"slices"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// The search index knows the current versions only: those of the view's snapshot, which may be newer than the view's
// TxID T. A search as of T is built so, all from one view:
//
//	result = (Hits less ChangedSince) + those of ChangedSince whose version as of T (ReadOrdinal) matches when its
//	         entries are extracted again
//
// An ordinal that Hits gives and ChangedSince does not is live and was the same version as of T. A value of MaxExact+1
// bytes stands for a longer one and is checked on the document.

// Values is a range of index values: From <= value < To, bytewise, or all that begin with Prefix if that is set. A nil
// From begins at the least value, a nil To never ends.
type Values struct{ From, To, Prefix []byte }

// Equal is the range of one value alone, in the form in which it is kept.
func Equal(value []byte) Values {
	kept, _ := IndexValue(value)
	return Values{From: kept, To: append(append(make([]byte, 0, len(kept)+1), kept...), 0)}
}

// Hits walks over index entries in the order of (value, ordinal), or the opposite. It is for one goroutine:
//
//	h := view.Hits(ctx, typ, param, store.Equal(value), false)
//	defer h.Close()
//	for h.Next() { use(h.Ordinal()) }
//	err := h.Err()
type Hits struct {
	it      kv.Iterator
	back    bool
	prefix  []byte // of the parameter
	key     []byte // of the last Seek
	value   []byte
	ordinal Ordinal
	err     error
}

// Hits begins a walk over the entries of a parameter with values in the range, as of the view's snapshot. The caller
// closes it before the view.
func (v *View) Hits(ctx context.Context, typ r4.Code, param uint16, in Values, back bool) *Hits {
	h := &Hits{prefix: searchPrefix(nil, typ, param, nil), back: back}
	h.it = v.r.Scan(ctx, h.within(in))
	return h
}

// Restart begins anew over other values of the same parameter, wherever these lie: as Hits would, but for less.
func (h *Hits) Restart(in Values) { h.it.Reset(h.within(in)) }

// within is the range of the entries with such values.
func (h *Hits) within(in Values) kv.Range {
	r := kv.Prefix(h.prefix)
	if in.Prefix != nil {
		r = kv.Prefix(appendEscaped(bytes.Clone(h.prefix), in.Prefix))
	}
	if in.From != nil {
		r.Start = later(r.Start, appendEscaped(bytes.Clone(h.prefix), in.From))
	}
	if in.To != nil {
		if to := appendEscaped(bytes.Clone(h.prefix), in.To); bytes.Compare(to, r.End) < 0 {
			r.End = to
		}
	}
	r.Reverse, r.KeysOnly = h.back, true
	return r
}

func later(a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		return a
	}
	return b
}

// Next moves to the next entry; false at the end or after an error.
func (h *Hits) Next() bool { return h.read(h.it.Next()) }

// Seek moves forward to the first entry at or behind (value, ordinal) in the walk's direction; value is one that Value
// gave or that IndexValue keeps. It stays where it is if that is already there or beyond.
func (h *Hits) Seek(value []byte, ordinal Ordinal) bool {
	h.key = append(appendEscaped(append(h.key[:0], h.prefix...), value), escape, valueEnd)
	h.key = be.AppendUint32(h.key, uint32(ordinal))
	return h.read(h.it.Seek(h.key))
}

func (h *Hits) read(ok bool) bool {
	if h.err != nil {
		return false
	}
	if !ok {
		h.err = fault.Wrap("store.Hits", h.it.Err())
		return false
	}
	if h.value, h.ordinal, ok = parseSearchKey(h.value[:0], h.it.Key()); !ok {
		h.err = fault.Wrap("store.Hits", broken("search entry", bytes.Clone(h.it.Key())))
	}
	return ok
}

// Ordinal is the resource of the current entry.
func (h *Hits) Ordinal() Ordinal { return h.ordinal }

// Value is the value of the current entry as it is kept; it is valid until the next move.
func (h *Hits) Value() []byte { return h.value }

// Err is the error that ended the walk, or nil.
func (h *Hits) Err() error { return h.err }

// Close frees it; a second Close does nothing.
func (h *Hits) Close() error { return fault.Wrap("store.Hits", h.it.Close()) }

// Forward are the entries of a resource's current version as of the view's snapshot, sorted by (Param, Value), and
// their epoch: what Hits would find, by resource. A deleted resource has none.
func (v *View) Forward(ctx context.Context, typ r4.Code, ordinal Ordinal) ([]Entry, uint32, error) {
	const op = "store.Forward"
	key := forwardKey(nil, typ, ordinal, 0)
	values, err := v.r.Get(ctx, key)
	if err != nil {
		return nil, 0, fault.Wrap(op, err)
	}
	joined, err := joinForward(ctx, v.r, key, values[0])
	if err != nil {
		return nil, 0, fault.Wrap(op, err)
	}
	entries, epoch, ok := parseForward(joined)
	if !ok {
		return nil, 0, fault.Wrap(op, broken("forward row", key))
	}
	return entries, epoch, nil
}

// Forwards is Forward for many resources in one round trip; result i is of ordinals[i].
func (v *View) Forwards(ctx context.Context, typ r4.Code, ordinals []Ordinal) ([][]Entry, error) {
	const op = "store.Forwards"
	if len(ordinals) == 0 {
		return nil, nil
	}
	keys := make([][]byte, len(ordinals))
	names := make([]byte, 0, len(ordinals)*(ordinalKeyLen+2))
	for i, o := range ordinals {
		from := len(names)
		names = forwardKey(names, typ, o, 0)
		keys[i] = names[from:len(names):len(names)]
	}
	values, err := v.r.Get(ctx, keys...)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	size := 0
	for _, value := range values {
		size += len(value)
	}
	all := make([][]Entry, len(ordinals))
	entries := make([]Entry, 0, size/aboutEntry)
	for i, first := range values {
		joined, err := joinForward(ctx, v.r, keys[i], first)
		if err != nil {
			return nil, fault.Wrap(op, err)
		}
		from := len(entries)
		var ok bool
		if entries, _, ok = appendEntries(entries, joined); !ok {
			return nil, fault.Wrap(op, broken("forward row", keys[i]))
		}
		if len(entries) > from {
			all[i] = entries[from:len(entries):len(entries)]
		}
	}
	return all, nil
}

// aboutEntry is the length of an entry in a forward row, somewhat less than most have.
const aboutEntry = 16

// ChangedSince are the ordinals of a type that were changed after the view's TxID and up to its snapshot, ascending:
// those for which the index does not speak. Mostly there are none.
func (v *View) ChangedSince(ctx context.Context, typ r4.Code) ([]Ordinal, error) {
	ordinals, _, err := v.ChangedAfter(ctx, typ, v.tx, math.MaxInt)
	return ordinals, err
}

// Upto is the transaction of which the index speaks: that of the view's snapshot, which may be newer than the view's.
func (v *View) Upto() TxID { return v.head.tx }

// ChangedAfter are the ordinals of a type that were changed after a transaction and up to that of the index, ascending;
// all is false where that are more than limit changes, and then it gives none.
func (v *View) ChangedAfter(ctx context.Context, typ r4.Code, after TxID, limit int) (ordinals []Ordinal, all bool, err error) {
	const op = "store.ChangedAfter"
	if !typ.Valid() || v.head.types[typ].last <= after {
		return nil, true, nil
	}
	r := kv.Prefix(typeKey(nil, tableChange, typ))
	r.Start, r.KeysOnly = changeKey(nil, typ, after+1), true
	it := v.r.Scan(ctx, r)
	defer func() { _ = it.Close() }()
	for it.Next() {
		if len(ordinals) == limit {
			return nil, false, nil
		}
		if len(it.Key()) != changeKeyLen {
			return nil, false, fault.Wrap(op, broken("change", bytes.Clone(it.Key())))
		}
		ordinals = append(ordinals, Ordinal(be.Uint32(it.Key()[11:])))
	}
	if err := it.Err(); err != nil {
		return nil, false, fault.Wrap(op, err)
	}
	slices.Sort(ordinals)
	return slices.Compact(ordinals), true, nil
}
