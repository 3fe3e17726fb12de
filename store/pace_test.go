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
		work      time.Duration
		want      time.Duration // of all steps
	}{
		{"alone", false, work, steps * work},
		{"beside interactive transactions", true, work, steps * 4 * work},
		{"with long works between", true, time.Second, steps * (time.Second + store.PaceLongest)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				p := store.NewTestPace(func() bool { return c.contended })
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

// TestPace_endsWithItsContext rests no longer than its context lasts.
func TestPace_endsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p := store.NewTestPace(func() bool { return true })
		time.Sleep(time.Second)
		begin := time.Now()
		p.Step(ctx, store.PaceBytes)
		if took := time.Since(begin); took != 0 {
			t.Errorf("rested for %s", took)
		}
	})
}
