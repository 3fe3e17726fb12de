package kvtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"tarn/fault"
	"tarn/kv"
)

func lock(names ...string) [][]byte {
	out := make([][]byte, len(names))
	for i, n := range names {
		out[i] = []byte(n)
	}
	return out
}

func number(v []byte) int {
	n, _ := strconv.Atoi(string(v))
	return n
}

func testUpdate(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "a", "1", "empty", "", "z", "9")
	calls := 0
	must(t, s.Update(t.Context(), lock("z", "nothing", "a", "empty", "z"), func(tx kv.Locked) (*kv.Batch, error) {
		calls++
		equalAll(t, "values of the lock keys", render(tx.Values), "9", absent, "1", "", "9")
		equalAll(t, "get", get(t, tx, "empty", "b"), "", absent)
		equal(t, "scan", list(t, tx, kv.Range{Start: []byte("b"), Reverse: true}), "z=9 empty=")
		var b kv.Batch
		b.Set([]byte("a"), []byte("2"))
		b.Delete([]byte("z"))
		b.Set([]byte("new"), nil)
		return &b, nil
	}))
	equal(t, "calls", calls, 1)
	equal(t, "after it", content(t, s), "a=2 empty= new=")

	own := errors.New("no, thanks")
	err := s.Update(t.Context(), lock("a"), func(kv.Locked) (*kv.Batch, error) {
		var b kv.Batch
		b.Set([]byte("a"), []byte("3"))
		return &b, own
	})
	equal(t, "fn's error as it is", err == own, true)
	for _, batch := range []*kv.Batch{nil, {}} {
		must(t, s.Update(t.Context(), lock("a"), func(kv.Locked) (*kv.Batch, error) { return batch, nil }))
	}
	err = s.Update(t.Context(), lock("a"), func(kv.Locked) (*kv.Batch, error) {
		var b kv.Batch
		b.Set([]byte("a"), []byte("3"))
		b.Set(nil, nil)
		return &b, nil
	})
	equal(t, "a broken batch is invalid", fault.Is(err, fault.Invalid), true)
	equal(t, "nothing was written", content(t, s), "a=2 empty= new=")
	must(t, s.Update(t.Context(), lock("a"), func(kv.Locked) (*kv.Batch, error) { return nil, nil })) // the locks are free
}

// testUpdateExcludes counts under one lock and under two, from many sides.
func testUpdateExcludes(t *testing.T, h Harness) {
	_, s := open(t, h)
	const workers, rounds = 8, 25
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				keys := lock("counter")
				if (w+i)%2 == 0 {
					keys = lock(fmt.Sprint("own", w), "counter")
				}
				err := s.Update(t.Context(), keys, func(tx kv.Locked) (*kv.Batch, error) {
					var b kv.Batch
					b.Set([]byte("counter"), fmt.Append(nil, number(tx.Values[len(keys)-1])+1))
					return &b, nil
				})
				if err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	equalAll(t, "counter", get(t, snapshot(t, s), "counter"), fmt.Sprint(workers*rounds))
}

// testUpdateConsistent moves amounts between accounts while others add them up: the sum never changes, in a snapshot
// and in the state that another update sees.
func testUpdateConsistent(t *testing.T, h Harness) {
	_, s := open(t, h)
	accounts := []string{"acct0", "acct1", "acct2", "acct3"}
	for _, a := range accounts {
		put(t, s, a, "100")
	}
	var movers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		movers.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(w)))
			for range 30 {
				p := rng.Perm(len(accounts))
				err := s.Update(t.Context(), lock(accounts[p[0]], accounts[p[1]]), func(tx kv.Locked) (*kv.Batch, error) {
					var b kv.Batch
					b.Set([]byte(accounts[p[0]]), fmt.Append(nil, number(tx.Values[0])-1))
					b.Set([]byte(accounts[p[1]]), fmt.Append(nil, number(tx.Values[1])+1))
					return &b, nil
				})
				if err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	total := func(r kv.Reader) int {
		sum := 0
		for _, v := range get(t, r, accounts[:2]...) {
			sum += number([]byte(v))
		}
		it := r.Scan(t.Context(), kv.Range{Start: []byte("acct2"), End: []byte("acct9")})
		for it.Next() {
			sum += number(it.Value())
		}
		must(t, errors.Join(it.Err(), it.Close()))
		return sum
	}
	for w := range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if w == 0 {
					n, err := s.Snapshot(t.Context())
					if err != nil {
						t.Errorf("snapshot: %v", err)
						return
					}
					equal(t, "sum in a snapshot", total(n), 400)
					_ = n.Close()
					continue
				}
				_ = s.Update(t.Context(), lock("other"), func(tx kv.Locked) (*kv.Batch, error) {
					equal(t, "sum in an update", total(tx), 400)
					return nil, nil
				})
			}
		})
	}
	movers.Wait()
	close(stop)
	readers.Wait()
}

func testUpdateOverlap(t *testing.T, h Harness) {
	_, s := open(t, h)
	names := []string{"a", "b", "c", "d", "e", "f"}
	want := make([]int, len(names))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(3, uint64(w)))
			for range 15 {
				var picks []string
				mu.Lock()
				for _, p := range rng.Perm(len(names))[:2+rng.IntN(3)] {
					picks = append(picks, names[p])
					want[p]++
				}
				mu.Unlock()
				err := s.Update(t.Context(), lock(picks...), func(tx kv.Locked) (*kv.Batch, error) {
					var b kv.Batch
					for i, name := range picks {
						b.Set([]byte(name), fmt.Append(nil, number(tx.Values[i])+1))
					}
					return &b, nil
				})
				if err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for i, got := range get(t, snapshot(t, s), names...) {
		equal(t, names[i], got, fmt.Sprint(want[i]))
	}
}

// testUpdateWithoutLock writes the same keys in opposite orders without locking them: nobody fails, and each batch
// stays whole.
func testUpdateWithoutLock(t *testing.T, h Harness) {
	_, s := open(t, h)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for range 25 {
				err := s.Update(t.Context(), lock(fmt.Sprint(w)), func(kv.Locked) (*kv.Batch, error) {
					var b kv.Batch
					for i := range 20 {
						at := i
						if w%2 == 0 {
							at = 19 - i
						}
						b.Set(fmt.Appendf(nil, "k%02d", at), fmt.Append(nil, w))
					}
					return &b, nil
				})
				if err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	n := snapshot(t, s)
	first := get(t, n, "k00")[0]
	for i := range 20 {
		equal(t, "every key is of one batch", get(t, n, fmt.Sprintf("k%02d", i))[0], first)
	}
}

// waitFor waits until n updates wait for keys of s.
func waitFor(t *testing.T, h Harness, s kv.Space, n int) {
	t.Helper()
	for h.Waiting(t, s) != n {
		if t.Context().Err() != nil {
			t.Fatal("the test ended before the updates waited")
		}
		time.Sleep(time.Millisecond) // a poll: there is no event for "it waits now"
	}
}

// hold takes the lock until the function that it returns is called.
func hold(t *testing.T, s kv.Space, names ...string) (release func()) {
	held, free, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Update(context.WithoutCancel(t.Context()), lock(names...), func(kv.Locked) (*kv.Batch, error) {
			close(held)
			<-free
			return nil, nil
		})
	}()
	<-held
	return sync.OnceFunc(func() { close(free); <-done })
}

func testUpdateInOrder(t *testing.T, h Harness) {
	if h.Waiting == nil {
		t.Skip("left out: the harness cannot tell how many updates wait, so their order is not checked")
	}
	_, s := open(t, h)
	release := hold(t, s, "a", "b")
	defer release()
	var order []string
	var wg sync.WaitGroup
	for i, keys := range [][]string{{"a"}, {"b", "a"}, {"a"}, {"a", "b", "c"}, {"b", "a"}, {"a"}} {
		wg.Go(func() {
			err := s.Update(t.Context(), lock(keys...), func(kv.Locked) (*kv.Batch, error) {
				order = append(order, fmt.Sprint(i)) // guarded by the lock on "a", or "b"
				return nil, nil
			})
			if err != nil {
				t.Errorf("update: %v", err)
			}
		})
		waitFor(t, h, s, i+1)
	}
	release()
	wg.Wait()
	equalAll(t, "order of service", order, "0", "1", "2", "3", "4", "5")
}

func testUpdateCanceled(t *testing.T, h Harness) {
	_, s := open(t, h)
	release := hold(t, s, "a")
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- s.Update(ctx, lock("b", "a"), func(kv.Locked) (*kv.Batch, error) {
			t.Error("fn was called though its context had ended")
			return nil, nil
		})
	}()
	if h.Waiting != nil {
		waitFor(t, h, s, 1)
	}
	cancel()
	equal(t, "the error is the context's", errors.Is(<-result, context.Canceled), true)
	put(t, s, "b", "1")
	must(t, s.Update(t.Context(), lock("b"), func(kv.Locked) (*kv.Batch, error) { return nil, nil })) // "b" is free
	release()
	must(t, s.Update(t.Context(), lock("a"), func(kv.Locked) (*kv.Batch, error) { return nil, nil }))
	equal(t, "an ended context", errors.Is(s.Update(ctx, nil, func(kv.Locked) (*kv.Batch, error) { return nil, nil }), context.Canceled), true)
}
