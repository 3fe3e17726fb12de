package search

import (
	"math"

	"tarn/store"
)

// enumerate are up to limit ordinals that match the clause and live, ascending, from the ordinal from on, and whether
// these are all. It gives up, with complete false, after so much work (0: never).
func (r *run) enumerate(c *clause, from store.Ordinal, limit, work int) (found []store.Ordinal, complete bool, err error) {
	found, seen, err := r.survey(c, from, limit, work, false)
	return found, seen.complete, err
}

// sight is how far a survey went.
type sight struct {
	complete bool
	tried    int           // candidates
	upto     store.Ordinal // all below it were looked at
}

// about estimates how many candidates there are among next ordinals.
func (s sight) about(next store.Ordinal) int {
	if s.upto == 0 {
		return int(next)
	}
	return int(float64(s.tried) * float64(next) / float64(s.upto))
}

// survey is enumerate that tells how far it went. With led it looks only where the index leads, or all are few.
func (r *run) survey(c *clause, from store.Ordinal, limit, work int, led bool) (found []store.Ordinal, seen sight, err error) {
	before := r.work
	r.depth++
	defer func() { r.depth-- }()
	w, err := r.begin(c, from)
	if err != nil {
		return nil, seen, err
	}
	defer func() { err = closing(err, w.close()) }()
	if work > 0 {
		w.until = before + work
	}
	if limit == math.MaxInt && w.all {
		if err := w.lead(full); err != nil {
			return nil, seen, err
		}
	}
	if led && w.all && int(w.st.next) > limit {
		return nil, seen, nil
	}
	for {
		b, err := w.next(min(limit-len(found), mostBatch-1) + 1)
		seen.tried, seen.upto = w.tried, w.from
		if err != nil || b == nil {
			seen.complete = err == nil && !w.gaveUp
			return found, seen, err
		}
		if w.dead {
			all, err := r.allLive(c.typ)
			if err == nil && !all {
				err = r.loadHeaders(b)
			}
			if err != nil {
				return nil, seen, err
			}
		}
		for i, o := range b.ordinals {
			if !b.keep[i] {
				continue
			}
			if len(found) == limit {
				return found, seen, nil
			}
			found = append(found, o)
		}
		if work > 0 && r.work-before >= work {
			return found, seen, nil
		}
	}
}

// count is how many match the clause and live, and whether all were counted: it gives up after having tried that many
// candidates (0: never), with an estimate.
func (r *run) count(c *clause, tries int) (n int, exact bool, err error) {
	if len(c.conds) == 0 {
		n, err = r.v.Count(r.ctx, c.typ)
		return n, true, err
	}
	w, err := r.begin(c, 0)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = closing(err, w.close()) }()
	var dead set
	if w.dead {
		census, err := r.v.Census(r.ctx, c.typ)
		if err != nil {
			return 0, false, err
		}
		dead.ordinals = census.Dead
	}
	for {
		b, err := w.next(mostBatch)
		if err != nil || b == nil {
			return n, true, err
		}
		for i, o := range b.ordinals {
			if d, _ := dead.seek(o); b.keep[i] && d != o {
				n++
			}
		}
		if tries > 0 && w.tried >= tries && w.from > 0 {
			return int(float64(n) * float64(w.st.next) / float64(w.from)), false, nil
		}
	}
}
