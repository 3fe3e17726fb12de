package search

import (
	"context"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// run is one search over one view. It is for one goroutine.
type run struct {
	ctx     context.Context
	s       *Service
	v       *store.View
	store   *store.Store // of the view; nil where columns are not wanted
	env     index.Env
	scope   Scope
	types   map[r4.Code]*typeState
	reader  *reader // nil before a document had to be read
	note    func(depth int, format string, args ...any)
	depth   int                          // of clauses within each other, for note
	work    int                          // done so far, in steps
	cost    map[string]int               // of it, for each parameter of the search
	fresh   map[columnOf]*fresh          // columns that were asked for
	closers []interface{ close() error } // what conditions keep open
}

// typeState is what a search must know of a type as of its view.
type typeState struct {
	next    store.Ordinal   // ordinals below it had been given out
	changed []store.Ordinal // those below next for which the index speaks of a later version
	counted bool            // allLive is known
	allLive bool
}

func (s *Service) newRun(ctx context.Context, v *store.View, base string, scope Scope) *run {
	r := &run{ctx: ctx, s: s, v: v, scope: scope, types: map[r4.Code]*typeState{}, cost: map[string]int{}, fresh: map[columnOf]*fresh{}}
	r.env = index.Env{Base: strings.TrimSuffix(base, "/"), Now: s.o.Now(), Resolver: terminology{r}}
	return r
}

func (r *run) close() {
	for _, c := range r.closers {
		_ = c.close() // what went wrong with it has been told
	}
	r.closers = nil
	if r.reader != nil {
		r.s.readers.Put(r.reader)
		r.reader = nil
	}
}

// explain notes a step of the plan where the caller wants to see it.
func (r *run) explain(format string, args ...any) {
	if r.note != nil {
		r.note(r.depth, format, args...)
	}
}

func (r *run) state(typ r4.Code) (*typeState, error) {
	if st := r.types[typ]; st != nil {
		return st, nil
	}
	next, err := r.v.Next(r.ctx, typ)
	if err != nil {
		return nil, err
	}
	changed, err := r.v.ChangedSince(r.ctx, typ)
	if err != nil {
		return nil, err
	}
	n, _ := slices.BinarySearch(changed, next)
	st := &typeState{next: next, changed: changed[:n]}
	r.types[typ] = st
	return st, nil
}

func (st *typeState) isChanged(o store.Ordinal) bool {
	if len(st.changed) == 0 {
		return false
	}
	_, found := slices.BinarySearch(st.changed, o)
	return found
}

// isCurrent reports whether the whole data store is indexed by today's tables.
func (r *run) isCurrent() (bool, error) {
	epoch, err := r.v.IndexEpoch(r.ctx)
	return epoch == index.Epoch, err
}

// extract are the entries of a version, uncut; they are valid until the next call.
func (r *run) extract(v store.Version) ([]fhir.IndexEntry, error) {
	if r.reader == nil {
		r.reader = r.s.readers.Get().(*reader)
	}
	if _, err := r.reader.parser.Borrow(v.Body); err != nil {
		return nil, fault.Errorf(fault.Internal, "search", "a stored %s cannot be read: %w", v.Type, err)
	}
	return r.reader.extractor.Extract(r.reader.parser.Doc(), v.Type), nil
}

// batch is a few candidates of one type, and what was read of them.
type batch struct {
	typ      r4.Code
	ordinals []store.Ordinal
	full     []bool // the index does not speak for it: every condition is asked
	keep     []bool // still in
	entries  [][]fhir.IndexEntry
	headers  []store.Version
}

func (b *batch) reset(typ r4.Code) {
	b.typ, b.entries, b.headers = typ, nil, nil
	b.ordinals, b.full, b.keep = b.ordinals[:0], b.full[:0], b.keep[:0]
}

func (b *batch) add(o store.Ordinal, full bool) {
	b.ordinals, b.full, b.keep = append(b.ordinals, o), append(b.full, full), append(b.keep, true)
}

// kept counts what is still in.
func (b *batch) kept() int {
	n := 0
	for _, k := range b.keep {
		if k {
			n++
		}
	}
	return n
}

// part tests those candidates alone that are still in and in a selection.
func (b *batch) part(in []bool, test func(*batch) error) error {
	some := batch{typ: b.typ}
	var at []int
	for i, o := range b.ordinals {
		if in[i] && b.keep[i] {
			at = append(at, i)
			some.add(o, b.full[i])
			if b.entries != nil {
				some.entries = append(some.entries, b.entries[i])
			}
		}
	}
	switch len(at) {
	case 0:
		return nil
	case b.kept():
		return test(b) // which keeps what is read for other conditions
	}
	if err := test(&some); err != nil {
		return err
	}
	for k, i := range at {
		b.keep[i] = some.keep[k]
	}
	return nil
}

// load reads the entries of the candidates that are still in: those of the index, or of the version as of the view
// where the index speaks of a later one.
func (r *run) load(b *batch) error {
	if b.entries != nil {
		return nil
	}
	b.entries = make([][]fhir.IndexEntry, len(b.ordinals))
	var at []int
	var ask, old []store.Ordinal
	for i, o := range b.ordinals {
		if b.keep[i] && !b.full[i] {
			at, ask = append(at, i), append(ask, o)
		}
	}
	r.work += costOfRows(ask)
	found, err := r.v.Forwards(r.ctx, b.typ, ask)
	if err != nil {
		return err
	}
	for k, i := range at {
		b.entries[i] = found[k]
	}
	at = at[:0]
	for i, o := range b.ordinals {
		if b.keep[i] && b.full[i] {
			at, old = append(at, i), append(old, o)
		}
	}
	if len(old) == 0 {
		return nil
	}
	r.work += costFar * len(old)
	versions, err := r.v.ReadOrdinals(r.ctx, b.typ, old)
	if err != nil {
		return err
	}
	for k, i := range at {
		if versions[k].Number == 0 || versions[k].Deleted {
			b.keep[i] = false
			continue
		}
		uncut, err := r.extract(versions[k])
		if err != nil {
			return err
		}
		b.entries[i] = own(store.Kept(uncut))
	}
	return nil
}

// own makes entries independent of the extractor's memory.
func own(entries []fhir.IndexEntry) []fhir.IndexEntry {
	size := 0
	for i := range entries {
		size += len(entries[i].Value)
	}
	arena := make([]byte, 0, size)
	for i := range entries {
		from := len(arena)
		arena = append(arena, entries[i].Value...)
		entries[i].Value = arena[from:len(arena):len(arena)]
	}
	return entries
}

// loadHeaders reads the rows of the candidates that are still in, and drops those that are not there.
func (r *run) loadHeaders(b *batch) error {
	if b.headers != nil {
		return nil
	}
	b.headers = make([]store.Version, len(b.ordinals))
	var at []int
	var ask []store.Ordinal
	for i, o := range b.ordinals {
		if b.keep[i] {
			at, ask = append(at, i), append(ask, o)
		}
	}
	r.work += costHeader * len(ask)
	versions, err := r.v.Headers(r.ctx, b.typ, ask)
	if err != nil {
		return err
	}
	for k, i := range at {
		b.headers[i] = versions[k]
		if versions[k].Number == 0 || versions[k].Deleted {
			b.keep[i] = false
		}
	}
	return nil
}

// allLive reports whether no resource of a type is deleted.
func (r *run) allLive(typ r4.Code) (bool, error) {
	st, err := r.state(typ)
	if err != nil || st.counted {
		return st != nil && st.allLive, err
	}
	live, err := r.v.Count(r.ctx, typ)
	st.counted, st.allLive = err == nil, live == int(st.next)
	return st.allLive, err
}

// living are the ordinals of resources that are not deleted. Where nothing is, no row is read.
func (r *run) living(typ r4.Code, ordinals []store.Ordinal) ([]store.Ordinal, error) {
	all, err := r.allLive(typ)
	if err != nil || all || len(ordinals) == 0 {
		return ordinals, err
	}
	versions, err := r.v.Headers(r.ctx, typ, ordinals)
	if err != nil {
		return nil, err
	}
	kept := make([]store.Ordinal, 0, len(ordinals))
	for i, o := range ordinals {
		if versions[i].Number > 0 && !versions[i].Deleted {
			kept = append(kept, o)
		}
	}
	return kept, nil
}

// anyErased reports whether a resource that had one of the ordinals is there no longer, not even as a deleted one.
func (r *run) anyErased(typ r4.Code, ordinals []store.Ordinal) (bool, error) {
	all, err := r.allLive(typ)
	if err != nil || all {
		return false, err
	}
	r.work += costHeader * len(ordinals)
	versions, err := r.v.Headers(r.ctx, typ, ordinals)
	return slices.ContainsFunc(versions, func(v store.Version) bool { return v.Number == 0 }), err
}
