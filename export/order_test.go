package export_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tarn/export"
)

func TestInOrder_givesAllInOrderWithinItsWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(rt, "n")
		width := rapid.IntRange(1, 4).Draw(rt, "width")
		fails := rapid.IntRange(0, 60).Draw(rt, "fails") // beyond n: none
		takes := rapid.Bool().Draw(rt, "it is the taking that fails")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 9), 40, 40).Draw(rt, "pauses")
		boom := errors.New("boom")
		var at, most atomic.Int32
		var got []int
		var err error
		synctest.Test(t, func(t *testing.T) {
			err = export.InOrderForTest(t.Context(), n, width, func(ctx context.Context, i int) (int, error) {
				now := at.Add(1)
				defer at.Add(-1)
				for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				time.Sleep(time.Duration(pauses[i%len(pauses)]) * time.Second)
				if i == fails && !takes {
					return 0, boom
				}
				return i, nil
			}, func(i, v int) error {
				if i != v {
					t.Errorf("%d came for %d", v, i)
				}
				if i == fails && takes {
					return boom
				}
				got = append(got, i)
				return nil
			})
			if left := at.Load(); left != 0 {
				t.Errorf("%d still work", left)
			}
		})
		if want := min(n, fails); len(got) != want || (err == nil) != (fails >= n) || err != nil && !errors.Is(err, boom) {
			rt.Fatalf("%v and %v, want %d of %d", got, err, want, n)
		}
		for i, v := range got {
			if i != v {
				rt.Fatalf("order %v", got)
			}
		}
		if int(most.Load()) > width {
			rt.Fatalf("%d at once, want at most %d", most.Load(), width)
		}
	})
}

func TestInOrder_endsWithItsContext(t *testing.T) {
	t.Parallel()
	why := errors.New("the caller left")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := export.InOrderForTest(ctx, 1000, 2, func(ctx context.Context, i int) (int, error) {
		if i == 3 {
			cancel(why)
		}
		return i, nil
	}, func(int, int) error { return nil })
	if !errors.Is(err, why) {
		t.Errorf("ended with %v", err)
	}
}
