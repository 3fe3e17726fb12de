package search

import (
	"fmt"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// reverse is the condition that a resource is referred to by one that meets a clause: _has:Observation:patient:code=x.
// If few meet the clause, their references are the answer; else those that refer to each candidate are looked at.
type reverse struct {
	typ    r4.Code // of the candidates
	key    string
	param  *r4.SearchParam // of the type of inner
	inner  *clause         // nil: nothing can match
	looked bool
	near   []store.Ordinal // the answer, ascending, if it is known
	known  bool
}

func (c *reverse) cost() int { return 4 }

func (c *reverse) String() string {
	switch {
	case c.inner == nil:
		return c.key + ": nothing"
	case c.known:
		return fmt.Sprintf("%s: the references of %s lead to %d", c.key, c.inner.typ, len(c.near))
	}
	return fmt.Sprintf("%s: %s that refer to each candidate", c.key, c.inner.typ)
}

// look begins from the resources that refer, if they are few.
func (c *reverse) look(r *run) error {
	if c.looked || c.inner == nil {
		return nil
	}
	c.looked = true
	found, complete, err := r.enumerate(c.inner, 0, r.s.tune.reverseCap, r.s.tune.innerTries)
	if err != nil || !complete {
		return err
	}
	var b batch
	b.typ = c.inner.typ
	for _, o := range found {
		b.add(o, r.mustState(b.typ).isChanged(o))
	}
	if err := r.load(&b); err != nil {
		return err
	}
	var targets []index.Target
	for i := range b.ordinals {
		for t := range index.Targets(c.inner.typ, c.param, b.entries[i], r.env.Base) {
			if t.Type == c.typ || t.Type == 0 && t.Canonical != "" {
				targets = append(targets, t)
			}
		}
	}
	ordinals, err := r.resolve(c.typ, targets)
	if err != nil {
		return err
	}
	c.near, err = r.living(c.typ, sorted(ordinals)) // a reference may lead to what is deleted
	if err != nil {
		return err
	}
	c.known = true
	return nil
}

func (c *reverse) drive(r *run, e effort, _ *bool) (stream, bool, error) {
	if c.inner == nil {
		return &set{}, true, nil
	}
	if e < more {
		return nil, false, nil
	}
	if err := c.look(r); err != nil || !c.known {
		return nil, false, err
	}
	return &set{ordinals: c.near}, true, nil
}

func (c *reverse) test(r *run, b *batch) error {
	if c.inner == nil {
		clear(b.keep)
		return nil
	}
	if err := c.look(r); err != nil {
		return err
	}
	if c.known {
		near := set{ordinals: c.near}
		for i, o := range b.ordinals {
			if b.keep[i] {
				at := near
				found, _ := at.seek(o)
				b.keep[i] = found == o
			}
		}
		return nil
	}
	if err := r.loadHeaders(b); err != nil {
		return err
	}
	return r.quietly(func() error {
		for i := range b.ordinals {
			if !b.keep[i] {
				continue
			}
			refs, err := r.referencesTo(b.headers[i : i+1])
			if err != nil {
				return err
			}
			b.keep[i] = false
			if len(refs) == 0 {
				continue
			}
			f, err := r.pointsTo(c.inner.typ, c.param, c.key, refs)
			if err != nil {
				return err
			}
			one := &clause{typ: c.inner.typ, conds: append([]condition{f}, c.inner.conds...)}
			found, _, err := r.enumerate(one, 0, 1, 0)
			if err != nil {
				return err
			}
			b.keep[i] = len(found) > 0
		}
		return nil
	})
}
