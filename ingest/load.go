package ingest

import (
	"context"
	"errors"

	"tarn/store"
)

// Bounds of a step: what is loaded at once. A larger one leaves fewer sorted runs to merge and takes more memory.
const (
	stepLines = 32_000
	stepBytes = 16 << 20
	leastLoad = 2000 // lines of a step, below which a commit is as good
)

// shyness keeps an import that meets resources which are there already from trying in vain all the time: after each
// refusal it commits twice as many batches before it tries to load again.
type shyness struct{ wait, left int }

const mostShy = 256

func (s *shyness) refused() {
	s.wait = min(max(2*s.wait, 4), mostShy)
	s.left = s.wait
}

func (e *execution) mayLoad(alone func() bool) bool {
	if e.shy.left > 0 {
		e.shy.left--
		return false
	}
	return alone()
}

// load gathers a step and applies it by store.Load. Where the step is small it is committed; where the store refuses it,
// all is given back and the batch is nil: it is to be committed bit by bit, as the moment allows.
func (e *execution) load(ctx context.Context, from *supply, alone func() bool) (*batch, error) {
	var pieces []*batch
	b, ids := &batch{line: e.at.Line, offset: e.at.Offset}, names{}
	// What is held counts too: where lines are much longer than what they hold, the reader waits for room before long.
	for b.err == nil && !b.last && len(b.writes) < stepLines && b.bytes < stepBytes && b.held < stepBytes && alone() {
		next, ok := from.next()
		if !ok {
			return nil, context.Cause(ctx)
		}
		if !b.fits(next) || !ids.take(next) {
			from.giveBack(next)
			break
		}
		pieces = append(pieces, next)
		b.add(next)
	}
	if len(b.writes) < leastLoad {
		if len(b.writes) <= batchLines {
			return b, e.commit(ctx, b)
		}
		from.giveBack(pieces...)
		return nil, nil
	}
	next, riders := e.at.behind(e.id, b)
	t := e.at.to(e.id, &next, append(riders, e.at.stored(e.id, b).allNew()...))
	t.Writes = b.writes
	err := e.store.Load(ctx, t)
	var refused *store.WriteError
	switch {
	case err == nil:
		e.at, e.shy = next, shyness{}
		return b, nil
	case errors.Is(err, store.ErrCommitInstead), errors.As(err, &refused):
		e.shy.refused()
		from.giveBack(pieces...)
		return nil, nil
	}
	return nil, errOvertaken(err)
}

// supply gives out pieces in the order of the file, those first that were given back.
type supply struct {
	pieces <-chan *batch
	back   []*batch
}

// next is the next piece, waited for; false where no more come.
func (s *supply) next() (*batch, bool) {
	if len(s.back) > 0 {
		return s.first(), true
	}
	b, ok := <-s.pieces
	return b, ok
}

// ready is the next piece if it is there.
func (s *supply) ready() (*batch, bool) {
	if len(s.back) > 0 {
		return s.first(), true
	}
	select {
	case b, ok := <-s.pieces:
		return b, ok
	default:
		return nil, false
	}
}

func (s *supply) first() *batch {
	b := s.back[0]
	s.back = s.back[1:]
	return b
}

// giveBack takes pieces back that nothing was done with, in their order.
func (s *supply) giveBack(list ...*batch) { s.back = append(list, s.back...) }
