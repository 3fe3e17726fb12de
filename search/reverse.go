package search

import (
	"fmt"
	"math"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// reverse is the condition that a resource is referred to by one that meets a clause: _has:Observation:patient:code=x.
// If few meet the clause, their references are the answer; else it is looked whether one of those that refer to each
// candidate does. When that has cost as much as to find all that meet the clause, this is done.
type reverse struct {
	typ   r4.Code // of the candidates
	key   string
	ref   *r4.SearchParam // of the type of inner
	inner *clause         // nil: nothing can match

	counted int             // up to how many were counted that meet the clause
	hits    []store.Ordinal // these, if they are few
	few     bool
	rows    int  // what it costs to read their entries
	tired   bool // counting was given up since it cost too much
	spent   int  // steps, on probes
	probe   *probe

	maybe *referredTo // what is a candidate at all; nil: not known

	known bool
	near  []store.Ordinal // the answer, ascending, if it is known
}

func (c *reverse) cost() int     { return 4 }
func (c *reverse) param() string { return c.key }
func (c *reverse) isKnown() bool { return c.known }

func (c *reverse) String() string {
	switch {
	case c.inner == nil:
		return c.key + ": nothing"
	case c.known:
		return fmt.Sprintf("%s: the references of %s lead to %d", c.key, c.inner.typ, len(c.near))
	}
	return fmt.Sprintf("%s: %s that refer to each candidate", c.key, c.inner.typ)
}

// tally counts those that meet the clause, up to limit.
func (c *reverse) tally(r *run, limit int) (err error) {
	c.counted = limit
	c.hits, c.few, err = r.enumerate(c.inner, 0, limit, r.s.tune.innerWork)
	c.tired, c.rows = !c.few && len(c.hits) < limit, costOfRows(c.hits)
	return err
}

// follow makes the answer of all that meet the clause, by their references.
func (c *reverse) follow(r *run, all []store.Ordinal) error {
	st, err := r.state(c.typ)
	if err != nil {
		return err
	}
	led, err := r.leads(c.inner.typ, c.ref, c.typ, costOfRows(all))
	if err != nil {
		return err
	}
	var near []store.Ordinal
	if led != nil {
		var rest []store.Ordinal
		near, rest = led.led(all, st.next)
		erased, err := r.anyErased(c.typ, near)
		if err != nil {
			return err
		}
		if erased { // what bears the id now is another one
			near = nil
		} else {
			all = rest
		}
	}
	for len(all) > 0 {
		n := min(len(all), followAtOnce)
		found, err := c.targets(r, r.batchOf(c.inner.typ, all[:n]))
		if err != nil {
			return err
		}
		near, all = append(near, found...), all[n:]
	}
	return c.learn(r, near)
}

// followAtOnce is of how many resources the entries are held at once.
const followAtOnce = 2048

// targets are the candidates to which those in the batch refer, ascending.
func (c *reverse) targets(r *run, b *batch) ([]store.Ordinal, error) {
	if err := r.load(b); err != nil {
		return nil, err
	}
	var targets []index.Target
	for i := range b.ordinals {
		if !b.keep[i] {
			continue
		}
		for t := range index.Targets(c.inner.typ, c.ref, b.entries[i], r.env.Base) {
			if t.Type == c.typ || t.Type == 0 && t.Canonical != "" {
				targets = append(targets, t)
			}
		}
	}
	ordinals, err := r.resolve(c.typ, targets)
	return sorted(ordinals), err
}

// learn takes the answer.
func (c *reverse) learn(r *run, near []store.Ordinal) (err error) {
	c.near, err = r.living(c.typ, sorted(near)) // a reference may lead to what is deleted
	c.known, c.hits = err == nil, nil
	return err
}

// whole makes the answer whatever it costs: all that meet the clause, and where they lead.
func (c *reverse) whole(r *run) error {
	all, _, err := r.enumerate(c.inner, 0, math.MaxInt, 0)
	if err != nil {
		return err
	}
	st := r.mustState(c.inner.typ)
	led, err := r.leads(c.inner.typ, c.ref, c.typ, int(st.next))
	if err != nil {
		return err
	}
	if led != nil || isCanonical(c.typ) || costOfRows(all) <= int(st.next) {
		return c.follow(r, all)
	}
	in := newBitmap(st.next, false)
	for _, o := range all {
		if !st.isChanged(o) {
			in.set(o)
		}
	}
	near, err := r.referred(c.inner.typ, c.ref, c.typ, in)
	if err != nil {
		return err
	}
	extra, err := c.unspoken(r)
	if err != nil {
		return err
	}
	return c.learn(r, append(near, extra...))
}

// costOfWhole is about what whole costs.
func (c *reverse) costOfWhole(r *run) (int, error) {
	from, err := r.state(c.inner.typ)
	if err != nil {
		return 0, err
	}
	to, err := r.state(c.typ)
	if err != nil {
		return 0, err
	}
	return (2*int(from.next) + costLookUp*int(to.next)) * r.s.tune.wholeShare / 100, nil
}

// drive leads by the answer. That is looked for if the candidates would have to be probed one by one otherwise.
func (c *reverse) drive(r *run, e effort, _ *bool) (stream, bool, error) {
	if c.inner == nil {
		return &set{}, true, nil
	}
	if !c.known && e >= more {
		if err := c.begin(r); err != nil {
			return nil, false, err
		}
	}
	if !c.known && e == full {
		if err := r.quietly(func() error { return c.whole(r) }); err != nil {
			return nil, false, err
		}
	}
	if c.known {
		return &set{ordinals: c.near}, true, nil
	}
	if e >= more {
		if maybe, err := c.referred(r); maybe != nil || err != nil {
			return maybe, false, err
		}
	}
	return nil, false, nil
}

// begin makes the answer of those that meet the clause, if they are few.
func (c *reverse) begin(r *run) error {
	if _, err := r.state(c.typ); err != nil {
		return err
	}
	if c.counted < r.s.tune.reverseCap {
		if err := c.tally(r, r.s.tune.reverseCap); err != nil {
			return err
		}
	}
	if c.few {
		return c.follow(r, c.hits)
	}
	return nil
}

// better looks for the answer if the probes have cost as much as that.
func (c *reverse) better(r *run) error {
	enough, rows, much := 8*r.s.tune.reverseCap, c.rows, 8*r.s.tune.reverseCap
	if led, err := r.leads(c.inner.typ, c.ref, c.typ, 0); err != nil {
		return err
	} else if led != nil { // then only counting costs something
		enough, rows = 3*r.s.tune.reverseCap, 0
	}
	switch {
	case c.few && c.spent >= rows:
		return c.follow(r, c.hits)
	case !c.few && !c.tired && c.counted < much && c.spent >= enough:
		return c.tally(r, much)
	case !c.few && (c.tired || c.counted >= much):
		if most, err := c.costOfWhole(r); err != nil || c.spent < most {
			return err
		}
		return c.whole(r)
	}
	return nil
}

func (c *reverse) test(r *run, b *batch) error {
	if c.inner == nil {
		clear(b.keep)
		return nil
	}
	if !c.known {
		maybe, err := c.referred(r)
		if err != nil {
			return err
		}
		for i, o := range b.ordinals {
			b.keep[i] = b.keep[i] && (maybe == nil || maybe.has(o))
		}
		if err := r.loadHeaders(b); err != nil {
			return err
		}
	}
	spent := c.spent
	return r.quietly(func() error {
		for i, o := range b.ordinals {
			switch {
			case !b.keep[i]:
				continue
			case c.known:
				b.keep[i] = (&set{ordinals: c.near}).has(o)
				continue
			}
			before := r.work
			refers, err := c.refers(r, b.headers[i])
			if err != nil {
				return err
			}
			b.keep[i] = refers
			c.spent += r.work - before
			if err := c.better(r); err != nil {
				return err
			}
		}
		_, err := r.leads(c.inner.typ, c.ref, c.typ, c.spent-spent)
		return err
	})
}

// refers reports whether something refers to the candidate and meets the clause.
func (c *reverse) refers(r *run, candidate store.Version) (refers bool, err error) {
	if isCanonical(c.typ) {
		return c.refersInFull(r, candidate)
	}
	r.depth++
	defer func() { r.depth-- }()
	if c.probe == nil {
		if c.probe, err = r.newProbe(c); err != nil {
			return false, err
		}
	}
	return c.probe.refers(candidate)
}

// refersInFull is refers by a clause of its own, which knows every form of a reference.
func (c *reverse) refersInFull(r *run, candidate store.Version) (bool, error) {
	if candidate.Number == 0 {
		return false, nil
	}
	f, err := r.leadingTo(c.inner.typ, c.ref, c.key, map[r4.Code][]store.Ordinal{c.typ: {candidate.Ordinal}})
	if err != nil {
		return false, err
	}
	one := &clause{typ: c.inner.typ, conds: append([]condition{f}, c.inner.conds...)}
	found, _, err := r.enumerate(one, 0, 1, 0)
	return len(found) > 0, err
}
