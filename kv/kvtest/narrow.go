package kvtest

import (
	"context"
	"sync"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// Narrow is an engine around another one that has so few places for snapshots as kv.Space warns of: who comes when all are
// taken waits, and fails with fault.Unavailable when that takes too long. With one place, a goroutine that holds a snapshot
// while it waits for another fails every time. It is safe for concurrent use. It does not own the other engine's data, but
// closes it.
type Narrow struct {
	kv.Engine
	places   chan struct{}
	patience time.Duration

	mu     sync.Mutex
	spaces map[kv.Space]*narrowSpace
}

var _ kv.Engine = (*Narrow)(nil)

// NewNarrow wraps inner with some places for the snapshots of all its spaces together.
func NewNarrow(inner kv.Engine, places int, patience time.Duration) *Narrow {
	return &Narrow{Engine: inner, places: make(chan struct{}, places), patience: patience, spaces: map[kv.Space]*narrowSpace{}}
}

// Open implements kv.Engine.
func (e *Narrow) Open(ctx context.Context, name string) (kv.Space, error) {
	inner, err := e.Engine.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.spaces[inner]
	if s == nil {
		s = &narrowSpace{inner, e}
		e.spaces[inner] = s
	}
	return s, nil
}

type narrowSpace struct {
	kv.Space
	engine *Narrow
}

// Snapshot implements kv.Space.
func (s *narrowSpace) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	timer := time.NewTimer(s.engine.patience)
	defer timer.Stop()
	select {
	case s.engine.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fault.Errorf(fault.Unavailable, "kvtest.Narrow", "no place for a snapshot came free: somebody may hold one while waiting for another")
	}
	snap, err := s.Space.Snapshot(ctx)
	if err != nil {
		<-s.engine.places
		return nil, err
	}
	return &narrowSnapshot{Snapshot: snap, leave: sync.OnceFunc(func() { <-s.engine.places })}, nil
}

type narrowSnapshot struct {
	kv.Snapshot
	leave func()
}

// Close implements kv.Snapshot.
func (n *narrowSnapshot) Close() error {
	defer n.leave()
	return n.Snapshot.Close()
}
