package kvtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"tarn/kv"
)

const absent = "(absent)"

// get renders the values of keys: absent, or the value.
func get(t *testing.T, r kv.Reader, keys ...string) []string {
	t.Helper()
	raw := make([][]byte, len(keys))
	for i, k := range keys {
		raw[i] = []byte(k)
	}
	values, err := r.Get(t.Context(), raw...)
	must(t, err)
	return render(values)
}

func render(values [][]byte) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
		if v == nil {
			out[i] = absent
		}
	}
	return out
}

// list renders a scan as "k=v" one after the other.
func list(t *testing.T, r kv.Reader, rg kv.Range) string {
	t.Helper()
	it := r.Scan(t.Context(), rg)
	var out []string
	for it.Next() {
		out = append(out, entry(it, rg.KeysOnly))
	}
	must(t, errors.Join(it.Err(), it.Close()))
	return strings.Join(out, " ")
}

// content renders all that is in the space now.
func content(t *testing.T, s kv.Space) string {
	t.Helper()
	n := snapshot(t, s)
	defer func() { _ = n.Close() }()
	return list(t, n, kv.Range{})
}

func entry(it kv.Iterator, keysOnly bool) string {
	if keysOnly {
		return string(it.Key())
	}
	return string(it.Key()) + "=" + string(it.Value())
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalAll(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %.60q, want %.60q", what, got, want)
	}
}

func testSnapshot(t *testing.T, h Harness) {
	_, s := open(t, h)
	empty := snapshot(t, s)
	put(t, s, "a", "1", "b", "1")
	first := snapshot(t, s)
	put(t, s, "a", "2", "c", "2")
	must(t, write(t.Context(), s, func(b *kv.Batch) { b.Delete([]byte("b")) }))
	second := snapshot(t, s)

	equal(t, "before anything", list(t, empty, kv.Range{}), "")
	equal(t, "after the first write", list(t, first, kv.Range{}), "a=1 b=1")
	equal(t, "after the others", list(t, second, kv.Range{}), "a=2 c=2")
	equalAll(t, "get from the old one", get(t, first, "a", "b", "c"), "1", "1", absent)

	it := first.Scan(t.Context(), kv.Range{})
	equal(t, "an entry", it.Next(), true)
	put(t, s, "b", "3")
	equal(t, "an entry", it.Next() && string(it.Value()) == "1", true)
	must(t, errors.Join(it.Err(), it.Close(), it.Close()))

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				values, err := first.Get(t.Context(), []byte("a"), []byte("c"))
				if err != nil || render(values)[0] != "1" || values[1] != nil {
					t.Errorf("concurrent get: %q, %v", values, err)
				}
				it := first.Scan(t.Context(), kv.Range{})
				n := 0
				for it.Next() {
					n++
				}
				if err := errors.Join(it.Err(), it.Close()); err != nil || n != 2 {
					t.Errorf("concurrent scan: %d entries, %v", n, err)
				}
			}
		})
	}
	wg.Wait()
	must(t, first.Close())
	must(t, first.Close())
}

func testGet(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "a", "1", "empty", "", "b\x00", "zero", "\xff", "last", "\x00", "first")
	n := snapshot(t, s)
	equalAll(t, "no keys", get(t, n))
	equalAll(t, "one", get(t, n, "a"), "1")
	equalAll(t, "any order, absent, empty, twice",
		get(t, n, "empty", "b", "a", "\xff", "b\x00", "a", "", "\x00", strings.Repeat("x", kv.MaxKey+1)),
		"", absent, "1", "last", "zero", "1", absent, "first", absent)

	var pairs, keys, want []string
	for i := range 3000 {
		pairs = append(pairs, fmt.Sprintf("many%05d", i*7919%3000), fmt.Sprint(i))
		keys = append(keys, pairs[2*i], pairs[2*i]+"no")
		want = append(want, fmt.Sprint(i), absent)
	}
	put(t, s, pairs...)
	equalAll(t, "thousands", get(t, snapshot(t, s), keys...), want...)

	values, err := n.Get(t.Context(), []byte("a"))
	must(t, err)
	values[0][0] = 'x' // the value is ours
	equalAll(t, "again", get(t, n, "a"), "1")
}

func testScan(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "\x00", "0", "a", "1", "a\x00", "2", "a\xff", "3", "b", "4", "ba", "", "\xff\xff", "6")
	n := snapshot(t, s)
	k := func(s string) []byte { return []byte(s) }
	cases := []struct {
		start, end []byte
		want       string
	}{
		{nil, nil, "\x00 a a\x00 a\xff b ba \xff\xff"},
		{k(""), nil, "\x00 a a\x00 a\xff b ba \xff\xff"},
		{k("a"), nil, "a a\x00 a\xff b ba \xff\xff"},
		{k("a\x01"), nil, "a\xff b ba \xff\xff"},
		{nil, k("b"), "\x00 a a\x00 a\xff"},
		{nil, k("b\x00"), "\x00 a a\x00 a\xff b"},
		{k("a"), k("b"), "a a\x00 a\xff"},
		{k("a"), k("a"), ""},
		{k("b"), k("a"), ""},
		{nil, k("\x00"), ""},
		{k("\xff\xff\x00"), nil, ""},
		{k("c"), k("d"), ""},
		{kv.Prefix(k("a")).Start, kv.Prefix(k("a")).End, "a a\x00 a\xff"},
		{kv.Prefix(k("\xff")).Start, kv.Prefix(k("\xff")).End, "\xff\xff"},
	}
	for _, c := range cases {
		what := fmt.Sprintf("[%q, %q)", c.start, c.end)
		equal(t, what, list(t, n, kv.Range{Start: c.start, End: c.end, KeysOnly: true}), c.want)
		down := strings.Split(c.want, " ")
		slices.Reverse(down)
		equal(t, what+" down", list(t, n, kv.Range{Start: c.start, End: c.end, KeysOnly: true, Reverse: true}), strings.Join(down, " "))
	}
	equal(t, "values", list(t, n, kv.Range{Start: k("b"), End: k("c")}), "b=4 ba=")
	equal(t, "values down", list(t, n, kv.Range{Start: k("b"), End: k("c"), Reverse: true}), "ba= b=4")

	it := n.Scan(t.Context(), kv.Range{Start: k("b"), End: k("c")})
	for it.Next() {
	}
	equal(t, "after the end", it.Next() || it.Seek(k("b")), false)
	must(t, errors.Join(it.Err(), it.Close()))
}

func testSeek(t *testing.T, h Harness) {
	_, s := open(t, h)
	var pairs []string
	for i := range 5000 {
		pairs = append(pairs, fmt.Sprintf("k%05d", 2*i), fmt.Sprint(2*i))
	}
	put(t, s, append(pairs, "other", "x")...)
	n := snapshot(t, s)
	k := func(i int) []byte { return fmt.Appendf(nil, "k%05d", i) }

	// Each move is a seek (a number) or a step (-1), followed by where it leads; -1 is the end.
	cases := []struct {
		name    string
		reverse bool
		moves   [][2]int
	}{
		{"up", false, [][2]int{{10, 10}, {-1, 12}, {13, 14}, {14, 14}, {3, 14}, {-1, 16}, {6001, 6002}, {-1, 6004}, {9001, -1}, {20, -1}}},
		{"from the range's start", false, [][2]int{{0, 10}, {-1, 12}}},
		{"step first", false, [][2]int{{-1, 10}, {5, 10}, {500, 500}}},
		{"to the end", false, [][2]int{{8998, 8998}, {-1, -1}}},
		{"down", true, [][2]int{{8001, 8000}, {-1, 7998}, {7998, 7998}, {7997, 7996}, {8500, 7996}, {-1, 7994}, {13, 12}, {-1, 10}, {-1, -1}}},
		{"from the range's end", true, [][2]int{{9999, 8998}, {9, -1}}},
		{"step first, down", true, [][2]int{{-1, 8998}, {9500, 8998}, {11, 10}}},
	}
	for _, c := range cases {
		it := n.Scan(t.Context(), kv.Range{Start: k(10), End: k(9000), Reverse: c.reverse})
		for i, m := range c.moves {
			ok := false
			if m[0] < 0 {
				ok = it.Next()
			} else {
				ok = it.Seek(k(m[0]))
			}
			if ok != (m[1] >= 0) || ok && (string(it.Key()) != string(k(m[1])) || string(it.Value()) != fmt.Sprint(m[1])) {
				t.Fatalf("%s: move %d, %v: %v, at %q", c.name, i, m, ok, it.Key())
			}
		}
		must(t, errors.Join(it.Err(), it.Close()))
	}

	keysOnly := n.Scan(t.Context(), kv.Range{KeysOnly: true})
	equal(t, "beyond all", keysOnly.Seek([]byte("other")) && string(keysOnly.Key()) == "other" && !keysOnly.Next(), true)
	must(t, errors.Join(keysOnly.Err(), keysOnly.Close()))
}

func testReset(t *testing.T, h Harness) {
	_, s := open(t, h)
	var pairs []string
	for i := range 300 {
		pairs = append(pairs, fmt.Sprintf("k%05d", i), fmt.Sprint(i))
	}
	put(t, s, pairs...)
	n := snapshot(t, s)
	k := func(i int) []byte { return fmt.Appendf(nil, "k%05d", i) }
	put(t, s, "k00100", "another") // which the snapshot does not see

	it := n.Scan(t.Context(), kv.Range{Start: k(9), End: k(5)})
	equal(t, "an entry of no range", it.Next(), false)
	for i, c := range []struct {
		from, to int
		reverse  bool
		seek     int // -1: none
		steps    []int
	}{
		{100, 103, false, -1, []int{100, 101, 102, -1}},
		{100, 103, false, -1, []int{100, 101, 102, -1}},
		{10, 300, false, 150, []int{150, 151}}, // left in the middle
		{10, 300, false, -1, []int{10}},
		{20, 22, false, 50, []int{-1}},
		{5, 5, false, -1, []int{-1}},
		{5, 8, true, -1, []int{7, 6, 5, -1}},
		{5, 80, true, 40, []int{40, 39}},
		{5, 80, true, 60, []int{60, 59}},
		{0, 2, false, -1, []int{0, 1, -1}},
	} {
		r := kv.Range{Start: k(c.from), End: k(c.to), Reverse: c.reverse}
		it.Reset(r)
		clear(r.Start) // it may be used again
		clear(r.End)
		for j, want := range c.steps {
			ok := false
			if j == 0 && c.seek >= 0 {
				ok = it.Seek(k(c.seek))
			} else {
				ok = it.Next()
			}
			if ok != (want >= 0) || ok && (string(it.Key()) != string(k(want)) || string(it.Value()) != fmt.Sprint(want)) {
				t.Fatalf("range %d, step %d: %v, at %q", i, j, ok, it.Key())
			}
		}
	}
	must(t, errors.Join(it.Err(), it.Close()))
	it.Reset(kv.Range{})
	equal(t, "an entry after Close", it.Next(), false)
}

func testReadContext(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "a", "1", "b", "2")
	n := snapshot(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	it := n.Scan(ctx, kv.Range{})
	equal(t, "an entry", it.Next(), true)
	cancel()
	equal(t, "an entry after the end of the context", it.Next(), false)
	equal(t, "the error is the context's", errors.Is(it.Err(), context.Canceled), true)
	must(t, it.Close())
	_, err := n.Get(ctx, []byte("a"))
	equal(t, "get's error is the context's", errors.Is(err, context.Canceled), true)
	late := n.Scan(ctx, kv.Range{})
	equal(t, "an entry of a late scan", late.Next() || late.Seek([]byte("a")), false)
	equal(t, "its error is the context's", errors.Is(late.Err(), context.Canceled), true)
	must(t, late.Close())
	_, err = s.Snapshot(ctx)
	equal(t, "snapshot's error is the context's", errors.Is(err, context.Canceled), true)
	equalAll(t, "the snapshot is still good", get(t, n, "b"), "2")
}
