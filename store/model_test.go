package store_test

import (
	"bytes"
	"cmp"
	"slices"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// model is the plain thing that a Store must equal: every version of every resource in memory.
type model struct {
	tx       store.TxID
	instant  fhir.Instant // the head's
	sealed   bool
	instants []fhir.Instant // of transaction i+1
	byID     map[name]*resource
	byType   map[r4.Code][]*resource // by ordinal
	changes  map[r4.Code][]store.ChangeRow
	riders   map[string][]byte
}

type name struct {
	typ r4.Code
	id  string
}

type resource struct {
	versions []version    // oldest first; those that were erased or removed are not in it
	born     version      // the first
	veil     store.TxID   // of the last erasure
	floor    store.TxID   // of the oldest version that is kept, where older ones were removed; 0: none were
	purged   bool         // what the veil hides is gone
	lived    []store.TxID // by which it came to life and died, in turn
}

// livedAt reports whether it was there as of tx, whatever has been erased since.
func (r *resource) livedAt(tx store.TxID) bool {
	n := 0
	for _, at := range r.lived {
		if at <= tx {
			n++
		}
	}
	return n%2 == 1
}

// missing reports whether what was there as of tx has been removed.
func (r *resource) missing(tx store.TxID) bool {
	return r.floor > tx && r.born.Tx <= tx && r.veil <= tx
}

type version struct {
	store.Version
	entries []store.Entry
	epoch   uint32
}

func newModel() *model {
	return &model{byID: map[name]*resource{}, byType: map[r4.Code][]*resource{}, changes: map[r4.Code][]store.ChangeRow{}, riders: map[string][]byte{}}
}

// asOf is the version as of tx; nil if there is none.
func (r *resource) asOf(tx store.TxID) *version {
	if r == nil {
		return nil
	}
	if r.veil > tx && r.born.Tx <= tx {
		b := r.born
		return &version{Version: store.Version{Type: b.Type, ID: b.ID, Ordinal: b.Ordinal, Tx: b.Tx, FirstTx: b.Tx, Deleted: true, Erased: true}}
	}
	for i := len(r.versions) - 1; i >= 0; i-- {
		if r.versions[i].Tx <= tx {
			return &r.versions[i]
		}
	}
	return nil
}

func (m *model) after(now fhir.Instant) fhir.Instant {
	if m.sealed {
		return max(m.instant+1, now)
	}
	return max(m.instant, now)
}

// fails is the kind of the error that a transaction gets, or ok.
func (m *model) fails(t store.Transaction) (kind fault.Kind, failed bool) {
	for _, w := range t.Writes {
		cur := m.byID[name{w.Type, w.ID}].asOf(m.tx)
		live := cur != nil && !cur.Deleted
		switch {
		case w.Op == store.Create && cur != nil:
			return fault.Exists, true
		case w.IfNoneMatch && live, w.IfMatch != 0 && (!live || cur.Number != w.IfMatch):
			return fault.Precondition, true
		}
	}
	return 0, false
}

// apply is a transaction that succeeds; its results.
func (m *model) apply(t store.Transaction, instant fhir.Instant) []store.Result {
	results := make([]store.Result, len(t.Writes))
	tx := m.tx + 1
	for i, w := range t.Writes {
		key := name{w.Type, w.ID}
		r := m.byID[key]
		cur := r.asOf(tx)
		v := version{Version: store.Version{Type: w.Type, ID: w.ID, Tx: tx, FirstTx: tx, Number: 1, Instant: instant}}
		change := store.Created
		switch {
		case w.Op == store.Delete && (cur == nil || cur.Deleted), w.Op == store.Erase && (cur == nil || cur.Erased):
			results[i].Version = store.Version{Type: w.Type, ID: w.ID}
			if cur != nil {
				results[i].Version = cur.Version
			}
			continue
		case cur == nil:
			r = &resource{}
			m.byID[key] = r
			v.Ordinal = store.Ordinal(len(m.byType[w.Type]))
			m.byType[w.Type] = append(m.byType[w.Type], r)
		default:
			v.Ordinal, v.FirstTx, v.Number = cur.Ordinal, cur.FirstTx, cur.Number+1
			if !cur.Deleted {
				change = store.Updated
			}
		}
		switch w.Op {
		case store.Delete:
			change, v.Deleted = store.Deleted, true
		case store.Erase:
			change, v.Deleted, v.Erased = store.Deleted, true, true
			r.versions, r.veil, r.floor, r.purged = nil, tx, 0, false
		default:
			v.Body = w.Resource.AppendStamped(nil, w.ID, v.Number, instant)
			v.entries, v.epoch = kept(w.Entries), w.Epoch
		}
		if r.born.Tx == 0 {
			r.born = v
		}
		if was := cur != nil && !cur.Deleted; was == v.Deleted {
			r.lived = append(r.lived, tx)
		}
		r.versions = append(r.versions, v)
		m.changes[w.Type] = append(m.changes[w.Type], store.ChangeRow{Tx: tx, Ordinal: v.Ordinal, Number: v.Number, Change: change})
		results[i] = store.Result{Version: v.Version, Change: change}
		m.tx = tx
	}
	for _, r := range t.Riders {
		m.riders[string(r.Key)] = r.Value
	}
	if m.tx == tx {
		m.instant, m.sealed = instant, false
		m.instants = append(m.instants, instant)
	}
	return results
}

// kept are entries as the index keeps them.
func kept(entries []store.Entry) []store.Entry {
	var list []store.Entry
	for _, e := range entries {
		v, _ := store.IndexValue(e.Value)
		list = append(list, store.Entry{Param: e.Param, Value: v})
	}
	slices.SortFunc(list, func(a, b store.Entry) int {
		return cmp.Or(cmp.Compare(a.Param, b.Param), bytes.Compare(a.Value, b.Value))
	})
	return slices.CompactFunc(list, func(a, b store.Entry) bool { return a.Param == b.Param && bytes.Equal(a.Value, b.Value) })
}

func (m *model) txAt(upto store.TxID, at fhir.Instant) store.TxID {
	tx := store.TxID(0)
	for i, instant := range m.instants[:upto] {
		if instant <= at {
			tx = store.TxID(i + 1)
		}
	}
	return tx
}

// census is the model's Census.
func (m *model) census(typ r4.Code, tx store.TxID) store.Census {
	var c store.Census
	for i, r := range m.byType[typ] {
		if r.born.Tx > tx {
			return c
		}
		if r.veil > tx || !r.livedAt(tx) {
			c.Dead = append(c.Dead, store.Ordinal(i))
			if r.livedAt(tx) {
				c.Erased = append(c.Erased, store.Ordinal(i))
			}
		}
		c.Next = store.Ordinal(i + 1)
	}
	return c
}

// purge forgets what veils hide of a resource.
func (m *model) purge(typ r4.Code, o store.Ordinal) {
	r := m.byType[typ][o]
	m.changes[typ] = slices.DeleteFunc(m.changes[typ], func(c store.ChangeRow) bool { return c.Ordinal == o && c.Tx < r.veil })
	r.purged = true
}

// trim forgets versions that need not be kept.
func (m *model) trim(keep store.Keep) (removed int) {
	for typ, list := range m.byType {
		for o, r := range list {
			n := 0 // so many go
			for i := range len(r.versions) - 1 {
				if r.versions[i+1].Tx <= keep.Horizon && len(r.versions)-i-1 >= keep.Versions {
					n = i + 1
				}
			}
			if n == 0 {
				continue
			}
			gone := r.versions[n-1].Tx
			m.changes[typ] = slices.DeleteFunc(m.changes[typ], func(c store.ChangeRow) bool {
				return c.Ordinal == store.Ordinal(o) && c.Tx <= gone && c.Tx >= r.veil
			})
			r.versions = slices.Clone(r.versions[n:])
			r.floor, removed = r.versions[0].Tx, removed+n
		}
	}
	return removed
}

// clone is the model as it is now.
func (m *model) clone() *model {
	c := *m
	c.byID, c.byType, c.changes = map[name]*resource{}, map[r4.Code][]*resource{}, map[r4.Code][]store.ChangeRow{}
	c.instants = slices.Clone(m.instants)
	for typ, list := range m.byType {
		for _, r := range list {
			one := *r
			one.versions, one.lived = slices.Clone(r.versions), slices.Clone(r.lived)
			c.byType[typ] = append(c.byType[typ], &one)
			c.byID[name{typ, r.born.ID}] = &one
		}
	}
	for typ, list := range m.changes {
		c.changes[typ] = slices.Clone(list)
	}
	return &c
}
