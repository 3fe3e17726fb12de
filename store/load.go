package store

import (
	"context"
	"errors"
	"iter"
	"slices"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// ErrCommitInstead is in the chain of Load's error where a transaction cannot be loaded, and nothing was written: one of
// its resources is there already, or interactive transactions came. The same transaction, or parts of it, may be
// committed.
var ErrCommitInstead = errors.New("to be committed instead")

func commitInstead(why string) error {
	return &fault.Error{Op: "store.Load", Kind: fault.Conflict, Msg: why, Err: ErrCommitInstead}
}

// load is a large transaction of new resources on its way to the disk as sorted rows, all but what depends on ordinals
// and numbers made ready. Ordinals follow the order of the writes, so rows that are sorted by the index of their write
// stay sorted whatever the first ordinal is.
type load struct {
	t      *Transaction
	writes []prepared
	rows   []int32 // indexes of writes by type
	ids    []int32 // by key in the table of ids
	terms  terms
	asOf   TxID // the ids were not there
}

// Load is Commit for a large transaction that makes new resources, each a Put without conditions, while nobody else
// writes: its rows are sorted and given to the engine as they are, past log and memory tables, which costs about half.
// It may be far larger than Commit takes, and has no Guards, no Once and no Report (fault.Invalid). All of it, riders and index entries with it, becomes visible at once and is
// durable when Load returns nil. Interactive transactions that come meanwhile break it off (ErrCommitInstead).
func (s *Store) Load(ctx context.Context, t Transaction) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Contended() {
		return commitInstead("interactive transactions come")
	}
	l, err := s.prepareLoad(ctx, &t)
	if err != nil {
		return err
	}
	p := &pending{ctx: ctx, t: &t, load: l, done: make(chan struct{})}
	for i := range l.writes {
		p.size += aboutRow + len(l.writes[i].Resource.Bytes())
	}
	_, err = s.wait(ctx, p)
	return err
}

func (s *Store) prepareLoad(ctx context.Context, t *Transaction) (*load, error) {
	const op = "store.Load"
	t.Bulk = true
	if len(t.Guards) > 0 || len(t.Once) > 0 || t.Report != nil {
		return nil, fault.Errorf(fault.Invalid, op, "a load has no guards, nothing to be done once and no report")
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	for i := range t.Riders {
		if t.Riders[i].Value == nil {
			return nil, fault.Errorf(fault.Invalid, op, "a load deletes no riders")
		}
	}
	l := &load{t: t, writes: make([]prepared, len(t.Writes)), rows: make([]int32, len(t.Writes))}
	for i := range t.Writes {
		w := &t.Writes[i]
		if w.Op != Put || w.IfMatch != 0 || w.IfNoneMatch {
			return nil, fault.Errorf(fault.Invalid, op, "a load makes resources by Put and without conditions")
		}
		l.writes[i].ready(w)
		l.rows[i] = int32(i)
	}
	slices.SortStableFunc(l.rows, func(a, b int32) int { return int(l.writes[a].Type) - int(l.writes[b].Type) })
	l.ids = slices.Clone(l.rows)
	slices.SortFunc(l.ids, func(a, b int32) int { return slices.Compare(l.writes[a].key, l.writes[b].key) })
	snap, err := s.space.Snapshot(ctx)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	h, err := readHead(ctx, snap)
	if err == nil {
		l.asOf = h.tx
		err = l.areNew(ctx, snap)
	}
	if err := closeAll(err, snap.Close()); err != nil {
		return nil, fault.Wrap(op, err)
	}
	l.terms.sort(l.writes)
	return l, nil
}

// areNew reports as an error that one of the resources is or was there already.
func (l *load) areNew(ctx context.Context, r kv.Reader) error {
	const step = 1000
	keys := make([][]byte, 0, step)
	for from := 0; from < len(l.ids); from += step {
		keys = keys[:0]
		for _, i := range l.ids[from:min(from+step, len(l.ids))] {
			keys = append(keys, l.writes[i].key)
		}
		values, err := r.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for _, v := range values {
			if v != nil {
				return commitInstead("a resource is there already")
			}
		}
	}
	return nil
}

// commitLoad is commitGroup for a load.
func (s *Store) commitLoad(p *pending) {
	var own error // nothing is written
	var doubtful, planned bool
	err := s.space.Update(context.Background(), [][]byte{headKey}, func(tx kv.Locked) (*kv.Batch, error) {
		if s.Contended() {
			return nil, commitInstead("interactive transactions come")
		}
		rows, base, err := s.planLoad(p, tx)
		if err != nil {
			return nil, err
		}
		planned = true
		doubtful = s.doubt.CompareAndSwap(nil, &doubt{base.point()})
		return kv.Bulk(func(yield func(kv.Entry, error) bool) {
			n := 0
			for e := range rows {
				if n++; n%256 == 0 && s.queue.isWaitedFor() {
					own = commitInstead("interactive transactions came")
					yield(kv.Entry{}, own)
					return
				}
				if !yield(e, nil) {
					return
				}
			}
		}), nil
	})
	switch {
	case err == nil:
		s.marked = true
		s.doubt.Store(nil)
	case planned && (own != nil || errors.Is(err, kv.ErrUntouched)):
		if doubtful {
			s.doubt.Store(nil)
		}
		err = fault.Wrap("store.Load", err)
	case planned:
		err = unknown(err)
		s.settle(context.Background())
	default:
		err = fault.Wrap("store.Load", err)
	}
	p.err = err
	close(p.done)
}

// planLoad decides on ordinals, number and instant under the head lock.
func (s *Store) planLoad(p *pending, tx kv.Locked) (rows iter.Seq[kv.Entry], base *head, err error) {
	l := p.load
	if base, err = parseHead(tx.Values[0]); err != nil {
		return nil, nil, err
	}
	if l.t.Given != nil {
		if err := isGiven(p.ctx, tx, l.t.Given); err != nil {
			return nil, nil, err
		}
	}
	if base.tx != l.asOf {
		if err := l.areNew(p.ctx, tx); err != nil {
			return nil, nil, err
		}
	}
	first, err := s.first(p.ctx, tx, base)
	if err != nil {
		return nil, nil, err
	}
	next := *base
	r := &loadRows{load: l, head: &next, tx: base.tx + 1, first: first, ordinals: make([]Ordinal, len(l.writes))}
	if next.instant, err = base.after(s.now()); err != nil {
		return nil, nil, err
	}
	next.tx, next.sealed = r.tx, false
	for _, i := range l.rows {
		t := &next.types[l.writes[i].Type]
		if t.next == End {
			return nil, nil, fault.Errorf(fault.TooLarge, "store.Load", "the data store has no room for another %s", l.writes[i].Type)
		}
		r.ordinals[i] = t.next
		t.next++
		t.live++
		t.last = r.tx
	}
	return r.all, base, nil
}

// typeOf is the type of the write with index i.
func (l *load) typeOf(i int32) r4.Code { return l.writes[i].Type }
