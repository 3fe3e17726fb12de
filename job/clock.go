package job

import (
	"sync"
	"time"
)

// Clock is asked how old something is before that is deleted, or ended, for its age. It goes as the system's clock does, but
// never faster than time goes by since it began: a clock that is set ahead meanwhile makes nothing old. It may be late
// then, and so deletes later. It is safe for concurrent use.
type Clock struct {
	wall    func() time.Time
	elapsed func() time.Duration
	began   time.Time

	mu    sync.Mutex
	early map[string]time.Duration // what happened at a time yet to come, and when it was come across first
}

// NewClock begins a Clock from the time of day and from what has gone by since the call, which nobody can set; nil: the
// system's.
func NewClock(wall func() time.Time, elapsed func() time.Duration) *Clock {
	if wall == nil {
		wall = time.Now
	}
	if elapsed == nil {
		began := time.Now()
		elapsed = func() time.Duration { return time.Since(began) }
	}
	c := &Clock{wall: wall, elapsed: elapsed, early: map[string]time.Duration{}}
	c.began = c.Wall().Add(-elapsed())
	return c
}

// Wall is the time of day, for what people read.
func (c *Clock) Wall() time.Time {
	return c.wall().Round(0) // times with a monotonic reading are compared by it, and a clock that was set shows in none
}

// Now is the time for comparisons with what has happened.
func (c *Clock) Now() time.Time { return c.after(c.elapsed()) }

func (c *Clock) after(elapsed time.Duration) time.Time {
	now := c.began.Add(elapsed)
	if wall := c.Wall(); wall.Before(now) {
		return wall
	}
	return now
}

// Happened is when something happened that is said to have at a time. Where that is yet to come, the clock was ahead then,
// or this one is late, and how long ago it was nobody knows: it counts from when it was asked for first, until it is
// forgotten.
func (c *Clock) Happened(what string, at time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	elapsed := c.elapsed()
	now := c.after(elapsed)
	seen, known := c.early[what]
	switch {
	case known:
	case at.After(now):
		c.early[what], seen = elapsed, elapsed
	default:
		return at
	}
	if first := now.Add(seen - elapsed); first.Before(at) {
		return first
	}
	return at
}

// Forget lets go of what Happened was asked for.
func (c *Clock) Forget(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.early, what)
}

// Shown is what the time of day will be, to the second and if nobody sets it, when Now is a time.
func (c *Clock) Shown(at time.Time) time.Time {
	late := c.Wall().Sub(c.Now())
	return at.Add(late.Round(time.Second))
}
