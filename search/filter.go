package search

import (
	"context"
	"slices"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// filter is the condition that a search parameter makes.
type filter struct {
	typ    r4.Code
	name   string // as it was given
	f      *index.Filter
	ranges []index.Range

	counted bool // the ranges were walked over
	few     bool // and found was what stands in them
	found   []store.Ordinal
	unsure  bool
}

func newFilter(typ r4.Code, name string, f *index.Filter) *filter {
	c := &filter{typ: typ, name: name, f: f}
	if !f.Negated() {
		c.ranges = slices.Clone(f.Ranges())
	}
	return c
}

func (c *filter) String() string { return c.name + ": " + c.f.String() }
func (c *filter) cost() int      { return 1 }

// lists reports whether the filter is a merge of a few lists in the order of ordinals.
func (c *filter) lists(most int) bool {
	if len(c.ranges) == 0 || len(c.ranges) > most {
		return false
	}
	for _, r := range c.ranges {
		if !r.One() {
			return false
		}
	}
	return true
}

func (c *filter) drive(r *run, e effort, unsure *bool) (stream, bool, error) {
	switch {
	case c.f.Negated():
		if e < most {
			return nil, false, nil
		}
		return c.complement(r)
	case len(c.ranges) == 0: // nothing can match
		return &set{}, true, nil
	case c.lists(r.s.tune.streams):
		if len(c.ranges) == 1 {
			return newList(r.ctx, r.v, c.typ, c.ranges[0], c.f, unsure), true, nil
		}
		u := &union{}
		for _, rg := range c.ranges {
			u.parts = append(u.parts, newList(r.ctx, r.v, c.typ, rg, c.f, unsure))
		}
		return u, true, nil
	case e < more:
		return nil, false, nil
	}
	if !c.counted {
		var err error
		if c.found, c.few, err = c.collect(r, r.s.tune.rangeCap, &c.unsure); err != nil {
			return nil, false, err
		}
		c.counted = true
	}
	if !c.few {
		return nil, false, nil
	}
	*unsure = *unsure || c.unsure
	return &set{ordinals: c.found}, true, nil
}

// collect are the ordinals in the ranges that the filter accepts, ascending; complete is false where there are more than
// limit entries.
func (c *filter) collect(r *run, limit int, unsure *bool) (found []store.Ordinal, complete bool, err error) {
	steps := 0
	for _, rg := range c.ranges {
		if complete, err = c.collectRange(r.ctx, r.v, rg, limit, &steps, &found, unsure); err != nil || !complete {
			return nil, false, err
		}
	}
	slices.Sort(found)
	return slices.Compact(found), true, nil
}

func (c *filter) collectRange(ctx context.Context, v *store.View, rg index.Range, limit int, steps *int, found *[]store.Ordinal, unsure *bool) (complete bool, err error) {
	h := v.Hits(ctx, c.typ, rg.Param, store.Values{From: rg.From, To: rg.To, Prefix: rg.Prefix}, false)
	defer func() { err = closing(err, h.Close()) }()
	exact := c.f.Exact()
	for h.Next() {
		if *steps++; *steps > limit {
			return false, nil
		}
		if !exact {
			switch c.f.Accept(rg.Param, h.Value()) {
			case index.No:
				continue
			case index.Unsure:
				*unsure = true
			}
		}
		*found = append(*found, h.Ordinal())
	}
	return true, h.Err()
}

func (c *filter) test(r *run, b *batch) error {
	if len(c.ranges) == 0 && !c.f.Negated() {
		clear(b.keep)
		return nil
	}
	if err := r.load(b); err != nil {
		return err
	}
	for i := range b.ordinals {
		if !b.keep[i] {
			continue
		}
		verdict, err := r.verdict(c.f, b, i)
		if err != nil {
			return err
		}
		b.keep[i] = verdict
	}
	return nil
}

// verdict asks the filter about one candidate, and the document where its entries were cut.
func (r *run) verdict(f *index.Filter, b *batch, i int) (bool, error) {
	switch f.Match(b.entries[i]) {
	case index.Yes:
		return true, nil
	case index.No:
		return false, nil
	}
	versions, err := r.v.ReadOrdinals(r.ctx, b.typ, b.ordinals[i:i+1])
	if err != nil || versions[0].Number == 0 || versions[0].Deleted {
		return false, err
	}
	uncut, err := r.extract(versions[0])
	if err != nil {
		return false, err
	}
	return f.MatchFull(uncut), nil
}

// complement is the stream of the resources of which no entry is accepted, dead ones among them: that of a negated
// filter. It costs a walk over all entries of the parameter, but no look at any resource.
func (c *filter) complement(r *run) (stream, bool, error) {
	st, err := r.state(c.typ)
	if err != nil {
		return nil, false, err
	}
	a := &absent{next: st.next, bits: make([]uint64, int(st.next)/64+1)}
	decided := true
	for _, rg := range c.f.Ranges() {
		err := eachHit(r, c.typ, rg, func(value []byte, o store.Ordinal) {
			switch c.f.Accept(rg.Param, value) {
			case index.Yes:
				a.set(o)
			case index.Unsure:
				decided = false // it stays in, and is tested
			}
		})
		if err != nil {
			return nil, false, err
		}
	}
	return a, decided, nil
}

// eachHit calls do for all entries in a range.
func eachHit(r *run, typ r4.Code, rg index.Range, do func(value []byte, o store.Ordinal)) (err error) {
	h := r.v.Hits(r.ctx, typ, rg.Param, store.Values{From: rg.From, To: rg.To, Prefix: rg.Prefix}, false)
	defer func() { err = closing(err, h.Close()) }()
	for h.Next() {
		do(h.Value(), h.Ordinal())
	}
	return h.Err()
}
