package pebble

import (
	"context"
	"sync"
)

// locks hands out keys in the order in which they were asked for. A caller joins the queues of all its keys at once,
// so of two callers one stands before the other in every queue that they share: no cycle, no deadlock, no overtaking.
type locks struct {
	mu     sync.Mutex
	queues map[string][]*ticket // the first of a queue holds the key
}

// ticket is one caller's claim.
type ticket struct {
	keys  []string
	ahead int           // queues in which somebody stands before it
	ready chan struct{} // closed when none does
}

func newLocks() *locks { return &locks{queues: map[string][]*ticket{}} }

// take waits until the keys, which may repeat, are the caller's; gone ends the wait too. The caller gives the ticket
// back with release.
func (l *locks) take(ctx context.Context, keys [][]byte, gone <-chan struct{}) (*ticket, error) {
	t := &ticket{keys: make([]string, 0, len(keys)), ready: make(chan struct{})}
	l.mu.Lock()
	for _, k := range keys {
		q := l.queues[string(k)]
		if len(q) > 0 && q[len(q)-1] == t {
			continue // it repeats
		}
		key := string(k)
		if len(q) > 0 {
			t.ahead++
		}
		l.queues[key] = append(q, t)
		t.keys = append(t.keys, key)
	}
	free := t.ahead == 0
	l.mu.Unlock()
	if free {
		return t, nil
	}
	select {
	case <-t.ready:
		return t, nil
	case <-ctx.Done():
		l.release(t)
		return nil, ctx.Err()
	case <-gone:
		l.release(t)
		return nil, errDropped("pebble.Update")
	}
}

// release takes t out of its queues, whether it holds their keys or still waits, and lets the next ones in.
func (l *locks) release(t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range t.keys {
		q := l.queues[key]
		if q[0] != t {
			l.queues[key] = without(q, t)
			continue
		}
		if len(q) == 1 {
			delete(l.queues, key)
			continue
		}
		q[0] = nil
		l.queues[key] = q[1:]
		next := q[1]
		if next.ahead--; next.ahead == 0 {
			close(next.ready)
		}
	}
}

func without(q []*ticket, t *ticket) []*ticket {
	for i := range q {
		if q[i] == t {
			return append(q[:i], q[i+1:]...)
		}
	}
	return q
}
