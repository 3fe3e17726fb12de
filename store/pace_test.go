package store_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tarn/store"
)

// TestPace_givesWay lets a work of a known speed run beside interactive transactions and alone.
func TestPace_givesWay(t *testing.T) {
	t.Parallel()
	const steps, work = 100, 2 * time.Millisecond
	cases := []struct {
		name      string
		contended bool
		share     int
		work      time.Duration
		want      time.Duration // of all steps
	}{
		{"alone", false, 25, work, steps * work},
		{"a quarter", true, 25, work, steps * 4 * work},
		{"a half", true, 50, work, steps * 2 * work},
		{"a tenth", true, 10, work, steps * 10 * work},
		{"four fifths", true, 80, work, steps * 5 * work / 4},
		{"all", true, 100, work, steps * work},
		{"a share that is none", true, 0, work, steps * 100 * work},
		{"with works longer than a look", true, 25, 200 * time.Millisecond, steps * 4 * 200 * time.Millisecond},
		{"with long works between", true, 25, time.Minute, steps * (time.Minute + store.PaceLongest)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				p := store.NewTestPace(c.share, func() bool { return c.contended })
				for range steps {
					time.Sleep(c.work)
					p.Step(t.Context(), store.PaceBytes/2)
					p.Step(t.Context(), store.PaceBytes/2)
				}
				if took := time.Since(begin); took != c.want {
					t.Errorf("took %s, not %s", took, c.want)
				}
			})
		})
	}
}

// TestPace_runsOnWhenTheOthersEnd rests no longer than there is somebody to give way to.
func TestPace_runsOnWhenTheOthersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := store.NewTestPace(25, func() bool { return time.Since(begin) < 1150*time.Millisecond })
		time.Sleep(time.Second)
		p.Step(t.Context(), store.PaceBytes)
		if took := time.Since(begin); took != 1200*time.Millisecond {
			t.Errorf("ran on after %s", took)
		}
	})
}

// TestPace_endsWithItsContext rests no longer than its context lasts.
func TestPace_endsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p := store.NewTestPace(25, func() bool { return true })
		time.Sleep(time.Second)
		begin := time.Now()
		p.Step(ctx, store.PaceBytes)
		if took := time.Since(begin); took != 0 {
			t.Errorf("rested for %s", took)
		}
	})
}
