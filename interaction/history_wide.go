package interaction

import (
	"context"
	"errors"

	"tarn/fhir/r4"
	"tarn/store"
)

// maxExamined bounds the changes that one page of a history with a period looks at; a page may end before it is full,
// and goes on behind Next.
const maxExamined = 10_000

// HistoryOfAll is a page of the versions of all resources of a type (0: of all types), deletions included (FHIR R4
// section 3.1.0.10). Pages follow one another without gaps and repetitions, whatever is written meanwhile. A page costs
// what it shows, whatever the data store holds; with a period also the older versions that it passes over.
func (s *Service) HistoryOfAll(ctx context.Context, t Target, q HistoryQuery) (page HistoryPage, err error) {
	v, err := s.viewOf(ctx, t)
	if err != nil {
		return page, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	w := wide{ctx: ctx, v: v, q: q, page: &page}
	if t.Type != 0 {
		w.types = []r4.Code{t.Type}
	}
	if q.Since > 0 {
		if w.after, err = v.TxAt(ctx, q.Since-1); err != nil {
			return page, err
		}
	}
	if q.At != (Period{}) {
		return page, w.within()
	}
	_, err = w.show(q.Before, w.after, nil)
	return page, err
}

// wide is the making of one page.
type wide struct {
	ctx      context.Context
	v        *store.View
	q        HistoryQuery
	types    []r4.Code
	after    store.TxID // changes up to it are too old
	page     *HistoryPage
	bytes    int
	examined int
}

// within shows what was current in a period: what was made in it, and of what was made before, each resource's version
// that was current when it began.
func (w *wide) within() error {
	from, err := w.v.TxAt(w.ctx, w.q.At.From)
	if err != nil {
		return err
	}
	until, err := w.v.TxAt(w.ctx, w.q.At.Until-1)
	if err != nil {
		return err
	}
	before := w.q.Before
	if end := (store.Mark{Tx: until + 1}); before == (store.Mark{}) || before.Tx > until {
		before = end
	}
	if before.Tx > from+1 || before.Tx == from+1 && before != (store.Mark{Tx: from + 1}) {
		if full, err := w.show(before, max(from, w.after), nil); full || err != nil {
			return err
		}
		before = store.Mark{Tx: from + 1}
	}
	_, err = w.show(before, w.after, func(steps []store.Step) ([]bool, error) { return w.v.Standing(w.ctx, steps, from) })
	return err
}

const stepsAtOnce = 50

// show adds the versions before a mark and after a transaction that choose keeps (nil: all); full says that the page
// ended before they did.
func (w *wide) show(before store.Mark, after store.TxID, choose func([]store.Step) ([]bool, error)) (full bool, err error) {
	atOnce := min(stepsAtOnce, w.q.Count+1)
	var steps []store.Step
	for step, err := range w.v.Trail(w.ctx, w.types, after, before) {
		if err != nil {
			return false, err
		}
		if len(steps) == atOnce {
			if full, err := w.load(steps, choose); full || err != nil {
				return full, err
			}
			steps = steps[:0]
		}
		if w.full() {
			w.page.More = true
			return true, nil
		}
		steps = append(steps, step)
		w.examined++
		if w.examined == maxExamined && choose != nil {
			if full, err := w.load(steps, choose); full || err != nil {
				return full, err
			}
			w.page.More, w.page.Next = true, step.Mark()
			return true, nil
		}
	}
	return w.load(steps, choose)
}

func (w *wide) full() bool {
	return len(w.page.Versions) >= w.q.Count || w.bytes >= MaxHistoryBytes
}

// load adds the versions of steps; full where it leaves some out.
func (w *wide) load(steps []store.Step, choose func([]store.Step) ([]bool, error)) (full bool, err error) {
	if choose != nil {
		chosen, err := choose(steps)
		if err != nil {
			return false, err
		}
		var kept []store.Step
		for i, s := range steps {
			if chosen[i] {
				kept = append(kept, s)
			}
		}
		steps = kept
	}
	i := 0
	for version, err := range w.v.Versions(w.ctx, steps) {
		if err != nil {
			return false, err
		}
		if w.full() {
			w.page.More = true
			return true, nil
		}
		w.page.add(version, steps[i].Change, &w.bytes)
		i++
	}
	return false, nil
}
