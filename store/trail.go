package store

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"iter"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// Mark is a change's place in the order of all changes of a data store: by transaction, then type, then ordinal.
type Mark struct {
	Tx      TxID
	Type    r4.Code
	Ordinal Ordinal
}

func (m Mark) compare(o Mark) int {
	return cmp.Or(cmp.Compare(m.Tx, o.Tx), cmp.Compare(m.Type, o.Type), cmp.Compare(m.Ordinal, o.Ordinal))
}

// Step is one change on a Trail.
type Step struct {
	Type r4.Code
	ChangeRow
}

// Mark is the step's place.
func (s Step) Mark() Mark { return Mark{s.Tx, s.Type, s.Ordinal} }

// Trail are the changes of several types (none given: of all) that the view shows, the newest first: those by
// transactions after the TxID, and before the mark unless it is zero. It reads the change rows that it gives and one or
// two more for each type, whatever the number of resources.
func (v *View) Trail(ctx context.Context, types []r4.Code, after TxID, before Mark) iter.Seq2[Step, error] {
	const op = "store.Trail"
	return func(yield func(Step, error) bool) {
		t := trail{ctx: ctx, v: v, after: after, before: before}
		defer t.close()
		if len(types) == 0 {
			for typ := range v.head.types {
				types = append(types, r4.Code(typ))
			}
		}
		for _, typ := range types {
			t.add(typ)
		}
		heap.Init(&t)
		for len(t.paths) > 0 {
			p := t.paths[0]
			if p.it != nil {
				if !yield(p.at, nil) {
					return
				}
			}
			ok, err := t.move(p)
			if err != nil {
				yield(Step{}, fault.Wrap(op, err))
				return
			}
			if ok {
				heap.Fix(&t, 0)
			} else {
				heap.Pop(&t)
			}
		}
	}
}

// trail merges the change rows of types.
type trail struct {
	ctx    context.Context
	v      *View
	after  TxID
	before Mark
	paths  []*path
}

// path are the change rows of one type. Before it is opened, at is no row but the newest that could come.
type path struct {
	typ r4.Code
	it  kv.Iterator
	at  Step
}

func (t *trail) add(typ r4.Code) {
	if !typ.Valid() {
		return
	}
	newest := min(t.v.head.types[typ].last, t.v.tx)
	if t.before != (Mark{}) {
		newest = min(newest, t.before.Tx)
	}
	if newest > t.after {
		t.paths = append(t.paths, &path{typ: typ, at: Step{typ, ChangeRow{Tx: newest, Ordinal: End}}})
	}
}

// move goes to the next row of a path; false at its end, where it is closed.
func (t *trail) move(p *path) (bool, error) {
	if p.it == nil {
		end := changeKey(nil, p.typ, t.v.tx+1)
		switch b := t.before; {
		case b == Mark{} || b.Tx > t.v.tx:
		case p.typ < b.Type:
			end = changeKey(nil, p.typ, b.Tx+1)
		case p.typ > b.Type:
			end = changeKey(nil, p.typ, b.Tx)
		default:
			end = be.AppendUint32(changeKey(nil, p.typ, b.Tx), uint32(b.Ordinal))
		}
		p.it = t.v.r.Scan(t.ctx, kv.Range{Start: changeKey(nil, p.typ, t.after+1), End: end, Reverse: true})
	}
	if !p.it.Next() {
		err := closeAll(p.it.Err(), p.it.Close())
		p.it = nil
		return false, err
	}
	c, ok := parseChange(p.it.Key(), p.it.Value())
	if !ok {
		return false, broken("change", bytes.Clone(p.it.Key()))
	}
	p.at = Step{p.typ, c}
	return true, nil
}

func (t *trail) close() {
	for _, p := range t.paths {
		if p.it != nil {
			_ = p.it.Close()
		}
	}
}

// Len, Less, Swap, Push and Pop are for container/heap: the newest first.
func (t *trail) Len() int           { return len(t.paths) }
func (t *trail) Less(i, j int) bool { return t.paths[i].at.Mark().compare(t.paths[j].at.Mark()) > 0 }
func (t *trail) Swap(i, j int)      { t.paths[i], t.paths[j] = t.paths[j], t.paths[i] }

// Push is not used.
func (t *trail) Push(any) {}

// Pop takes the last path away.
func (t *trail) Pop() any {
	last := t.paths[len(t.paths)-1]
	t.paths = t.paths[:len(t.paths)-1]
	return last
}

// Versions are the versions that the steps made, in their order; the rows are read in two round trips and documents that
// lie apart as they are given. One that has been erased has the Number 0.
func (v *View) Versions(ctx context.Context, steps []Step) iter.Seq2[Version, error] {
	const op = "store.Versions"
	return func(yield func(Version, error) bool) {
		rows, err := v.rowsOf(ctx, steps)
		if err != nil {
			yield(Version{}, fault.Wrap(op, err))
			return
		}
		for i, s := range steps {
			if rows[i].tx == 0 {
				if !yield(Version{Type: s.Type, Ordinal: s.Ordinal, Tx: s.Tx}, nil) {
					return
				}
				continue
			}
			version, err := v.load(ctx, op, s.Type, s.Ordinal, &rows[i])
			if !yield(version, err) || err != nil {
				return
			}
		}
	}
}

// rowsOf are the rows that the steps wrote: the current one where it is still that, else one of the history; without a
// transaction where a veil hides it.
func (v *View) rowsOf(ctx context.Context, steps []Step) ([]row, error) {
	rows := make([]row, len(steps))
	keys := make([][]byte, len(steps))
	at := make([]int, len(steps))
	for i, s := range steps {
		keys[i], at[i] = ordinalKey(nil, tableCurrent, s.Type, s.Ordinal), i
	}
	for range 2 {
		if len(keys) == 0 {
			break
		}
		values, err := v.r.Get(ctx, keys...)
		if err != nil {
			return nil, err
		}
		var older [][]byte
		var rest []int
		for n, i := range at {
			s := steps[i]
			veil := rows[i].veil // of the current row, once it has been read
			switch {
			case values[n] == nil && veil > s.Tx:
				rows[i] = row{} // it has been purged
			case !rows[i].parse(values[n]):
				return nil, broken("row", keys[n])
			case rows[i].tx != s.Tx && keys[n][0] == tableHistory:
				return nil, broken("history", keys[n])
			case s.Tx < rows[i].veil && !v.seesThrough(rows[i].veil):
				rows[i] = row{}
			case rows[i].tx != s.Tx:
				older, rest = append(older, historyKey(nil, s.Type, s.Ordinal, s.Tx)), append(rest, i)
			}
		}
		keys, at = older, rest
	}
	return rows, v.hideErasedBefore(ctx, steps, rows)
}

// hideErasedBefore takes out of what a pinned view would show the rows that had been erased by its transaction already.
func (v *View) hideErasedBefore(ctx context.Context, steps []Step, rows []row) error {
	if v.pin == 0 {
		return nil
	}
	for i, s := range steps {
		then, err := v.row(ctx, s.Type, s.Ordinal)
		if err != nil && !errors.Is(err, ErrRemoved) {
			return err
		}
		if !v.seesThrough(then.veil) && rows[i].tx < then.veil {
			rows[i] = row{}
		}
	}
	return nil
}

// Standing reports of each step whether the version that it made was the current one as of a transaction that is not
// newer than the view's, and was no deletion.
func (v *View) Standing(ctx context.Context, steps []Step, as TxID) ([]bool, error) {
	const op = "store.Standing"
	then := &View{r: v.r, head: v.head, tx: min(as, v.tx), pin: v.pin}
	standing := make([]bool, len(steps))
	for i, s := range steps {
		if s.Change == Deleted || s.Tx > then.tx {
			continue
		}
		r, err := then.row(ctx, s.Type, s.Ordinal)
		if errors.Is(err, ErrRemoved) {
			continue
		}
		if err != nil {
			return nil, fault.Wrap(op, err)
		}
		rows := []row{r}
		if err := v.hideErasedBefore(ctx, steps[i:i+1], rows); err != nil { // after as, and by the view's transaction
			return nil, fault.Wrap(op, err)
		}
		standing[i] = rows[0].tx == s.Tx && rows[0].number > 0
	}
	return standing, nil
}
