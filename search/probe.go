package search

import (
	"bytes"

	"tarn/fhir/index"
	"tarn/store"
)

// probe asks of one candidate after another whether something refers to it that meets a clause. It keeps its walks over
// the index, since to begin them costs more than to look.
type probe struct {
	r     *run
	c     *reverse
	hits  []*store.Hits // one for each part of the index that holds the references
	group group
	walk  *walk           // of the clause, led by the group
	extra []store.Ordinal // candidates to which something refers that the index does not speak for, ascending
	value []byte
}

// group is the stream of the entries with one value, at the first of which hits stands when it begins.
type group struct {
	r     *run
	hits  *store.Hits
	value []byte
	now   store.Ordinal
	more  bool // hits stands on the first entry of the next value
}

func (g *group) begin(h *store.Hits) {
	g.hits, g.value, g.now, g.more = h, append(g.value[:0], h.Value()...), h.Ordinal(), false
}

func (g *group) seek(from store.Ordinal) (store.Ordinal, error) {
	if g.now >= from {
		return g.now, nil
	}
	ok := true
	for i := 0; ok && g.hits.Ordinal() < from && bytes.Equal(g.hits.Value(), g.value); i++ {
		if i < near {
			g.r.work++
			ok = g.hits.Next()
		} else {
			g.r.work += costSeek
			ok = g.hits.Seek(g.value, from)
		}
	}
	switch {
	case !ok:
		g.now = store.End
	case !bytes.Equal(g.hits.Value(), g.value):
		g.now, g.more = store.End, true
	default:
		g.now = g.hits.Ordinal()
	}
	return g.now, g.hits.Err()
}

// rewind does nothing: the group begins anew by begin.
func (g *group) rewind() {}

func (g *group) close() error { return nil }

// pass leaves the group and reports whether hits stands on the next one.
func (g *group) pass() bool {
	if g.now == store.End {
		return g.more
	}
	g.r.work += costSeek
	return g.hits.Seek(g.value, store.End)
}

// newProbe makes the probe of a condition; the run closes it.
func (r *run) newProbe(c *reverse) (*probe, error) {
	p := &probe{r: r, c: c}
	p.group.r = r
	r.closers = append(r.closers, p)
	for _, in := range index.References(c.inner.typ, c.ref, c.typ) {
		p.hits = append(p.hits, r.v.Hits(r.ctx, c.inner.typ, in.Param, store.Values{From: in.From, To: in.To}, false))
		r.work += costOpen
	}
	var err error
	if p.walk, err = r.newWalk(c.inner); err != nil {
		return nil, err
	}
	p.walk.spoken = true
	p.walk.streams = []stream{&p.group}
	if err := p.walk.lead(cheap); err != nil {
		return nil, err
	}
	p.extra, err = c.unspoken(r)
	return p, err
}

// unspoken are the candidates to which something refers that meets the clause and that the index does not speak for.
func (c *reverse) unspoken(r *run) (all []store.Ordinal, err error) {
	st, err := r.state(c.inner.typ)
	if err != nil || len(st.changed) == 0 {
		return nil, err
	}
	b := r.batchOf(c.inner.typ, st.changed)
	if err := r.judge(c.inner, b); err != nil {
		return nil, err
	}
	return c.targets(r, b)
}

// refers reports whether something refers to the candidate and meets the clause.
func (p *probe) refers(candidate store.Version) (bool, error) {
	if (&set{ordinals: p.extra}).has(candidate.Ordinal) {
		return true, nil
	}
	p.value = index.AppendReference(p.value[:0], p.c.typ, candidate.ID)
	for _, h := range p.hits {
		h.Restart(store.Values{Prefix: p.value})
		p.r.work += costSeek
		for ok := h.Next(); ok; {
			p.group.begin(h)
			refers, sure := p.isTo(candidate.ID)
			if !sure {
				return p.c.refersInFull(p.r, candidate)
			}
			if refers {
				p.walk.again(p.group.now)
				found, err := p.walk.next(1)
				if err != nil || found != nil {
					return found != nil, err
				}
			}
			ok = p.group.pass()
		}
		if err := h.Err(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// isTo reports whether the value of the group is a reference to the candidate with this id, of which it may name a
// version or an address, and whether that is sure.
func (p *probe) isTo(id string) (refers, sure bool) {
	if len(p.group.value) == len(p.value) {
		return true, true
	}
	if len(p.group.value) > store.MaxExact {
		return false, false
	}
	t, ok := index.TargetOf(p.group.value, p.r.env.Base)
	return ok && t.Type == p.c.typ && t.ID == id, true
}

func (p *probe) close() error {
	var err error
	if p.walk != nil {
		err = p.walk.close()
	}
	for _, h := range p.hits {
		err = closing(err, h.Close())
	}
	return err
}
