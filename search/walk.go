package search

import (
	"math"
	"slices"

	"tarn/store"
)

// walk gives the resources that match a clause, in the order of ordinals.
type walk struct {
	r       *run
	c       *clause
	st      *typeState
	from    store.Ordinal // the next candidate is at or above
	streams []stream
	driven  []driven // by condition
	changed []store.Ordinal
	spoken  bool // what the index does not speak for is left out
	all     bool // nothing drives: every ordinal is a candidate
	dead    bool // deleted ones may be among what next gives
	tests   []int
	tried   int // candidates that were tested
	matched int // of these
	begun   int // the work of the run when it began
	looked  effort
	until   int // the work of the run after which it gives up; 0: never
	gaveUp  bool
	b       batch
	size    int
}

// driven says how a condition leads.
type driven struct{ drives, decided, unsure bool }

// begin starts a walk at the ordinal from. The caller closes it.
func (r *run) begin(c *clause, from store.Ordinal) (*walk, error) {
	w, err := r.newWalk(c)
	if err != nil {
		return nil, err
	}
	w.again(from)
	err = w.lead(cheap)
	if err == nil && len(w.streams) == 0 {
		err = w.lead(more)
	}
	if err != nil {
		return nil, closing(err, w.close())
	}
	return w, nil
}

// newWalk is a walk that nothing leads yet.
func (r *run) newWalk(c *clause) (*walk, error) {
	st, err := r.state(c.typ)
	if err != nil {
		return nil, err
	}
	w := &walk{r: r, c: c, st: st, driven: make([]driven, len(c.conds)), tests: make([]int, len(c.conds))}
	for i := range w.tests {
		w.tests[i] = i
	}
	slices.SortStableFunc(w.tests, func(a, b int) int { return c.conds[a].cost() - c.conds[b].cost() })
	return w, nil
}

// again begins anew at the ordinal from, by the plan that was found.
func (w *walk) again(from store.Ordinal) {
	for _, s := range w.streams {
		s.rewind()
	}
	w.from, w.tried, w.matched, w.begun, w.size = from, 0, 0, w.r.work, w.r.s.tune.leastBatch
	n, _ := slices.BinarySearch(w.st.changed, from)
	w.changed = w.st.changed[n:]
}

func closing(err error, others ...error) error {
	for _, other := range others {
		if err == nil {
			err = other
		}
	}
	return err
}

// lead asks the conditions that do not drive yet for streams.
func (w *walk) lead(e effort) error {
	w.looked = e
	for _, i := range w.tests {
		d := &w.driven[i]
		if !w.open(i, e) {
			continue
		}
		cond, before := w.c.conds[i], w.r.work
		s, decided, err := cond.drive(w.r, e, &d.unsure)
		w.r.charge(cond.param(), before)
		if err == nil && s != nil && d.drives && !decided { // what it leads by is as good
			s, err = nil, s.close()
		}
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		d.drives, d.decided = true, decided
		w.streams = append(w.streams, s)
	}
	w.all = len(w.streams) == 0
	w.dead = w.dead || w.all && e >= more
	if w.r.note != nil {
		w.tell()
	}
	return nil
}

func (w *walk) tell() {
	if w.tried > 0 {
		w.r.explain("%s: after %d candidates, of which %d match, a better plan is looked for", w.c.typ, w.tried, w.matched)
	}
	switch {
	case w.looked == cheap && len(w.streams) == 0:
		return // it will look again
	case w.all && len(w.c.conds) == 0:
		w.r.explain("%s: all resources, in their order", w.c.typ)
	case w.all:
		w.r.explain("%s: nothing is selective enough to lead; all resources are probed in their order", w.c.typ)
	default:
		w.r.explain("%s: %d of %d conditions lead", w.c.typ, len(w.streams), len(w.c.conds))
	}
	for i, c := range w.c.conds {
		switch d := w.driven[i]; {
		case d.drives && d.decided:
			w.r.explain("  index:  %s", c)
		case d.drives:
			w.r.explain("  index, then probe: %s", c)
		default:
			w.r.explain("  probe:  %s", c)
		}
	}
}

// candidate is the next one, and whether the index does not speak for it; store.End after the last.
func (w *walk) candidate() (store.Ordinal, bool, error) {
	for {
		o, full, err := w.step()
		if err != nil || !w.spoken || !full && !w.st.isChanged(o) {
			return o, full, err
		}
	}
}

func (w *walk) step() (store.Ordinal, bool, error) {
	var o store.Ordinal
	var err error
	if w.all {
		o, _ = everything{w.st.next}.seek(w.from)
	} else if o, err = leapfrog(w.streams, w.from); err != nil {
		return store.End, false, err
	}
	if o >= w.st.next {
		o = store.End
	}
	for len(w.changed) > 0 && w.changed[0] < w.from {
		w.changed = w.changed[1:]
	}
	if len(w.changed) > 0 && w.changed[0] <= o {
		o = w.changed[0]
		w.from = o + 1
		return o, true, nil
	}
	if o == store.End {
		return o, false, nil
	}
	w.from = o + 1
	return o, false, nil
}

// next are the next resources that match, few or many; none after the last. They are valid until the next call.
func (w *walk) next(want int) (found *batch, err error) {
	for {
		switch {
		case w.tried >= w.r.s.tune.patience && w.spent() >= w.r.s.tune.patience && w.looked < more && !w.promising(want):
			err = w.lead(more)
		case w.tried >= w.r.s.tune.longPatience && w.looked < most && w.all:
			err = w.lead(most)
		case w.ripe():
			err = w.lead(w.looked)
		}
		if err != nil {
			return nil, err
		}
		w.b.reset(w.c.typ)
		n := min(want, w.r.s.tune.mostBatch)
		if !w.settled() {
			n = max(n, min(w.size, w.ample(want)))
		}
		for len(w.b.ordinals) < n {
			o, full, err := w.candidate()
			if err != nil {
				return nil, err
			}
			if o == store.End {
				break
			}
			w.b.add(o, full)
		}
		if len(w.b.ordinals) == 0 {
			return nil, nil
		}
		w.tried += len(w.b.ordinals)
		w.size = min(2*w.size, w.r.s.tune.mostBatch)
		if err := w.test(&w.b); err != nil {
			return nil, err
		}
		if n := w.b.kept(); n > 0 {
			w.matched += n
			return &w.b, nil
		}
		if err := w.r.ctx.Err(); err != nil {
			return nil, err
		}
		if w.until > 0 && w.r.work >= w.until {
			w.gaveUp = true
			return nil, nil
		}
	}
}

// settled reports whether the streams decide everything, so that no candidate is in vain.
func (w *walk) settled() bool {
	for _, d := range w.driven {
		if !d.decided || d.unsure {
			return false
		}
	}
	return len(w.streams) > 0
}

// ripe reports whether a condition that does not lead yet has learned all that match it.
func (w *walk) ripe() bool {
	for i, cond := range w.c.conds {
		if l, ok := cond.(learner); ok && !w.driven[i].decided && l.isKnown() {
			return true
		}
	}
	return false
}

// open reports whether a condition may still come to lead, or to decide.
func (w *walk) open(i int, e effort) bool {
	d := w.driven[i]
	l, ok := w.c.conds[i].(learner)
	return !d.drives || !d.decided && (e == full || ok && l.isKnown())
}

// learner is a condition that may come to know all that match it while it is tested.
type learner interface{ isKnown() bool }

// ample is how many candidates are likely to do, by what matched so far.
func (w *walk) ample(want int) int {
	if w.matched == 0 {
		return math.MaxInt
	}
	return 2 * want * w.tried / w.matched
}

// spent is what the walk has cost, in candidates that are tested by a row each: a column may tell of many for less.
func (w *walk) spent() int { return (w.r.work - w.begun) / costHeader }

// promising reports whether so many of the candidates match that it costs less to go on than to look for a better plan.
func (w *walk) promising(want int) bool {
	return w.matched > 0 && want*min(w.tried, w.spent())/w.matched < w.r.s.tune.rangeCap/8
}

// test asks the conditions that the streams did not decide; for what the index does not speak of, all of them.
func (w *walk) test(b *batch) error {
	anyFull := slices.Contains(b.full, true)
	for _, i := range w.tests {
		d := &w.driven[i]
		if d.decided && !d.unsure {
			if !anyFull {
				continue
			}
			if err := b.part(b.full, func(full *batch) error { return w.c.conds[i].test(w.r, full) }); err != nil {
				return err
			}
			continue
		}
		if b.kept() == 0 {
			return nil
		}
		cond, before := w.c.conds[i], w.r.work
		err := cond.test(w.r, b)
		w.r.charge(cond.param(), before)
		if err != nil {
			return err
		}
	}
	if anyFull {
		return w.dropDead(b)
	}
	return nil
}

// dropDead takes out what the index does not speak for and is not there as of the view.
func (w *walk) dropDead(b *batch) error {
	var at []int
	var ask []store.Ordinal
	for i, full := range b.full {
		if full && b.keep[i] {
			at, ask = append(at, i), append(ask, b.ordinals[i])
		}
	}
	versions, err := w.r.v.Headers(w.r.ctx, b.typ, ask)
	if err != nil {
		return err
	}
	for k, i := range at {
		if versions[k].Number == 0 || versions[k].Deleted {
			b.keep[i] = false
		}
	}
	return nil
}

func (w *walk) close() error { return closeStreams(w.streams) }
