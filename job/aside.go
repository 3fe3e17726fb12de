package job

import (
	"context"
	"slices"
	"time"
)

// taskPlace is what a job that this runner holds does with the worker that it was given.
type taskPlace uint8

const (
	working   taskPlace = iota
	aside               // it awaits something, and others may work
	returning           // the next worker that is free is its own
)

// workers is how many jobs of a kind work at once.
func (r *Runner) workers(k Kind) int { return max(r.o.Workers[k], 1) }

// count is how many jobs of a kind are in one of the places.
func (r *Runner) count(k Kind, places ...taskPlace) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counted(k, places...)
}

func (r *Runner) counted(k Kind, places ...taskPlace) (n int) {
	for _, t := range r.active {
		if t.kind == k && slices.Contains(places, t.place) {
			n++
		}
	}
	return n
}

// free lets the next job be claimed.
func (r *Runner) free() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// stepAside gives the worker of a job that awaits something to others for a while, and comes back when there is one for it;
// false where ctx ended before.
func (r *Runner) stepAside(ctx context.Context, t *task, pause time.Duration) bool {
	r.move(t, aside)
	r.free()
	if !sleep(ctx, pause) {
		return false
	}
	r.move(t, returning)
	for !r.resume(t) {
		if !sleep(ctx, firstPause) {
			return false
		}
	}
	return true
}

func (r *Runner) move(t *task, to taskPlace) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.place = to
}

// resume lets a job work again if a worker is free.
func (r *Runner) resume(t *task) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counted(t.kind, working) >= r.workers(t.kind) {
		return false
	}
	t.place = working
	return true
}
