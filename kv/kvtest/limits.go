package kvtest

import (
	"bytes"
	"fmt"
	"testing"

	"tarn/fault"
	"tarn/kv"
)

// testBatchOrder checks that the writes of a batch follow each other, and what a range takes.
func testBatchOrder(t *testing.T, h Harness) {
	_, s := open(t, h)
	k := func(s string) []byte { return []byte(s) }
	cases := []struct {
		name string
		fill func(b *kv.Batch)
		want string
	}{
		{"the later set wins", func(b *kv.Batch) { b.Set(k("b"), k("x")); b.Set(k("b"), k("y")) }, "a=1 b=y c=1 d=1"},
		{"delete after set", func(b *kv.Batch) { b.Set(k("b"), k("x")); b.Delete(k("b")) }, "a=1 c=1 d=1"},
		{"set after delete", func(b *kv.Batch) { b.Delete(k("b")); b.Set(k("b"), k("x")) }, "a=1 b=x c=1 d=1"},
		{"delete what is not there", func(b *kv.Batch) { b.Delete(k("x")) }, "a=1 b=1 c=1 d=1"},
		{"range", func(b *kv.Batch) { b.DeleteRange(k("b"), k("d")) }, "a=1 d=1"},
		{"range takes what was set before", func(b *kv.Batch) { b.Set(k("bb"), k("x")); b.Set(k("d"), k("x")); b.DeleteRange(k("b"), k("d")) }, "a=1 d=x"},
		{"range spares what is set after", func(b *kv.Batch) { b.DeleteRange(k("a"), k("d")); b.Set(k("c"), k("x")) }, "c=x d=1"},
		{"ranges and sets in turn", func(b *kv.Batch) {
			b.DeleteRange(k("a"), k("c"))
			b.Set(k("a"), k("x"))
			b.Set(k("c"), k("x"))
			b.DeleteRange(k("b"), k("d"))
			b.Set(k("b"), k("y"))
		}, "a=x b=y d=1"},
		{"range to the end", func(b *kv.Batch) { b.DeleteRange(k("b"), nil) }, "a=1"},
		{"empty range", func(b *kv.Batch) { b.DeleteRange(k("b"), k("b")) }, "a=1 b=1 c=1 d=1"},
		{"range upside down", func(b *kv.Batch) { b.DeleteRange(k("d"), k("a")) }, "a=1 b=1 c=1 d=1"},
	}
	for _, c := range cases {
		must(t, write(t.Context(), s, func(b *kv.Batch) { b.DeleteRange([]byte{0}, nil) }))
		put(t, s, "a", "1", "b", "1", "c", "1", "d", "1")
		must(t, write(t.Context(), s, c.fill))
		equal(t, c.name, content(t, s), c.want)
	}
}

func testLimits(t *testing.T, h Harness) {
	_, s := open(t, h)
	longest := bytes.Repeat([]byte{0xff}, kv.MaxKey)
	biggest := make([]byte, kv.MaxValue)
	for i := range biggest {
		biggest[i] = byte(i * i >> 3)
	}
	must(t, write(t.Context(), s, func(b *kv.Batch) { b.Set(longest, biggest) }))
	must(t, s.Load(t.Context(), entries(kv.Entry{Key: longest[1:], Value: biggest})))
	n := snapshot(t, s)
	for _, key := range [][]byte{longest, longest[1:]} {
		values, err := n.Get(t.Context(), key)
		must(t, err)
		equal(t, "the biggest entry comes back", bytes.Equal(values[0], biggest), true)
	}
	must(t, s.Update(t.Context(), [][]byte{longest}, func(tx kv.Locked) (*kv.Batch, error) {
		equal(t, "the longest lock key", bytes.Equal(tx.Values[0], biggest), true)
		return nil, nil
	}))

	full := func(more int) func(b *kv.Batch) {
		return func(b *kv.Batch) {
			for i := range kv.MaxBatch / kv.MaxValue {
				value := biggest[8:]
				if i == 0 {
					value = biggest[8-more:]
				}
				b.Set(fmt.Appendf(nil, "full%04d", i), value)
			}
		}
	}
	must(t, write(t.Context(), s, full(0)))
	must(t, write(t.Context(), s, func(b *kv.Batch) { b.DeleteRange(longest, nil) }))
	equalAll(t, "the longest key is gone", get(t, snapshot(t, s), string(longest)), absent)

	long := append(bytes.Clone(longest), 0)
	over := append(bytes.Clone(biggest), 0)
	before := list(t, snapshot(t, s), kv.Range{KeysOnly: true})
	refused := []struct {
		name string
		kind fault.Kind
		do   func() error
	}{
		{"a batch of a byte too much", fault.TooLarge, func() error { return write(t.Context(), s, full(1)) }},
		{"a key of a byte too much", fault.TooLarge, func() error { return write(t.Context(), s, func(b *kv.Batch) { b.Set(long, nil) }) }},
		{"a value of a byte too much", fault.TooLarge, func() error { return write(t.Context(), s, func(b *kv.Batch) { b.Set([]byte("a"), over) }) }},
		{"an empty key", fault.Invalid, func() error { return write(t.Context(), s, func(b *kv.Batch) { b.Set(nil, nil) }) }},
		{"an empty lock key", fault.Invalid, func() error { return s.Update(t.Context(), lock(""), nothing) }},
		{"a lock key too long", fault.TooLarge, func() error { return s.Update(t.Context(), [][]byte{long}, nothing) }},
		{"an empty key to load", fault.Invalid, func() error { return s.Load(t.Context(), entries(kv.Entry{})) }},
		{"a key too long to load", fault.TooLarge, func() error { return s.Load(t.Context(), entries(kv.Entry{Key: long})) }},
		{"a value too big to load", fault.TooLarge, func() error { return s.Load(t.Context(), entries(kv.Entry{Key: []byte("a"), Value: over})) }},
	}
	for _, c := range refused {
		if err := c.do(); !fault.Is(err, c.kind) {
			t.Errorf("%s: got %v, want an error of the kind %q", c.name, err, c.kind)
		}
	}
	equal(t, "nothing was written", list(t, snapshot(t, s), kv.Range{KeysOnly: true}), before)
}

func nothing(kv.Locked) (*kv.Batch, error) { return nil, nil }
