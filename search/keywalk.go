package search

import (
	"bytes"
	"encoding/binary"
	"iter"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// entryWalk merges walks over the index of a parameter.
type entryWalk struct {
	key   key
	parts []*entryPart
	most  int // values that pass tells
	at    int // the part whose entry was given last; -1: none
}

// entryPart is the walk over one range. Its key is that of the entry at which it stands; nil at the end.
type entryPart struct {
	param uint16
	hits  *store.Hits
	key   []byte
	begun bool
}

func newEntryWalk(r *run, typ r4.Code, k key, from []byte) *entryWalk {
	ranges := k.by.Ranges()
	if from != nil {
		ranges = k.by.From(from, k.desc)
	}
	w := &entryWalk{key: k, most: r.s.tune.streams, at: -1}
	for _, rg := range ranges {
		w.parts = append(w.parts, &entryPart{param: rg.Param,
			hits: r.v.Hits(r.ctx, typ, rg.Param, store.Values{From: rg.From, To: rg.To, Prefix: rg.Prefix}, k.desc)})
	}
	return w
}

// settle reads the key of the entry at which a part stands, or goes on to one that has a key.
func (w *entryWalk) settle(p *entryPart, ok bool) error {
	for p.key = nil; ok; ok = p.hits.Next() {
		if p.key = w.key.by.KeyOf(p.param, p.hits.Value()); p.key != nil {
			return nil
		}
	}
	return p.hits.Err()
}

func (w *entryWalk) next() ([]byte, store.Ordinal, bool, error) {
	for i, p := range w.parts {
		if !p.begun || i == w.at {
			p.begun = true
			if err := w.settle(p, p.hits.Next()); err != nil {
				return nil, 0, false, err
			}
		}
	}
	w.at = -1
	for i, p := range w.parts {
		if p.key != nil && (w.at < 0 || compareKey(w.key, p.key, w.parts[w.at].key) < 0) {
			w.at = i
		}
	}
	if w.at < 0 {
		return nil, 0, false, nil
	}
	p := w.parts[w.at]
	return p.key, p.hits.Ordinal(), true, nil
}

// pass jumps from value to value.
func (w *entryWalk) pass(key []byte) (values []index.Range, err error) {
	many := false
	for i, p := range w.parts {
		for p.key != nil && bytes.Equal(p.key, key) {
			value := bytes.Clone(p.hits.Value())
			if len(values) == w.most {
				many = true
			} else {
				values = append(values, index.Range{Param: p.param, From: value, To: append(bytes.Clone(value), 0)})
			}
			end := store.End
			if w.key.desc {
				end = 0
			}
			ok := p.hits.Seek(value, end)
			if ok && w.key.desc && bytes.Equal(p.hits.Value(), value) { // it stands on the last of them
				ok = p.hits.Next()
			}
			if err := w.settle(p, ok); err != nil {
				return nil, err
			}
		}
		if i == w.at {
			w.at = -1 // it stands on what next has to give
		}
	}
	if many {
		values = nil
	}
	return values, nil
}

func (w *entryWalk) close() error {
	var first error
	for _, p := range w.parts {
		if err := p.hits.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// idWalk goes by ids; each is a group of its own.
type idWalk struct {
	first store.Named // given before all others, unless its id is empty
	pull  func() (store.Named, error, bool)
	stop  func()
}

func newIDWalk(r *run, typ r4.Code, desc bool, from []byte) (*idWalk, error) {
	w := &idWalk{}
	if from != nil {
		found, err := r.v.Ordinals(r.ctx, typ, []string{string(from)})
		if err != nil {
			return nil, err
		}
		if found[0] != store.Nowhere {
			w.first = store.Named{ID: string(from), Ordinal: found[0]}
		}
	}
	w.pull, w.stop = iter.Pull2(r.v.IDs(r.ctx, typ, string(from), desc))
	return w, nil
}

func (w *idWalk) next() ([]byte, store.Ordinal, bool, error) {
	if n := w.first; n.ID != "" {
		w.first.ID = ""
		return []byte(n.ID), n.Ordinal, true, nil
	}
	n, err, ok := w.pull()
	return []byte(n.ID), n.Ordinal, ok, err
}

func (w *idWalk) pass([]byte) ([]index.Range, error) { return nil, nil }

func (w *idWalk) close() error { w.stop(); return nil }

// updateWalk goes by the instants of current versions: by changes, less those that were changed again.
type updateWalk struct {
	r       *run
	typ     r4.Code
	pull    func() (store.ChangeRow, error, bool)
	stop    func()
	waiting []sortable
}

func newUpdateWalk(r *run, typ r4.Code, desc bool, from []byte) (*updateWalk, error) {
	w := &updateWalk{r: r, typ: typ}
	after, upto := store.TxID(0), r.v.Tx()
	var err error
	if from != nil {
		at := fhir.Instant(binary.BigEndian.Uint64(from))
		if desc {
			upto, err = r.v.TxAt(r.ctx, at)
		} else {
			after, err = r.v.TxAt(r.ctx, at-1)
		}
		if err != nil {
			return nil, err
		}
	}
	rows := r.v.Changes(r.ctx, typ, after, upto)
	if desc {
		rows = r.v.ChangesBack(r.ctx, typ, after, upto)
	}
	w.pull, w.stop = iter.Pull2(rows)
	return w, nil
}

func (w *updateWalk) next() ([]byte, store.Ordinal, bool, error) {
	for len(w.waiting) == 0 {
		if ok, err := w.fill(); !ok {
			return nil, 0, false, err
		}
	}
	s := w.waiting[0]
	w.waiting = w.waiting[1:]
	return s.keys[0], s.ordinal, true, nil
}

// fill reads a few changes and keeps those that made a current version.
func (w *updateWalk) fill() (bool, error) {
	var ordinals []store.Ordinal
	var made []store.TxID
	for len(ordinals) < w.r.s.tune.leastBatch*2 {
		row, err, ok := w.pull()
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		ordinals, made = append(ordinals, row.Ordinal), append(made, row.Tx)
	}
	if len(ordinals) == 0 {
		return false, nil
	}
	versions, err := w.r.v.Headers(w.r.ctx, w.typ, ordinals)
	if err != nil {
		return false, err
	}
	for i, v := range versions {
		if v.Number > 0 && !v.Deleted && v.Tx == made[i] {
			w.waiting = append(w.waiting, sortable{place: place{w.typ, ordinals[i]}, keys: [][]byte{instantKey(v.Instant)}})
		}
	}
	return true, nil
}

func (w *updateWalk) pass(key []byte) ([]index.Range, error) {
	for {
		for len(w.waiting) > 0 {
			if !bytes.Equal(w.waiting[0].keys[0], key) {
				return nil, nil
			}
			w.waiting = w.waiting[1:]
		}
		if ok, err := w.fill(); !ok {
			return nil, err
		}
	}
}

func (w *updateWalk) close() error { w.stop(); return nil }
