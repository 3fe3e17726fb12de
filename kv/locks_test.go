package kv_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"tarn/fault"
	"tarn/kv"
)

func keys(names ...string) [][]byte {
	out := make([][]byte, len(names))
	for i, n := range names {
		out[i] = []byte(n)
	}
	return out
}

func take(t *testing.T, l *kv.Locks, names ...string) *kv.Held {
	t.Helper()
	h, err := l.Take(context.Background(), keys(names...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestLocks_serveInTheOrderOfAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l kv.Locks
		first := take(t, &l, "a", "b", "a")
		var order []int
		for i, names := range [][]string{{"b"}, {"a", "b"}, {"b", "a"}, {"b"}} {
			go func() {
				h := take(t, &l, names...)
				order = append(order, i)
				h.Release()
			}()
			synctest.Wait()
		}
		if l.Waiting() != 4 {
			t.Errorf("%d wait, want 4", l.Waiting())
		}
		first.Release()
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3}) || l.Waiting() != 0 {
			t.Errorf("served in order %v, %d still wait", order, l.Waiting())
		}
	})
}

func TestLocks_whoGivesUpLeavesTheQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l kv.Locks
		holder := take(t, &l, "a")
		ctx, cancel := context.WithCancel(context.Background())
		gone := make(chan struct{})
		var canceled, dropped error
		go func() { _, canceled = l.Take(ctx, keys("a", "b"), nil) }()
		synctest.Wait()
		go func() { _, dropped = l.Take(context.Background(), keys("a", "b"), gone) }()
		synctest.Wait()
		served := false
		go func() { take(t, &l, "b").Release(); served = true }()
		synctest.Wait()
		if served {
			t.Fatal("a later caller overtook an earlier one")
		}
		cancel()
		synctest.Wait()
		close(gone)
		synctest.Wait()
		if !errors.Is(canceled, context.Canceled) || !fault.Is(dropped, fault.Gone) || !served {
			t.Errorf("canceled: %v; gone: %v; served: %v", canceled, dropped, served)
		}
		holder.Release()
		take(t, &l, "a", "b").Release()
	})
}

func TestLocks_excludeEachOtherWithoutDeadlock(t *testing.T) {
	t.Parallel()
	var (
		l     kv.Locks
		wg    sync.WaitGroup
		names = []string{"a", "b", "c", "d", "e"}
		inUse = make([]int, len(names)) // each guarded by its key
	)
	for worker := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 500 {
				picks := rng.Perm(len(names))[:1+rng.IntN(3)]
				var want []string
				for _, p := range picks {
					want = append(want, names[p])
				}
				h := take(t, &l, want...)
				for _, p := range picks {
					if inUse[p]++; inUse[p] != 1 {
						t.Errorf("key %s is held twice", names[p])
					}
				}
				for _, p := range picks {
					inUse[p]--
				}
				h.Release()
			}
		})
	}
	wg.Wait()
}
