package kvtest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tarn/fault"
	"tarn/kv"
)

func testSpaces(t *testing.T, h Harness) {
	e := h.Open(t)
	closeAtEnd(t, e)
	names := func(want ...string) {
		t.Helper()
		got, err := e.Spaces(t.Context())
		must(t, err)
		equalAll(t, "spaces", got, want...)
	}
	names()
	longest := strings.Repeat("z", 63)
	odd := []string{"select", "0", "-", "_", "a-b_9", longest}
	for _, name := range odd {
		put(t, space(t, e, name), "k", name)
	}
	names("-", "0", "_", "a-b_9", "select", longest)
	for _, name := range odd {
		again := space(t, e, name)
		equal(t, "the same space again", again == space(t, e, name), true)
		equalAll(t, name, get(t, snapshot(t, again), "k"), name)
	}
	for _, bad := range []string{"", "A", "a.b", "a/b", "..", "ü", "a b", `a"b`, "a\x00", longest + "z"} {
		_, err := e.Open(t.Context(), bad)
		equal(t, fmt.Sprintf("open %q is invalid", bad), fault.Is(err, fault.Invalid), true)
		equal(t, fmt.Sprintf("drop %q is invalid", bad), fault.Is(e.Drop(t.Context(), bad), fault.Invalid), true)
	}
	must(t, e.Drop(t.Context(), "never-there"))
	must(t, e.Drop(t.Context(), "select"))
	must(t, e.Drop(t.Context(), "select"))
	must(t, e.Drop(t.Context(), longest))
	names("-", "0", "_", "a-b_9")
	equal(t, "made again, it is empty", content(t, space(t, e, "select")), "")
	equalAll(t, "the others stay", get(t, snapshot(t, space(t, e, "0")), "k"), "0")
}

// gone reports every use of a dropped space that does not fail with fault.Gone.
func gone(t *testing.T, s kv.Space) {
	t.Helper()
	_, snapErr := s.Snapshot(t.Context())
	_, sizeErr := s.Size(t.Context())
	for what, err := range map[string]error{
		"snapshot": snapErr,
		"size":     sizeErr,
		"update":   write(t.Context(), s, func(b *kv.Batch) { b.Set([]byte("a"), nil) }),
		"load":     s.Load(t.Context(), entries(kv.Entry{Key: []byte("a")})),
	} {
		if !fault.Is(err, fault.Gone) {
			t.Errorf("%s after the end: got %v, want an error of the kind gone", what, err)
		}
	}
}

func testDropUnderUse(t *testing.T, h Harness) {
	e, s := open(t, h)
	put(t, s, "a", "1", "b", "2")
	n := snapshot(t, s)
	it := n.Scan(t.Context(), kv.Range{})
	equal(t, "an entry", it.Next(), true)

	inFn, dropped, results := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		results <- s.Update(t.Context(), lock("a"), func(kv.Locked) (*kv.Batch, error) {
			close(inFn)
			<-dropped
			var b kv.Batch
			b.Set([]byte("late"), nil)
			return &b, nil
		})
	}()
	<-inFn
	go func() { results <- s.Update(t.Context(), lock("a"), nothing) }()
	if h.Waiting != nil {
		waitFor(t, h, s, 1)
	}
	must(t, e.Drop(t.Context(), "space"))
	close(dropped)
	for range 2 {
		if err := <-results; !fault.Is(err, fault.Gone) {
			t.Errorf("an update during the drop: got %v, want an error of the kind gone", err)
		}
	}
	equal(t, "an entry after the drop", it.Next(), false)
	equal(t, "the scan is gone", fault.Is(it.Err(), fault.Gone), true)
	_, err := n.Get(t.Context(), []byte("a"))
	equal(t, "the snapshot is gone", fault.Is(err, fault.Gone), true)
	gone(t, s)

	second := space(t, e, "space") // while the first one's iterator and snapshot are still open
	put(t, second, "c", "3")
	must(t, errors.Join(it.Close(), n.Close()))
	equal(t, "the second one's", content(t, second), "c=3")
	gone(t, s)
}

// testManyAtOnce opens, fills and drops the same few spaces from many sides.
func testManyAtOnce(t *testing.T, h Harness) {
	e := h.Open(t)
	closeAtEnd(t, e)
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for i := range 8 {
				name := fmt.Sprint("s", (w+i)%3)
				s, err := e.Open(t.Context(), name)
				if err == nil {
					err = write(t.Context(), s, func(b *kv.Batch) { b.Set(fmt.Append(nil, w), []byte("x")) })
				}
				if err == nil {
					var n kv.Snapshot
					if n, err = s.Snapshot(t.Context()); err == nil {
						_, err = n.Get(t.Context(), fmt.Append(nil, w))
						err = errors.Join(err, n.Close())
					}
				}
				if err != nil && !fault.Is(err, fault.Gone) {
					t.Errorf("using %s: %v", name, err)
				}
				if i%3 == 2 {
					if err := e.Drop(t.Context(), name); err != nil {
						t.Errorf("dropping %s: %v", name, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func testSize(t *testing.T, h Harness) {
	_, s := open(t, h)
	_, err := s.Size(t.Context())
	must(t, err)
	must(t, s.Load(t.Context(), numbered(0, 4000, 2000)))
	size, err := s.Size(t.Context())
	must(t, err)
	if size < 1<<20 || size > 64<<20 {
		t.Errorf("8 MB of poorly compressible values take %d bytes", size)
	}
}

func testClosed(t *testing.T, h Harness) {
	e, s := open(t, h)
	put(t, s, "a", "1")
	release := hold(t, s, "a")
	closed := make(chan error)
	go func() { closed <- e.Close() }()
	release() // Close waits for the running update
	must(t, <-closed)
	must(t, e.Close())
	gone(t, s)
	_, err := e.Open(t.Context(), "space")
	equal(t, "open is gone", fault.Is(err, fault.Gone), true)
	_, err = e.Spaces(t.Context())
	equal(t, "spaces is gone", fault.Is(err, fault.Gone), true)
	equal(t, "drop is gone", fault.Is(e.Drop(t.Context(), "space"), fault.Gone), true)
}
