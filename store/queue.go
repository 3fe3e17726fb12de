package store

import (
	"context"
	"sync"
	"time"
)

const (
	groupBytes     = 8 << 20     // of interactive transactions in one group, about
	bulkBytes      = 1 << 20     // of bulk transactions in one group, about
	bulkBytesSmall = 128 << 10   // the same while interactive transactions come
	contention     = time.Second // how long after an interactive transaction bulk groups stay small
	bulkShare      = 4           // bulk gets one part in so many of the committer's time
)

// pending is a transaction on its way through the queue. The queue's mutex guards taken and dropped.
type pending struct {
	ctx    context.Context
	t      *Transaction
	writes []prepared
	load   *load // instead of writes: a group of its own
	size   int   // bytes that it brings, about

	taken   bool // the committer has it
	dropped bool // its caller has left

	done    chan struct{} // closed when results and err are there
	results []Result
	err     error
}

// queue holds what waits for the committer. First come those that a group put off, then interactive ones, then bulk.
// While interactive and bulk transactions both wait, time is counted, and bulk joins a group when it has had less than
// its share of it.
type queue struct {
	mu          sync.Mutex
	filled      sync.Cond
	deferred    []*pending
	interactive []*pending
	bulk        []*pending
	closed      bool

	lastInteractive time.Time
	arrivals        uint64        // interactive transactions so far
	bulkTime        time.Duration // of groups with bulk, since both queues have had work
	otherTime       time.Duration // of groups without
}

func (q *queue) init() { q.filled.L = &q.mu }

// add reports whether the queue took p.
func (q *queue) add(p *pending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	if p.t.Bulk {
		q.bulk = append(q.bulk, p)
	} else {
		q.interactive = append(q.interactive, p)
		q.lastInteractive = time.Now()
		q.arrivals++
	}
	q.filled.Signal()
	return true
}

// drop takes p back unless the committer has it.
func (q *queue) drop(p *pending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.taken {
		return false
	}
	p.dropped = true
	return true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Signal()
}

func (q *queue) contended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.busy()
}

// isWaitedFor reports whether interactive transactions wait.
func (q *queue) isWaitedFor() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.interactive) > 0
}

// busy reports whether interactive transactions wait or came a moment ago.
func (q *queue) busy() bool {
	return len(q.interactive) > 0 || !q.lastInteractive.IsZero() && time.Since(q.lastInteractive) < contention
}

// take waits for the next group; nil when the queue is closed and empty. hasBulk reports whether bulk had its turn.
func (q *queue) take() (group []*pending, hasBulk bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if group, hasBulk = q.next(); len(group) > 0 {
			return group, hasBulk
		}
		if q.closed {
			return nil, false
		}
		q.filled.Wait()
	}
}

func (q *queue) next() (group []*pending, hasBulk bool) {
	q.deferred, q.interactive, q.bulk = present(q.deferred), present(q.interactive), present(q.bulk)
	if len(q.interactive) == 0 || len(q.bulk) == 0 {
		q.bulkTime, q.otherTime = 0, 0
	}
	bulkTurn := len(q.interactive) == 0 || q.bulkTime*(bulkShare-1) < q.otherTime
	size := 0
	group = move(group, &q.deferred, &size, groupBytes)
	group = move(group, &q.interactive, &size, groupBytes)
	if bulkTurn && len(q.bulk) > 0 {
		if q.bulk[0].load != nil {
			if len(group) == 0 { // then nobody else waits
				group = move(group, &q.bulk, &size, 1)
			}
			return group, len(group) > 0 && group[0].load != nil
		}
		limit, bulkSize := bulkBytes, 0
		if q.busy() {
			limit = bulkBytesSmall
		}
		hasBulk = true
		group = move(group, &q.bulk, &bulkSize, limit)
	}
	return group, hasBulk
}

// present are those of list whose callers still wait.
func present(list []*pending) []*pending {
	for i, p := range list {
		if p.dropped {
			kept := append([]*pending(nil), list[:i]...)
			for _, p := range list[i:] {
				if !p.dropped {
					kept = append(kept, p)
				}
			}
			return kept
		}
	}
	return list
}

// move takes from the front of list until size reaches limit; one at least, if nothing was taken so far.
func move(group []*pending, list *[]*pending, size *int, limit int) []*pending {
	for len(*list) > 0 {
		p := (*list)[0]
		if *size > 0 && (*size+p.size > limit || p.load != nil) {
			break
		}
		p.taken = true
		*size += max(p.size, 1)
		group = append(group, p)
		(*list)[0] = nil
		*list = (*list)[1:]
	}
	return group
}

// putOff gives back what a group could not take, before everything else.
func (q *queue) putOff(list []*pending) {
	if len(list) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range list {
		p.taken = false
	}
	q.deferred = append(list, q.deferred...)
}

// spent counts the time of a group.
func (q *queue) spent(d time.Duration, hasBulk bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if hasBulk {
		q.bulkTime += d
	} else {
		q.otherTime += d
	}
}
