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
	versions []version // oldest first
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
		case w.Op == store.Delete && (cur == nil || cur.Deleted):
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
		if w.Op == store.Delete {
			change, v.Deleted = store.Deleted, true
		} else {
			v.Body = w.Resource.AppendStamped(nil, w.ID, v.Number, instant)
			v.entries, v.epoch = kept(w.Entries), w.Epoch
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
		switch v := r.asOf(tx); {
		case v == nil:
			return c
		case v.Deleted:
			c.Dead = append(c.Dead, store.Ordinal(i))
		}
		c.Next = store.Ordinal(i + 1)
	}
	return c
}
