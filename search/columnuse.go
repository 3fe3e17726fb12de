package search

import (
	"slices"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// leads are the column of a reference of the type typ to the type target. steps are what it costs to go without.
func (r *run) leads(typ r4.Code, p *r4.SearchParam, target r4.Code, steps int) (*fresh, error) {
	if isCanonical(target) {
		return nil, nil
	}
	of := columnOf{typ: typ, param: p.Name, target: target}
	f, err := r.column(of)
	if f != nil || err != nil {
		return f, err
	}
	return r.lacks(of, steps, func() (*column, error) {
		there, err := r.state(target)
		if err != nil {
			return nil, err
		}
		c := &column{refs: make([]store.Ordinal, r.mustState(typ).next), to: newBitmap(there.next, false)}
		for i := range c.refs {
			c.refs[i] = store.Nowhere
		}
		return c, r.eachReferring(typ, p, target, func(to store.Ordinal, from []store.Ordinal) {
			if c.to.set(to); to == store.Nowhere {
				to = lookUp
			}
			for _, o := range from {
				switch {
				case int(o) >= len(c.refs):
				case c.refs[o] == store.Nowhere:
					c.refs[o] = to
				case c.refs[o] != to:
					c.refs[o] = lookUp
				}
			}
		})
	})
}

// sortKeys is the column of a sort key: of dates only, of which the first bytes nearly always tell which comes first.
func (r *run) sortKeys(typ r4.Code, k key, steps int) (*fresh, error) {
	if k.by == nil || typ.Param(k.name).Type != r4.ParamDate {
		return nil, nil
	}
	of := columnOf{typ: typ, param: k.name, desc: k.desc}
	f, err := r.column(of)
	if f != nil || err != nil {
		return f, err
	}
	return r.lacks(of, steps, func() (*column, error) {
		c := &column{keys: make([]uint64, r.mustState(typ).next)}
		return c, eachHit(r, typ, k.by.Ranges(), func(param uint16, value []byte, o store.Ordinal) bool {
			if key := k.by.KeyOf(param, value); key != nil && int(o) < len(c.keys) {
				if now, old := prefixOf(key), c.keys[o]; old == 0 || now > old == k.desc {
					c.keys[o] = now
				}
			}
			return true
		})
	})
}

// foremost are those of the matches among which the first n behind after surely are, by the column of the first key: all
// whose first bytes are not behind those of the n-th, and all for which the column does not speak.
func (f *fresh) foremost(k key, matches []store.Ordinal, after *sortable, n int) []store.Ordinal {
	rank := func(key uint64) uint64 { // in the order of results; who has none is last
		switch {
		case key == 0:
			return 1<<64 - 1
		case k.desc:
			return ^key
		}
		return key
	}
	var from uint64
	if after != nil {
		if from = rank(0); after.keys[0] != nil {
			from = rank(prefixOf(after.keys[0]))
		}
	}
	kept := make([]store.Ordinal, 0, 2*n)
	var ranks []uint64
	for _, o := range matches {
		if f.knows(o) {
			if at := rank(f.keys[o]); at > from {
				ranks = append(ranks, at)
			}
		}
	}
	last := uint64(1<<64 - 1)
	if n < len(ranks) {
		slices.Sort(ranks)
		last = ranks[n]
	}
	for _, o := range matches {
		if !f.knows(o) {
			kept = append(kept, o)
		} else if at := rank(f.keys[o]); at >= from && at <= last {
			kept = append(kept, o)
		}
	}
	return kept
}

// led divides resources into the targets to which they lead by a column, ascending and each once, and those whose entries
// must be looked at. What was not there yet as of the view is left out.
func (f *fresh) led(all []store.Ordinal, next store.Ordinal) (targets, rest []store.Ordinal) {
	for _, o := range all {
		if !f.knows(o) || f.refs[o] == lookUp {
			rest = append(rest, o)
		} else if to := f.refs[o]; to < next {
			targets = append(targets, to)
		}
	}
	if len(targets) < int(next)/64 {
		return sorted(targets), rest
	}
	seen := newBitmap(next, false) // costs less than to sort
	for _, to := range targets {
		seen.set(to)
	}
	targets = targets[:0]
	for to, _ := seen.seek(0); to != store.End; to, _ = seen.seek(to + 1) {
		targets = append(targets, to)
	}
	return targets, rest
}

// byColumn takes those candidates out of which a column tells that their reference leads to nothing that meets the
// chain, and reports of which none tells.
func (c *chain) byColumn(r *run, b *batch) (untold []bool, err error) {
	untold = slices.Repeat([]bool{true}, len(b.ordinals))
	if len(c.alternatives) != 1 {
		return untold, nil
	}
	a := &c.alternatives[0]
	var ask []store.Ordinal
	for i, o := range b.ordinals {
		if b.keep[i] && !b.full[i] {
			ask = append(ask, o)
		}
	}
	steps := costOfRows(ask)
	if b.entries != nil {
		steps = 0
	}
	led, err := r.leads(c.typ, c.ref, a.clause.typ, steps)
	if led == nil || err != nil {
		return untold, err
	}
	r.work += len(ask)
	st, err := r.state(a.clause.typ)
	if err != nil {
		return nil, err
	}
	targets, _ := led.led(ask, st.next)
	if erased, err := r.anyErased(a.clause.typ, targets); err != nil || erased {
		return untold, err // what bears the id now is another one
	}
	match, err := a.match(r, targets)
	if err != nil {
		return nil, err
	}
	for i, o := range b.ordinals {
		if !b.keep[i] || b.full[i] || !led.knows(o) || led.refs[o] == lookUp {
			continue
		}
		at, ok := slices.BinarySearch(targets, led.refs[o])
		untold[i], b.keep[i] = false, ok && match[at]
	}
	return untold, nil
}

// referredTo is the stream of the resources to which another may refer, for as far as a column tells.
type referredTo struct {
	to     *bitmap         // as of when the column was made; it tells nothing of those that were not there
	others []store.Ordinal // ascending
}

func (s *referredTo) has(o store.Ordinal) bool {
	return o >= s.to.next || s.to.has(o) || (&set{ordinals: s.others}).has(o)
}

func (s *referredTo) seek(from store.Ordinal) (store.Ordinal, error) {
	if from >= s.to.next {
		return from, nil
	}
	first, _ := s.to.seek(from)
	if n, _ := slices.BinarySearch(s.others, from); n < len(s.others) {
		first = min(first, s.others[n])
	}
	return min(first, s.to.next), nil
}

func (*referredTo) rewind()      {}
func (*referredTo) close() error { return nil }

// mostChanged is how many resources that changed since a column was made are looked at one by one to know where they
// lead.
const mostChanged = 64

// referred are the candidates to which something refers; nil where no column tells.
func (c *reverse) referred(r *run) (*referredTo, error) {
	if c.maybe != nil {
		return c.maybe, nil
	}
	led, err := r.leads(c.inner.typ, c.ref, c.typ, 0)
	if led == nil || err != nil || len(led.changed)+len(led.st.changed) > mostChanged {
		return nil, err
	}
	changed := sorted(append(slices.Clone(led.changed), led.st.changed...))
	others, err := c.targets(r, r.batchOf(c.inner.typ, changed))
	if err == nil {
		c.maybe = &referredTo{led.to, others}
	}
	return c.maybe, err
}

// eachReferring calls do with each resource of the type target to which others refer, and with these, for as far as the
// index speaks for them; Nowhere stands for what is not there.
func (r *run) eachReferring(typ r4.Code, p *r4.SearchParam, target r4.Code, do func(to store.Ordinal, from []store.Ordinal)) error {
	var names []index.Target
	var ends []int // of the ordinals of each
	var ordinals []store.Ordinal
	flush := func() error {
		found, err := r.resolve(target, names)
		if err != nil {
			return err
		}
		from := 0
		for i := range found {
			do(found[i], ordinals[from:ends[i]])
			from = ends[i]
		}
		names, ends, ordinals = names[:0], ends[:0], ordinals[:0]
		return nil
	}
	for _, rg := range index.References(typ, p, target) {
		err := r.groups(typ, rg, target, func(h *store.Hits, of index.Target, now []byte) (bool, error) {
			ok := true
			for ; ok && string(h.Value()) == string(now); ok = h.Next() {
				r.work++
				ordinals = append(ordinals, h.Ordinal())
			}
			names, ends = append(names, of), append(ends, len(ordinals))
			if len(names) >= joinAtOnce {
				if err := flush(); err != nil {
					return false, err
				}
			}
			return ok, h.Err()
		})
		if err != nil {
			return err
		}
	}
	return flush()
}
