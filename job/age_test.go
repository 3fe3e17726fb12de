package job_test

import (
	"strings"
	"testing"
	"time"

	"tarn/job"
)

// hands are the two of a Clock, which are set apart.
type hands struct {
	wall    time.Time
	elapsed time.Duration
}

func (h *hands) clock() *job.Clock {
	return job.NewClock(func() time.Time { return h.wall }, func() time.Duration { return h.elapsed })
}

// pass lets time go by, which both show.
func (h *hands) pass(d time.Duration) { h.wall, h.elapsed = h.wall.Add(d), h.elapsed+d }

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestClock_goesNoFasterThanTimeGoesBy(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name           string
		off            time.Duration // how far the system's clock is ahead when the Clock begins,
		then           time.Duration // and two hours later
		suspended      time.Duration // how long the machine then stood still
		now, wall, end time.Duration // from noon: the time, the time of day, and what that will be an hour later
	}{
		{"right", 0, 0, 0, 2 * time.Hour, 2 * time.Hour, 3 * time.Hour},
		{"set ahead", 0, 30 * day, 0, 2 * time.Hour, 30*day + 2*time.Hour, 30*day + 3*time.Hour},
		{"ahead at the start, then set right", 3 * day, 0, 0, 2 * time.Hour, 2 * time.Hour, 3 * time.Hour},
		{"behind at the start, then set right", -3 * day, 0, 0, -3*day + 2*time.Hour, 2 * time.Hour, 3 * time.Hour},
		{"set back", 0, -day, 0, -day + 2*time.Hour, -day + 2*time.Hour, -day + 3*time.Hour},
		{"suspended", 0, 0, 3 * day, 2 * time.Hour, 3*day + 2*time.Hour, 3*day + 3*time.Hour},
	} {
		h := &hands{wall: noon.Add(tt.off), elapsed: time.Minute}
		c := h.clock()
		h.pass(2 * time.Hour)
		h.wall = h.wall.Add(tt.then - tt.off + tt.suspended)
		now, wall := c.Now(), c.Wall()
		if end := c.Shown(now.Add(time.Hour)); now.Sub(noon) != tt.now || wall.Sub(noon) != tt.wall || end.Sub(noon) != tt.end {
			t.Errorf("%s: it is %v after noon, the time of day %v, an hour later %v", tt.name, now.Sub(noon), wall.Sub(noon), end.Sub(noon))
		}
	}
}

// TestClock_seesThatTheSystemsWasSet keeps monotonic readings out, by which times are compared that were set in between.
func TestClock_seesThatTheSystemsWasSet(t *testing.T) {
	t.Parallel()
	c := job.NewClock(nil, nil)
	for _, at := range []time.Time{c.Now(), c.Wall(), c.Happened("x", time.Now().Add(time.Hour)), c.Shown(c.Now())} {
		if strings.Contains(at.String(), "m=") || time.Since(at).Abs() > time.Minute {
			t.Errorf("it is %v", at)
		}
	}
}

func TestClock_countsFromWhenItFirstSawWhatIsYetToCome(t *testing.T) {
	t.Parallel()
	h := &hands{wall: noon}
	c := h.clock()
	age := func(at time.Time) time.Duration { return c.Now().Sub(c.Happened("x", at)) }
	if got := age(noon.Add(-time.Hour)); got != time.Hour {
		t.Errorf("an hour ago was %v ago", got)
	}
	later := noon.Add(3 * time.Hour)
	if got := age(later); got != 0 {
		t.Errorf("at first it is %v ago", got)
	}
	h.pass(2 * time.Hour)
	h.wall = h.wall.Add(-20 * 365 * 24 * time.Hour)
	if got := age(later); got != 2*time.Hour {
		t.Errorf("with the clock set back it is %v ago", got)
	}
	h.wall = h.wall.Add(20 * 365 * 24 * time.Hour)
	h.pass(2 * time.Hour) // the time has come
	if got := age(later); got != 4*time.Hour {
		t.Errorf("four hours later it is %v ago", got)
	}
	c.Forget("x")
	if got := age(later); got != time.Hour {
		t.Errorf("when it is forgotten it is %v ago", got)
	}
}
