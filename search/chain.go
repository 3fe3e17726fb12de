package search

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// chain is the condition that a reference leads to a resource that meets a clause: subject:Patient.name=x. It is
// answered from the far end, if few resources match there: their ids are searched for as values of the reference. Else
// from the near end: the references of each candidate are followed.
type chain struct {
	typ          r4.Code
	key          string
	ref          *r4.SearchParam
	alternatives []alternative
	looked       bool
	far          *pointing // of the ids at the far end; nil where there are too many
	narrow       bool      // few of those that a reference can lead to are there
	spent        int       // steps, on following references
	near         *bitmap   // the answer, if it is known, but for those that the index does not speak for
}

// alternative is a type that the reference may lead to.
type alternative struct {
	clause *clause
	found  []store.Ordinal // those that match, ascending, if complete
	all    bool
}

func (c *chain) cost() int     { return 3 }
func (c *chain) param() string { return c.key }
func (c *chain) isKnown() bool { return c.near != nil || c.narrow }

func (c *chain) String() string {
	var parts []string
	for _, a := range c.alternatives {
		how := "followed from each candidate"
		if a.all {
			how = fmt.Sprintf("%d match", len(a.found))
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", a.clause.typ, how))
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	return c.key + ": chain to " + strings.Join(parts, ", ")
}

// look counts the far end, once.
func (c *chain) look(r *run) error {
	if c.looked {
		return nil
	}
	c.looked = true
	total, complete := 0, true
	for i := range c.alternatives {
		a := &c.alternatives[i]
		var err error
		if a.found, a.all, err = r.enumerate(a.clause, 0, r.s.tune.innerCap, r.s.tune.innerWork); err != nil {
			return err
		}
		total += len(a.found)
		complete = complete && a.all
	}
	if !complete || total > r.s.tune.innerCap {
		return nil
	}
	to := map[r4.Code][]store.Ordinal{}
	there := 0
	for i := range c.alternatives {
		a := &c.alternatives[i]
		to[a.clause.typ] = a.found
		st, err := r.state(a.clause.typ)
		if err != nil {
			return err
		}
		there += int(st.next)
	}
	var err error
	c.far, err = r.leadingTo(c.typ, c.ref, c.key, to)
	c.narrow = err == nil && total*narrowShare <= there
	return err
}

// narrowShare is the share of the resources at the far end of a chain, as a divisor, that leads at once: the more there
// are, the more of the candidates that others give are met, which are then cheaper to test.
const narrowShare = 8

// pointsTo is the filter of the resources of a type that refer to one of refs by the parameter.
func (r *run) pointsTo(typ r4.Code, p *r4.SearchParam, key string, refs []string) (*filter, error) {
	if len(refs) == 0 {
		return &filter{typ: typ, name: key, f: new(index.Filter)}, nil
	}
	f, err := index.Compile(typ, p, "", refs, r.env)
	if err != nil {
		return nil, named(key, err)
	}
	return newFilter(typ, key, f), nil
}

// references are the values by which resources are referred to: Type/id, and the canonical URL of those that have one.
func (r *run) references(typ r4.Code, ordinals []store.Ordinal) ([]string, error) {
	versions, err := r.v.Headers(r.ctx, typ, ordinals)
	if err != nil {
		return nil, err
	}
	return r.referencesTo(versions)
}

// referencesTo is references by headers.
func (r *run) referencesTo(versions []store.Version) ([]string, error) {
	refs := make([]string, 0, len(versions))
	for _, v := range versions {
		if v.Number == 0 {
			continue
		}
		refs = append(refs, v.Type.String()+"/"+v.ID)
		if !isCanonical(v.Type) {
			continue
		}
		whole, err := r.v.ReadOrdinals(r.ctx, v.Type, []store.Ordinal{v.Ordinal})
		if err != nil {
			return nil, err
		}
		url, err := r.url(whole[0])
		if err != nil {
			return nil, err
		}
		if url != "" {
			refs = append(refs, escapeValue(url))
		}
	}
	return refs, nil
}

// isCanonical reports whether resources of the type have a url by which they are referred to.
func isCanonical(typ r4.Code) bool {
	p := typ.Param("url")
	return p != nil && p.Type == r4.ParamURI
}

// url is the canonical URL of a version, or empty.
func (r *run) url(v store.Version) (string, error) {
	if v.Number == 0 || v.Deleted {
		return "", nil
	}
	if r.reader == nil {
		r.reader = r.s.readers.Get().(*reader)
	}
	doc, err := r.reader.parser.Scan(v.Body)
	if err != nil {
		return "", err
	}
	if n := doc.Root().Member("url"); n.Exists() {
		return string(n.AppendText(nil)), nil
	}
	return "", nil
}

func (c *chain) drive(r *run, e effort, unsure *bool) (stream, bool, error) {
	switch {
	case len(c.alternatives) == 0:
		return &set{}, true, nil
	case c.near != nil:
		return c.near, true, nil
	case c.narrow:
		c.narrow = false // it is tried once
		return c.far.drive(r, more, unsure)
	case e < more:
		return nil, false, nil
	}
	if err := c.look(r); err != nil {
		return nil, false, err
	}
	if c.far != nil {
		c.narrow = false
		s, decided, err := c.far.drive(r, e, unsure)
		if s != nil || err != nil || e < full {
			return s, decided, err
		}
	}
	if e < full {
		return nil, false, nil
	}
	if err := c.whole(r); err != nil || c.near == nil {
		return nil, false, err
	}
	return c.near, true, nil
}

func (c *chain) test(r *run, b *batch) error {
	if err := c.look(r); err != nil {
		return err
	}
	if c.near != nil {
		for i, o := range b.ordinals {
			b.keep[i] = b.keep[i] && (b.full[i] || c.near.has(o))
		}
		return b.part(b.full, func(full *batch) error { return c.followAll(r, full) })
	}
	before := r.work
	untold, err := c.byColumn(r, b)
	if err != nil {
		return err
	}
	c.narrow = c.narrow && slices.Contains(untold, true) // else candidates are cheaper to test than it is to lead
	if c.far != nil {
		return b.part(untold, func(some *batch) error { return c.far.test(r, some) })
	}
	if err := b.part(untold, func(some *batch) error { return c.followAll(r, some) }); err != nil {
		return err
	}
	c.spent += r.work - before
	return c.better(r)
}

// followAll takes those out of the batch of which no reference leads to what meets an alternative.
func (c *chain) followAll(r *run, b *batch) error {
	if err := r.load(b); err != nil {
		return err
	}
	wanted := slices.Clone(b.keep)
	meets := make([]bool, len(b.keep))
	for a := range c.alternatives {
		if err := c.follow(r, &c.alternatives[a], b, wanted, meets); err != nil {
			return err
		}
	}
	copy(b.keep, meets)
	return nil
}

// better finds all that match, if to follow references has cost as much as that.
func (c *chain) better(r *run) error {
	st, err := r.state(c.typ)
	if err != nil {
		return err
	}
	most := int(st.next)
	for i := range c.alternatives {
		a := &c.alternatives[i]
		far, err := r.state(a.clause.typ)
		if err != nil {
			return err
		}
		if most += costLookUp * int(far.next); !a.all {
			most += int(far.next)
		}
	}
	if c.spent < most*r.s.tune.wholeShare/100 {
		return nil
	}
	return c.whole(r)
}

// whole finds all that match whatever it costs, unless references may be canonical.
func (c *chain) whole(r *run) error {
	st, err := r.state(c.typ)
	if err != nil {
		return err
	}
	for i := range c.alternatives {
		if isCanonical(c.alternatives[i].clause.typ) {
			return nil
		}
	}
	near := newBitmap(st.next, false)
	err = r.quietly(func() error {
		for i := range c.alternatives {
			a := &c.alternatives[i]
			if !a.all {
				if a.found, a.all, err = r.enumerate(a.clause, 0, math.MaxInt, 0); err != nil {
					return err
				}
			}
			if err := r.referring(c.typ, c.ref, a.clause.typ, &set{ordinals: a.found}, near); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.near = near
	}
	return err
}

// follow marks the candidates that have a reference to a resource that meets the alternative.
func (c *chain) follow(r *run, a *alternative, b *batch, wanted, meets []bool) error {
	var from []int // the candidate of each target
	var targets []index.Target
	for i := range b.ordinals {
		if !wanted[i] || meets[i] {
			continue
		}
		for t := range index.Targets(c.typ, c.ref, b.entries[i], r.env.Base) {
			if t.Type == a.clause.typ || t.Type == 0 && t.Canonical != "" {
				from, targets = append(from, i), append(targets, t)
			}
		}
	}
	found, err := r.resolve(a.clause.typ, targets)
	if err != nil {
		return err
	}
	to := sorted(found)
	match, err := a.match(r, to)
	if err != nil {
		return err
	}
	for k, i := range from {
		if found[k] == store.Nowhere {
			continue
		}
		if at, ok := slices.BinarySearch(to, found[k]); ok && match[at] {
			meets[i] = true
		}
	}
	return nil
}

// match reports which of some resources meet the alternative.
func (a *alternative) match(r *run, ordinals []store.Ordinal) ([]bool, error) {
	b := batch{typ: a.clause.typ}
	for _, o := range ordinals {
		b.add(o, r.mustState(b.typ).isChanged(o))
	}
	if !a.all {
		return b.keep, r.quietly(func() error { return r.judge(a.clause, &b) })
	}
	for i, o := range ordinals {
		_, b.keep[i] = slices.BinarySearch(a.found, o)
	}
	return b.keep, nil
}
