package search

import (
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

	listed bool          // it was looked whether lists can be had
	lists  []index.Range // the single values that stand in the ranges, if they are few; else nil

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
func (c *filter) param() string  { return c.name }

func (c *filter) drive(r *run, e effort, unsure *bool) (stream, bool, error) {
	switch {
	case c.f.Negated():
		if e < most {
			return nil, false, nil
		}
		return c.complement(r)
	case len(c.ranges) == 0: // nothing can match
		return &set{}, true, nil
	}
	if err := c.list(r); err != nil {
		return nil, false, err
	}
	switch {
	case c.lists != nil:
		u := &union{}
		for _, rg := range c.lists {
			u.parts = append(u.parts, newList(r, c.typ, rg, c.f, unsure))
		}
		if len(u.parts) == 1 {
			return u.parts[0], true, nil
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

// list finds out whether the filter is a merge of a few lists in the order of ordinals: its ranges are those of single
// values, or only a few values stand in them, as in that of a reference. It jumps from value to value.
func (c *filter) list(r *run) error {
	if c.listed {
		return nil
	}
	c.listed = true
	singles := !slices.ContainsFunc(c.ranges, func(rg index.Range) bool { return !rg.One() })
	if singles && len(c.ranges) <= r.s.tune.streams {
		c.lists = c.ranges
		return nil
	}
	if len(c.ranges) > r.s.tune.values {
		return nil
	}
	lists := []index.Range{}
	seen := 0
	for _, rg := range c.ranges {
		if rg.One() {
			lists = append(lists, rg)
			continue
		}
		few, err := c.valuesIn(r, rg, &seen, &lists)
		if err != nil || !few {
			return err
		}
	}
	c.lists = lists
	return nil
}

// valuesIn adds the values in a range that the filter accepts, if there are few.
func (c *filter) valuesIn(r *run, rg index.Range, seen *int, lists *[]index.Range) (few bool, err error) {
	h := r.v.Hits(r.ctx, c.typ, rg.Param, store.Values{From: rg.From, To: rg.To, Prefix: rg.Prefix}, false)
	defer func() { err = closing(err, h.Close()) }()
	for ok := h.Next(); ok; {
		if *seen++; *seen > r.s.tune.values {
			return false, nil
		}
		value := append(make([]byte, 0, len(h.Value())+1), h.Value()...)
		if c.f.Exact() || c.f.Accept(rg.Param, value) != index.No {
			*lists = append(*lists, index.Range{Param: rg.Param, From: value, To: append(value, 0)})
		}
		ok = h.Seek(value, store.End)
	}
	return true, h.Err()
}

// collect are the ordinals in the ranges that the filter accepts, ascending; complete is false where there are more than
// limit entries.
func (c *filter) collect(r *run, limit int, unsure *bool) (found []store.Ordinal, complete bool, err error) {
	steps, complete := 0, true
	exact := c.f.Exact()
	err = eachHit(r, c.typ, c.ranges, func(param uint16, value []byte, o store.Ordinal) bool {
		if steps++; steps > limit {
			complete = false
			return false
		}
		if !exact {
			switch c.f.Accept(param, value) {
			case index.No:
				return true
			case index.Unsure:
				*unsure = true
			}
		}
		found = append(found, o)
		return true
	})
	if err != nil || !complete {
		return nil, false, err
	}
	slices.Sort(found)
	return slices.Compact(found), true, nil
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
	a := newBitmap(st.next, true)
	decided := true
	if err := eachHit(r, c.typ, c.f.Ranges(), func(param uint16, value []byte, o store.Ordinal) bool {
		switch c.f.Accept(param, value) {
		case index.Yes:
			a.set(o)
		case index.Unsure:
			decided = false // it stays in, and is tested
		}
		return true
	}); err != nil {
		return nil, false, err
	}
	return a, decided, nil
}
