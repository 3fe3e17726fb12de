package kvtest

import (
	"fmt"
	"sync"
	"testing"

	"tarn/fault"
	"tarn/kv"
)

func testReopen(t *testing.T, h Harness) {
	if h.Reopen == nil {
		t.Skip("left out: the harness cannot open an engine again, so what a clean close keeps is not checked")
	}
	e := h.Open(t)
	closeAtEnd(t, e)
	keep := space(t, e, "keep")
	put(t, keep, "a", "1", "b", "2")
	must(t, keep.Load(t.Context(), numbered(0, 4000, 1000)))
	put(t, space(t, e, "drop"), "a", "1")
	space(t, e, "empty")
	must(t, e.Drop(t.Context(), "drop"))
	for range 2 {
		e = h.Reopen(t, e)
		closeAtEnd(t, e)
		names, err := e.Spaces(t.Context())
		must(t, err)
		equalAll(t, "spaces", names, "empty", "keep")
		n := snapshot(t, space(t, e, "keep"))
		equalAll(t, "values", get(t, n, "a", "b", "c", "n00003999"), "1", "2", absent, string(numberedValue(nil, 3999, 1000)))
		equal(t, "dropped and made again", content(t, space(t, e, "drop")), "")
		must(t, e.Drop(t.Context(), "drop"))
		must(t, n.Close())
	}
}

func testCrash(t *testing.T, h Harness) {
	if h.Crash == nil {
		t.Skip("left out: the harness cannot crash an engine, so what a power failure keeps is not checked")
	}
	e := h.Open(t)
	closeAtEnd(t, e)
	keep := space(t, e, "keep")
	put(t, keep, "a", "1", "b", "2")
	must(t, keep.Load(t.Context(), numbered(0, 10, 10)))       // a small one
	must(t, keep.Load(t.Context(), numbered(100, 4100, 1000))) // a big one
	must(t, write(t.Context(), keep, func(b *kv.Batch) { b.Delete([]byte("a")) }))
	err := keep.Load(t.Context(), func(yield func(kv.Entry, error) bool) {
		for e, err := range numbered(5000, 9000, 1000) {
			if !yield(e, err) {
				return
			}
		}
		yield(kv.Entry{}, fault.Errorf(fault.Unavailable, "test", "the source broke"))
	})
	equal(t, "a broken load fails", fault.Is(err, fault.Unavailable), true)
	put(t, space(t, e, "drop"), "a", "1")
	held := snapshot(t, space(t, e, "drop"))
	must(t, e.Drop(t.Context(), "drop"))
	space(t, e, "empty")
	_ = held

	e = h.Crash(t, e)
	closeAtEnd(t, e)
	names, err := e.Spaces(t.Context())
	must(t, err)
	equalAll(t, "spaces", names, "empty", "keep")
	n := snapshot(t, space(t, e, "keep"))
	equalAll(t, "values", get(t, n, "a", "b", "n00000009", "n00004099", "n00005000"),
		absent, "2", string(numberedValue(nil, 9, 10)), string(numberedValue(nil, 4099, 1000)), absent)
	equal(t, "what was dropped is empty", content(t, space(t, e, "drop")), "")
}

// testCrashUnderWrites crashes while many write: what Update confirmed is there, and no batch is there in part.
func testCrashUnderWrites(t *testing.T, h Harness) {
	if h.Crash == nil {
		t.Skip("left out: the harness cannot crash an engine, so writes in flight are not checked")
	}
	e, s := open(t, h)
	const workers = 8
	var (
		wg        sync.WaitGroup
		mu        sync.Mutex
		confirmed [workers]int
		half      = make(chan struct{})
		once      sync.Once
		stop      = make(chan struct{})
	)
	for w := range workers {
		wg.Go(func() {
			for i := 1; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				err := s.Update(t.Context(), lock(fmt.Sprint(w)), func(kv.Locked) (*kv.Batch, error) {
					var b kv.Batch
					b.Set(fmt.Append(nil, w), fmt.Append(nil, i))
					b.Set(fmt.Append(nil, "twin", w), fmt.Append(nil, i))
					return &b, nil
				})
				if err != nil {
					t.Errorf("update: %v", err)
					return
				}
				mu.Lock()
				confirmed[w] = i
				mu.Unlock()
				if i == 50 {
					once.Do(func() { close(half) })
				}
			}
		})
	}
	<-half
	mu.Lock()
	least := confirmed
	mu.Unlock()
	after := h.Crash(t, e)
	close(stop)
	wg.Wait()
	closeAtEnd(t, after)
	n := snapshot(t, space(t, after, "space"))
	for w := range workers {
		pair := get(t, n, fmt.Sprint(w), fmt.Sprint("twin", w))
		equal(t, "both halves of a batch", pair[0], pair[1])
		if number([]byte(pair[0])) < least[w] {
			t.Errorf("worker %d: write %d was confirmed before the crash, but %s is there", w, least[w], pair[0])
		}
	}
}
