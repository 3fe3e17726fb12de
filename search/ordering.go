package search

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"tarn/fhir"
	"tarn/store"
)

// ordering walks over the index of the first sort key, since many resources match: the first of them in that order are
// found after few steps. Entries with the same key make a group; groups are tested in batches and sorted in memory. A
// group too large for that is searched as a clause of its own, sorted by the keys that are left. Those without the key
// are the last group.
type ordering struct {
	r     *run
	c     *clause
	keys  []key
	after *sortable
	n     int
	about int // how many candidates the index gives, estimated

	matches []store.Ordinal // all of them, where they are known
	limit   int             // steps after which the walk ends with errFar; 0: never
	members []store.Ordinal // where it is not nil: candidates that are not among them do not match
	sieve   *walk           // where it is not nil: what its streams do not give does not match
	extra   []sortable      // matches for which the index does not speak, sorted
	out     []sortable
	steps   int
}

// errFar tells that the first matches stand far from where the walk began.
var errFar = errors.New("far away")

func (o *ordering) page() ([]sortable, error) {
	first := o.keys[0]
	o.r.explain("%s: many match; the index of %s is walked in its order", o.c.typ, first.name)
	if err := o.prepare(); err != nil {
		return nil, err
	}
	var from []byte
	if o.after != nil {
		if from = o.after.keys[0]; from == nil {
			return o.rest()
		}
	}
	w, err := o.r.walkKeys(o.c.typ, first, from)
	if err != nil {
		return nil, err
	}
	err = o.groups(w, from)
	if err := closing(err, w.close()); err != nil || len(o.out) >= o.n {
		return o.out[:min(o.n, len(o.out))], err
	}
	return o.rest()
}

// prepare finds the candidates that the index gives, if they are not too many, and what the index does not speak for.
func (o *ordering) prepare() error {
	st, err := o.r.state(o.c.typ)
	if err != nil {
		return err
	}
	if o.matches != nil {
		return o.divide()
	}
	return o.r.quietly(func() (err error) {
		w, err := o.r.begin(o.c, 0)
		if err != nil {
			return err
		}
		defer func() {
			if err == nil && !w.all && o.members == nil {
				o.sieve = w // the run closes it
				o.r.closers = append(o.r.closers, w)
			} else {
				err = closing(err, w.close())
			}
		}()
		if !w.all && o.about <= o.r.s.tune.memberCap {
			o.members = []store.Ordinal{}
			for {
				at, full, err := w.candidate()
				if err != nil {
					return err
				}
				if at == store.End {
					break
				}
				if full {
					continue
				}
				if len(o.members) == o.r.s.tune.memberCap {
					o.members = nil
					break
				}
				o.members = append(o.members, at)
			}
		}
		if len(st.changed) == 0 {
			return nil
		}
		b := o.r.batchOf(o.c.typ, st.changed)
		if err := o.r.judge(o.c, b); err != nil {
			return err
		}
		all, err := o.r.sortables(o.keys, b)
		if err != nil {
			return err
		}
		o.extra = cut(o.keys, all, o.after, len(all))
		return nil
	})
}

// divide is prepare where all matches are known.
func (o *ordering) divide() error {
	st := o.r.mustState(o.c.typ)
	o.members = make([]store.Ordinal, 0, len(o.matches))
	b := &batch{typ: o.c.typ}
	for _, at := range o.matches {
		if st.isChanged(at) {
			b.add(at, true)
		} else {
			o.members = append(o.members, at)
		}
	}
	all, err := o.r.sortables(o.keys, b)
	o.extra = cut(o.keys, all, o.after, len(all))
	return err
}

// groups gathers entries until enough of them end with a whole group, and tests these.
func (o *ordering) groups(w keyWalk, from []byte) error {
	var ordinals []store.Ordinal // of whole groups, then of the one at work
	whole := 0
	var now []byte
	begun := false
	batchSize := max(o.r.s.tune.leastBatch, min(o.n, o.r.s.tune.mostBatch))
	st := o.r.mustState(o.c.typ)
	for {
		k, at, ok, err := w.next()
		if err != nil {
			return err
		}
		if ok && (k == nil || from != nil && !begun && compareKey(o.keys[0], k, from) < 0) {
			continue // before the position
		}
		if !ok || !begun || !bytes.Equal(k, now) {
			whole = len(ordinals)
			if begun && (!ok || whole >= batchSize) {
				if err := o.test(ordinals, now); err != nil || len(o.out) >= o.n {
					return err
				}
				ordinals, whole = ordinals[:0], 0
				batchSize = min(2*batchSize, o.r.s.tune.mostBatch)
			}
			if !ok {
				return nil
			}
			now, begun = append(now[:0], k...), true
		}
		if at < st.next && !st.isChanged(at) && o.member(at) {
			ordinals = append(ordinals, at)
		}
		o.r.work++
		if o.steps++; o.limit > 0 && o.steps > o.limit {
			return errFar
		}
		if o.steps%1024 == 0 {
			if err := o.r.ctx.Err(); err != nil {
				return err
			}
		}
		if len(ordinals)-whole > o.r.s.tune.groupCap {
			// Those before this group come first.
			if err := o.testBefore(ordinals[:whole], o.before(now)); err != nil || len(o.out) >= o.n {
				return err
			}
			ordinals, whole = ordinals[:0], 0
			if err := o.large(w, bytes.Clone(now)); err != nil || len(o.out) >= o.n {
				return err
			}
			begun, from = false, nil
			batchSize = max(o.r.s.tune.leastBatch, min(o.n, o.r.s.tune.mostBatch))
		}
	}
}

func (o *ordering) member(at store.Ordinal) bool {
	if o.members == nil {
		return true
	}
	_, found := slices.BinarySearch(o.members, at)
	return found
}

// before takes the extra matches whose first key stands before k out of the list.
func (o *ordering) before(k []byte) []sortable {
	n := 0
	for n < len(o.extra) && compareKey(o.keys[0], o.extra[n].keys[0], k) < 0 {
		n++
	}
	taken := o.extra[:n]
	o.extra = o.extra[n:]
	return taken
}

// test tests candidates whose first keys stand at or before last, and puts out those that match.
func (o *ordering) test(ordinals []store.Ordinal, last []byte) error {
	n := 0
	for n < len(o.extra) && compareKey(o.keys[0], o.extra[n].keys[0], last) <= 0 {
		n++
	}
	taken := o.extra[:n]
	o.extra = o.extra[n:]
	return o.testBefore(ordinals, taken)
}

func (o *ordering) testBefore(ordinals []store.Ordinal, extra []sortable) error {
	seen := slices.Clone(ordinals)
	slices.Sort(seen)
	seen, err := o.sift(slices.Compact(seen))
	if err != nil {
		return err
	}
	all := slices.Clone(extra)
	for part := range slices.Chunk(seen, mostBatch) {
		b := &batch{typ: o.c.typ}
		for _, at := range part {
			b.add(at, false)
		}
		if err := o.r.load(b); err != nil {
			return err
		}
		if o.matches == nil {
			if err := o.r.quietly(func() error { return o.r.judge(o.c, b) }); err != nil {
				return err
			}
		}
		more, err := o.r.sortables(o.keys, b)
		if err != nil {
			return err
		}
		all = append(all, more...)
	}
	// A resource with several values is met again behind its key; it was put out then.
	if n := len(o.out); n > 0 {
		last := o.out[n-1]
		all = slices.DeleteFunc(all, func(s sortable) bool { return compareSortables(o.keys, s, last) <= 0 })
	}
	o.out = append(o.out, cut(o.keys, all, o.after, len(all))...)
	return nil
}

// sift leaves out what the streams of the sieve do not give, which costs less than to read its entries.
func (o *ordering) sift(ordinals []store.Ordinal) ([]store.Ordinal, error) {
	if o.sieve == nil {
		return ordinals, nil
	}
	kept := ordinals[:0]
	streams := o.sieve.streams
	for _, s := range streams {
		s.rewind()
	}
	for _, at := range ordinals {
		in := true
		for i := 0; in && i < len(streams); i++ {
			first, err := streams[i].seek(at)
			if err != nil {
				return nil, err
			}
			in = first == at
		}
		if in {
			kept = append(kept, at)
		}
	}
	return kept, nil
}

// large searches the group of the key k as a clause of its own.
func (o *ordering) large(w keyWalk, k []byte) error {
	if _, err := w.pass(k); err != nil {
		return err
	}
	values, err := o.r.valuesOf(o.c.typ, o.keys[0], k)
	if err != nil {
		return err
	}
	o.extra = slices.DeleteFunc(o.extra, func(s sortable) bool { return compareKey(o.keys[0], s.keys[0], k) == 0 })
	if o.keys[0].by == nil { // many of one instant; an id is no group
		at := fhir.Instant(binary.BigEndian.Uint64(k))
		return o.group(k, &updated{name: "_sort", typ: o.c.typ, spans: []instants{{from: at, to: at + 1}}})
	}
	return o.group(k, &keyIs{typ: o.c.typ, key: o.keys[0], is: k, values: values})
}

// rest are those without the first key.
func (o *ordering) rest() ([]sortable, error) {
	if err := o.testBefore(nil, o.before(nil)); err != nil || len(o.out) >= o.n {
		return o.out[:min(o.n, len(o.out))], err
	}
	if o.keys[0].by == nil { // everything has an id and an instant
		return o.out, nil
	}
	err := o.group(nil, &keyIs{typ: o.c.typ, key: o.keys[0]})
	return o.out, err
}

// group puts out the matches whose first key is k, which the condition says.
func (o *ordering) group(k []byte, is condition) error {
	c := &clause{typ: o.c.typ, conds: append(slices.Clone(o.c.conds), is)}
	var after *sortable
	if o.after != nil && compareKey(o.keys[0], o.after.keys[0], k) == 0 {
		after = &sortable{place: o.after.place, keys: o.after.keys[1:]}
	}
	want := o.n - len(o.out)
	var found []sortable
	var err error
	if len(o.keys) > 1 {
		found, err = o.r.ordered(c, o.keys[1:], after, want)
	} else {
		var from store.Ordinal
		if after != nil && after.typ == c.typ {
			from = min(after.ordinal, store.End-1) + 1
		}
		var ordinals []store.Ordinal
		ordinals, _, err = o.r.enumerate(c, from, want, 0)
		for _, at := range ordinals {
			found = append(found, sortable{place: place{c.typ, at}})
		}
	}
	for _, s := range found {
		s.keys = append([][]byte{k}, s.keys...)
		o.out = append(o.out, s)
	}
	return err
}
