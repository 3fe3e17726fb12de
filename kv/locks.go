package kv

import (
	"context"
	"sync"

	"tarn/fault"
)

// Locks hands out the keys of one space, inside one process, in the order in which they were asked for: what engines
// put before Space.Update. A caller joins the queues of all its keys at once, so of two callers one stands before the
// other in every queue that they share: no cycle, no deadlock, no overtaking. The zero value is ready; it is safe for
// concurrent use.
type Locks struct {
	mu      sync.Mutex
	queues  map[string][]*Held // the first of a queue holds the key
	waiting int
}

// Held is one caller's claim to its keys.
type Held struct {
	locks *Locks
	keys  []string
	ahead int           // queues in which somebody stands before it
	ready chan struct{} // closed when none does
}

// Take waits until the keys, which may repeat, are all the caller's, who then must call Release. It ends early with
// ctx's error, or with fault.Gone when gone is closed.
func (l *Locks) Take(ctx context.Context, keys [][]byte, gone <-chan struct{}) (*Held, error) {
	h := l.join(keys)
	if h.ready == nil {
		return h, nil
	}
	var err error
	select {
	case <-h.ready:
	case <-ctx.Done():
		err = ctx.Err()
	case <-gone:
		err = fault.Errorf(fault.Gone, "kv.Locks", "the space has been dropped or closed")
	}
	l.mu.Lock()
	l.waiting--
	l.mu.Unlock()
	if err != nil {
		h.Release()
		return nil, err
	}
	return h, nil
}

// join queues a claim; where nobody stands before it, its ready is nil.
func (l *Locks) join(keys [][]byte) *Held {
	h := &Held{locks: l, keys: make([]string, 0, len(keys))}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queues == nil {
		l.queues = map[string][]*Held{}
	}
	for _, k := range keys {
		q := l.queues[string(k)]
		if len(q) > 0 && q[len(q)-1] == h {
			continue // it repeats
		}
		if len(q) > 0 {
			h.ahead++
		}
		key := string(k)
		l.queues[key] = append(q, h)
		h.keys = append(h.keys, key)
	}
	if h.ahead > 0 {
		h.ready = make(chan struct{})
		l.waiting++
	}
	return h
}

// Waiting is how many callers of Take wait now.
func (l *Locks) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting
}

// Release gives the keys up and lets the next callers in.
func (h *Held) Release() {
	l := h.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range h.keys {
		q := l.queues[key]
		if q[0] != h {
			l.queues[key] = without(q, h) // it gave up waiting
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
	h.keys = nil
}

func without(q []*Held, h *Held) []*Held {
	for i := range q {
		if q[i] == h {
			return append(q[:i], q[i+1:]...)
		}
	}
	return q
}
