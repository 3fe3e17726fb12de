package kvtest

import (
	"context"
	"iter"
	"sync"

	"tarn/fault"
	"tarn/kv"
)

// Fault says how a write fails.
type Fault uint8

// The two sides of a fault.
const (
	NoFault Fault = iota
	Before        // it fails and nothing is written
	After         // it fails though all is written
)

// Write is one write that is about to happen: an Update whose batch is not empty, or a Load.
type Write struct {
	N     int       // counts from 1 over all spaces since NewFaulty or the last FailBefore, FailAfter or Hook
	Space string    // its name
	Batch *kv.Batch // nil for a Load, or one of sorted bulk data
}

// Faulty is an engine around another one whose writes fail on demand, with fault.Unavailable. It is safe for
// concurrent use. It does not own the other engine's data, but closes it.
type Faulty struct {
	kv.Engine
	mu     sync.Mutex
	n      int
	hook   func(Write) Fault
	spaces map[kv.Space]*faultySpace
}

var _ kv.Engine = (*Faulty)(nil)

// NewFaulty wraps inner; nothing fails yet.
func NewFaulty(inner kv.Engine) *Faulty {
	return &Faulty{Engine: inner, spaces: map[kv.Space]*faultySpace{}}
}

// FailBefore lets the n-th write from now on (1 is the next) fail with nothing written, and no other.
func (f *Faulty) FailBefore(n int) { f.failOne(n, Before) }

// FailAfter lets the n-th write from now on fail with all of it written, and no other.
func (f *Faulty) FailAfter(n int) { f.failOne(n, After) }

func (f *Faulty) failOne(n int, side Fault) {
	f.Hook(func(w Write) Fault {
		if w.N == n {
			return side
		}
		return NoFault
	})
}

// Hook asks hook about every write from now on, one at a time; nil lets all succeed. The count begins again.
func (f *Faulty) Hook(hook func(Write) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.hook = 0, hook
}

// Writes is how many writes were counted since the last FailBefore, FailAfter or Hook.
func (f *Faulty) Writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// Open implements kv.Engine.
func (f *Faulty) Open(ctx context.Context, name string) (kv.Space, error) {
	inner, err := f.Engine.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.spaces[inner]
	if s == nil {
		s = &faultySpace{Space: inner, name: name, engine: f}
		f.spaces[inner] = s
	}
	return s, nil
}

func (f *Faulty) ask(space string, b *kv.Batch) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.hook == nil {
		return NoFault
	}
	return f.hook(Write{N: f.n, Space: space, Batch: b})
}

type faultySpace struct {
	kv.Space
	name   string
	engine *Faulty
}

func injected(side string) error {
	return fault.Errorf(fault.Unavailable, "kvtest.Faulty", "injected fault: %s", side)
}

// Update implements kv.Space: fn is called in every case, as in a real failure to commit.
func (s *faultySpace) Update(ctx context.Context, lock [][]byte, fn func(tx kv.Locked) (*kv.Batch, error)) error {
	side := NoFault
	err := s.Space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		b, err := fn(tx)
		if err != nil || b.IsEmpty() {
			return b, err
		}
		side = s.engine.ask(s.name, b)
		if seq := b.Sorted(); seq != nil && side == Before {
			return kv.Bulk(failAtEnd(seq)), nil
		}
		if side == Before {
			return nil, injected("nothing was written")
		}
		return b, nil
	})
	if err == nil && side == After {
		return injected("all was written")
	}
	return err
}

// Load implements kv.Space: a load that fails before has read its source to the end.
func (s *faultySpace) Load(ctx context.Context, seq iter.Seq2[kv.Entry, error]) error {
	side := s.engine.ask(s.name, nil)
	if side == Before {
		seq = failAtEnd(seq)
	}
	err := s.Space.Load(ctx, seq)
	if err == nil && side == After {
		return injected("all was written")
	}
	return err
}

func failAtEnd(seq iter.Seq2[kv.Entry, error]) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		for e, err := range seq {
			if !yield(e, err) || err != nil {
				return
			}
		}
		yield(kv.Entry{}, injected("nothing was written"))
	}
}
