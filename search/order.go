package search

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// key is one key of _sort for one type.
type key struct {
	name string
	desc bool
	by   *index.Sort // nil: _id or _lastUpdated
}

// keys compiles _sort for a type. Results are sorted by all keys, then by the order of creation; who lacks a value comes
// last, whatever the direction.
func (r *run) keys(typ r4.Code, names []sortName) ([]key, error) {
	var keys []key
	for _, n := range names {
		k := key{name: n.name, desc: n.desc}
		if n.name != "_id" && n.name != "_lastUpdated" {
			p := typ.Param(n.name)
			if p == nil {
				return nil, refuse("_sort", "%s has no search parameter %s", typ, clip(n.name))
			}
			var err error
			if k.by, err = index.NewSort(typ, p); err != nil {
				return nil, named("_sort", err)
			}
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// sortable is one resource with its keys.
type sortable struct {
	place
	keys [][]byte
}

// compareKeys orders by the keys alone.
func compareKeys(keys []key, a, b [][]byte) int {
	for i := range keys {
		if c := compareKey(keys[i], a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

func compareKey(k key, a, b []byte) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	case k.desc:
		return bytes.Compare(b, a)
	}
	return bytes.Compare(a, b)
}

// compareSortables orders by keys, then type, then ordinal.
func compareSortables(keys []key, a, b sortable) int {
	if c := compareKeys(keys, a.keys, b.keys); c != 0 {
		return c
	}
	if a.typ != b.typ {
		return int(a.typ) - int(b.typ)
	}
	return compareOrdinals(a.ordinal, b.ordinal)
}

// sortables are the candidates of a batch that are still in, with their keys.
func (r *run) sortables(keys []key, b *batch) ([]sortable, error) {
	for _, k := range keys {
		var err error
		if k.by != nil {
			err = r.load(b)
		} else {
			err = r.loadHeaders(b)
		}
		if err != nil {
			return nil, err
		}
	}
	all, room := make([]sortable, 0, len(b.ordinals)), make([][]byte, len(keys)*len(b.ordinals))
	for i, o := range b.ordinals {
		if !b.keep[i] {
			continue
		}
		s := sortable{place: place{b.typ, o}, keys: room[:len(keys):len(keys)]}
		room = room[len(keys):]
		for n, k := range keys {
			switch {
			case k.by != nil:
				s.keys[n] = k.by.Key(b.entries[i], k.desc)
			case k.name == "_id":
				s.keys[n] = []byte(b.headers[i].ID)
			default:
				s.keys[n] = instantKey(b.headers[i].Instant)
			}
		}
		all = append(all, s)
	}
	return all, nil
}

func instantKey(at fhir.Instant) []byte { return binary.BigEndian.AppendUint64(nil, uint64(at)) }

// batchOf is a batch of ordinals that are known to match.
func (r *run) batchOf(typ r4.Code, ordinals []store.Ordinal) *batch {
	b := &batch{typ: typ}
	for _, o := range ordinals {
		b.add(o, r.mustState(typ).isChanged(o))
	}
	return b
}

// ordered are the first n of the clause's matches behind a position, in their order. after may be nil.
func (r *run) ordered(c *clause, keys []key, after *sortable, n int) ([]sortable, error) {
	found, seen, err := r.survey(c, 0, r.s.tune.countCap, r.s.tune.smallWork, true)
	if err != nil {
		return nil, err
	}
	st := r.mustState(c.typ)
	o := &ordering{r: r, c: c, keys: keys, after: after, n: n, about: seen.about(st.next)}
	if seen.complete {
		rows, steps := costOfRows(found), costOfWalk(len(found), n, int(st.next))
		var known *fresh
		if len(found) > r.s.tune.smallSort {
			if known, err = r.sortKeys(c.typ, keys[0], min(rows, steps)); err != nil {
				return nil, err
			}
		}
		switch {
		case known != nil:
			r.explain("%s: %d match, of which the first are known by a column of %s", c.typ, len(found), keys[0].name)
			return r.sortInMemory(c.typ, keys, known.foremost(keys[0], found, after, n), after, n)
		case len(found) > r.s.tune.smallSort && rows > steps:
			o.matches, o.limit = found, rows
			if page, err := o.page(); err == nil || !errors.Is(err, errFar) {
				return page, err
			}
		}
		r.explain("%s: %d match and are sorted in memory", c.typ, len(found))
		return r.sortInMemory(c.typ, keys, found, after, n)
	}
	return o.page()
}

// costOfWalk is about what it costs to meet n of so many matches on a walk over the index of a sort key, if they are
// spread evenly among all resources.
func costOfWalk(matches, n, resources int) int { return 2 * resources / max(matches, 1) * n }

// sortInMemory are the first n behind after of resources that are known to match.
func (r *run) sortInMemory(typ r4.Code, keys []key, found []store.Ordinal, after *sortable, n int) (first []sortable, err error) {
	for part := range slices.Chunk(found, mostBatch) {
		some, err := r.sortables(keys, r.batchOf(typ, part))
		if err != nil {
			return nil, err
		}
		if n > 0 && len(first) == n {
			last := first[n-1]
			some = slices.DeleteFunc(some, func(s sortable) bool { return compareSortables(keys, s, last) > 0 })
		}
		first = cut(keys, append(first, some...), after, n)
	}
	return first, nil
}

// cut sorts, and takes the first n behind after.
func cut(keys []key, all []sortable, after *sortable, n int) []sortable {
	if after != nil {
		all = slices.DeleteFunc(all, func(s sortable) bool { return compareSortables(keys, s, *after) <= 0 })
	}
	slices.SortFunc(all, func(a, b sortable) int { return compareSortables(keys, a, b) })
	return all[:min(n, len(all))]
}
