package store

import (
	"context"
	"errors"
	"runtime"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// Commit applies the transaction, all or nothing; it is durable when Commit returns nil. Result i is that of write i;
// bodies in it must not be changed. Other transactions may share its batch on disk and fail alone.
//
// A failed write is a *WriteError with the kind Exists, Precondition, Invalid or TooLarge; the error of a guard is that
// of its Check. fault.Unavailable may mean that the outcome is unknown: a rider tells. When ctx ends before the
// committer takes the transaction, it is dropped and Commit returns the context's error; after that Commit waits for
// the outcome. A transaction that changes no resource takes no TxID; its riders are written all the same.
func (s *Store) Commit(ctx context.Context, t Transaction) ([]Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := s.prepare(ctx, &t)
	if err != nil {
		return nil, err
	}
	return s.wait(ctx, p)
}

// Contended reports whether interactive transactions wait, or came within the last second. Who commits in bulk divides
// its work into small transactions (about 100 KiB) while it is so.
func (s *Store) Contended() bool { return s.queue.contended() }

// Arrivals is how many interactive transactions have come since Open. A work in the background that finds it grown has
// kept somebody waiting, and gives way for a moment.
func (s *Store) Arrivals() uint64 {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.queue.arrivals
}

func (s *Store) wait(ctx context.Context, p *pending) ([]Result, error) {
	if !s.queue.add(p) {
		s.release(ctx, p)
		return nil, fault.Errorf(fault.Unavailable, "store.Commit", "the data store is closed")
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		if s.queue.drop(p) {
			s.release(ctx, p)
			return nil, ctx.Err()
		}
		<-p.done
	}
	if p.err != nil {
		s.release(ctx, p)
		return nil, p.err
	}
	s.uploads.end(p.refs())
	return p.results, nil
}

// commitAll is the committer.
func (s *Store) commitAll() {
	defer close(s.done)
	for {
		group, hasBulk := s.queue.take()
		if group == nil {
			return
		}
		began := time.Now()
		var off []*pending
		if group[0].load != nil {
			s.commitLoad(group[0])
		} else {
			off = s.commitGroup(group)
		}
		s.queue.spent(time.Since(began), hasBulk)
		runtime.Gosched() // whoever was answered goes first: the next group may keep this processor for a while
		s.queue.putOff(off)
	}
}

// commitGroup answers the transactions of a group but those that it returns, which need another one.
func (s *Store) commitGroup(members []*pending) (off []*pending) {
	ctx := context.Background() // a caller who leaves takes nobody with it
	var g *group
	planned, doubtful := false, false
	err := s.space.Update(ctx, [][]byte{headKey}, func(tx kv.Locked) (*kv.Batch, error) {
		var err error
		if g, err = s.newGroup(ctx, tx); err != nil {
			return nil, err
		}
		if err := g.look(members); err != nil {
			return nil, err
		}
		for _, p := range members {
			g.plan(p)
		}
		batch := g.finish()
		if batch.Len() > 0 {
			planned = true
			doubtful = s.doubt.CompareAndSwap(nil, &doubt{g.base.point()})
		}
		return batch, nil
	})
	switch {
	case err == nil:
		s.marked = s.marked || planned && g.head.tx > 0
		s.doubt.Store(nil)
	case planned && errors.Is(err, kv.ErrUntouched):
		if doubtful {
			s.doubt.Store(nil)
		}
		err = fault.Wrap("store.Commit", err)
	case planned:
		err = unknown(err)
		s.settle(ctx)
	default:
		err = fault.Wrap("store.Commit", err)
	}
	if g != nil {
		off = g.off
	}
	for _, p := range off {
		p.results, p.err = nil, nil
	}
	for _, p := range members {
		if isOff(off, p) {
			continue
		}
		if err != nil { // also for those that failed alone: it may be because of what others were about to do
			p.results, p.err = nil, err
		}
		close(p.done)
	}
	return off
}

func isOff(off []*pending, p *pending) bool {
	for _, o := range off {
		if o == p {
			return true
		}
	}
	return false
}

// unknown is the error for a batch that may or may not have been applied.
func unknown(err error) error {
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		kind = fault.Unavailable
	}
	return &fault.Error{Op: "store.Commit", Kind: kind, Msg: "the commit may or may not have been applied", Err: err}
}

// settle ends a doubt: the head is read under its lock and written as it is; when that is durable, so is all before it.
// If it fails too, the doubt stays until a later commit succeeds.
func (s *Store) settle(ctx context.Context) {
	err := s.space.Update(ctx, [][]byte{headKey}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] == nil {
			return nil, nil
		}
		batch := &kv.Batch{}
		batch.Set(headKey, tx.Values[0])
		return batch, nil
	})
	if err == nil {
		s.doubt.Store(nil)
	}
}
