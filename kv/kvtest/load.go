package kvtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"tarn/fault"
	"tarn/kv"
)

func entries(list ...kv.Entry) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// numbered yields entries "n00000000" with values of some bytes that hardly compress, out of buffers used again.
func numbered(from, to, size int) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		var key, value []byte
		for i := from; i < to; i++ {
			key = fmt.Appendf(key[:0], "n%08d", i)
			if value = numberedValue(value[:0], i, size); !yield(kv.Entry{Key: key, Value: value}, nil) {
				return
			}
		}
	}
}

func numberedValue(v []byte, i, size int) []byte {
	x := uint64(i)*0x9e3779b97f4a7c15 + 1
	for len(v) < size {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		v = append(v, byte(x>>32))
	}
	return v
}

func testLoad(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "a", "old", "b", "old", "d", "old")
	before := snapshot(t, s)
	must(t, s.Load(t.Context(), entries()))
	must(t, s.Load(t.Context(), entries(
		kv.Entry{Key: []byte("a"), Value: []byte("new")},
		kv.Entry{Key: []byte("c")},
		kv.Entry{Key: []byte("d"), Value: []byte("new")},
	)))
	equal(t, "after it", content(t, s), "a=new b=old c= d=new")
	equalAll(t, "an empty value", get(t, snapshot(t, s), "c"), "")
	equal(t, "the old snapshot", list(t, before, kv.Range{}), "a=old b=old d=old")
	put(t, s, "c", "newer")
	equal(t, "a write after it", content(t, s), "a=new b=old c=newer d=new")
}

func testLoadRefused(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "a", "old")
	own := errors.New("the source broke")
	then := func(n int, last kv.Entry, err error) iter.Seq2[kv.Entry, error] {
		return func(yield func(kv.Entry, error) bool) {
			for e, e2 := range numbered(0, n, 1000) {
				if !yield(e, e2) {
					return
				}
			}
			yield(last, err)
		}
	}
	for _, n := range []int{3, 20_000} { // within a batch, and beyond any
		err := s.Load(t.Context(), then(n, kv.Entry{}, own))
		equal(t, "the source's error as it is", err == own, true)
		for _, key := range []string{fmt.Sprintf("n%08d", n-1), "a"} {
			err := s.Load(t.Context(), then(n, kv.Entry{Key: []byte(key)}, nil))
			equal(t, "a break of the order is invalid", fault.Is(err, fault.Invalid), true)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = s.Load(ctx, func(yield func(kv.Entry, error) bool) {
			for e, err := range numbered(0, n, 1000) {
				if string(e.Key) == "n00000002" {
					cancel()
				}
				if !yield(e, err) {
					return
				}
			}
		})
		equal(t, "the error is the context's", errors.Is(err, context.Canceled), true)
	}
	equal(t, "nothing was written", list(t, snapshot(t, s), kv.Range{KeysOnly: true}), "a")
}

// testLoadBig loads more than any batch holds, replaces its middle, and reads all of it.
func testLoadBig(t *testing.T, h Harness) {
	_, s := open(t, h)
	const all, size = 30_000, 900
	must(t, s.Load(t.Context(), numbered(0, all, size)))
	put(t, s, "n00015000", "written after")
	before := snapshot(t, s)
	must(t, s.Load(t.Context(), numbered(10_000, 20_000, 100)))
	check := func(r kv.Reader, want func(i int) string) {
		t.Helper()
		it := r.Scan(t.Context(), kv.Range{})
		i := 0
		for ; it.Next(); i++ {
			if string(it.Key()) != fmt.Sprintf("n%08d", i) || string(it.Value()) != want(i) {
				t.Fatalf("entry %d: key %q, value of %d bytes", i, it.Key(), len(it.Value()))
			}
		}
		must(t, errors.Join(it.Err(), it.Close()))
		equal(t, "entries", i, all)
	}
	check(before, func(i int) string {
		if i == 15_000 {
			return "written after"
		}
		return string(numberedValue(nil, i, size))
	})
	check(snapshot(t, s), func(i int) string {
		if i >= 10_000 && i < 20_000 {
			return string(numberedValue(nil, i, 100))
		}
		return string(numberedValue(nil, i, size))
	})
}
