package kv_test

import (
	"bytes"
	"errors"
	"testing"

	"tarn/fault"
	"tarn/kv"
)

func TestBatch_keepsItsBounds(t *testing.T) {
	t.Parallel()
	long := make([]byte, kv.MaxKey+1)
	cases := []struct {
		name string
		fill func(b *kv.Batch)
		ok   bool
		kind fault.Kind
	}{
		{"nothing", func(*kv.Batch) {}, true, 0},
		{"the longest key and value", func(b *kv.Batch) { b.Set(long[1:], make([]byte, kv.MaxValue)) }, true, 0},
		{"a range to the longest key", func(b *kv.Batch) { b.DeleteRange([]byte("a"), long[1:]) }, true, 0},
		{"an empty key", func(b *kv.Batch) { b.Delete(nil) }, false, fault.Invalid},
		{"a key too long", func(b *kv.Batch) { b.Delete(long) }, false, fault.TooLarge},
		{"a range's end too long", func(b *kv.Batch) { b.DeleteRange([]byte("a"), long) }, false, fault.TooLarge},
		{"a value too long", func(b *kv.Batch) { b.Set([]byte("a"), make([]byte, kv.MaxValue+1)) }, false, fault.TooLarge},
		{"the first fault is told", func(b *kv.Batch) { b.Delete(nil); b.Delete(long) }, false, fault.Invalid},
		{"a byte too much", func(b *kv.Batch) {
			for i := range kv.MaxBatch / kv.MaxValue {
				b.Set([]byte{byte(i)}, make([]byte, kv.MaxValue-1))
			}
			b.Set([]byte("z"), nil)
		}, false, fault.TooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b kv.Batch
			c.fill(&b)
			err := b.Check()
			if c.ok != (err == nil) || err != nil && fault.KindOf(err) != c.kind {
				t.Errorf("Check() = %v", err)
			}
		})
	}
}

func TestPrefixEnd_isTheFirstKeyBeyond(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ prefix, end []byte }{
		{[]byte("a"), []byte("b")},
		{[]byte("a\xff\xff"), []byte("b")},
		{[]byte("a\x00"), []byte("a\x01")},
		{[]byte("\xff\xff"), nil},
		{nil, nil},
	} {
		if got := kv.PrefixEnd(c.prefix); !bytes.Equal(got, c.end) || (got == nil) != (c.end == nil) {
			t.Errorf("PrefixEnd(%q) = %q, want %q", c.prefix, got, c.end)
		}
	}
}

func TestCheckEntries_endsAtTheFirstFault(t *testing.T) {
	t.Parallel()
	own := errors.New("source broke")
	cases := []struct {
		name   string
		keys   []string // "!" stands for an error of the source
		passed int
		fails  func(error) bool
	}{
		{"ascending", []string{"a", "aa", "b"}, 3, func(err error) bool { return err == nil }},
		{"equal", []string{"a", "a", "b"}, 1, func(err error) bool { return fault.Is(err, fault.Invalid) }},
		{"descending", []string{"b", "a"}, 1, func(err error) bool { return fault.Is(err, fault.Invalid) }},
		{"empty key", []string{""}, 0, func(err error) bool { return fault.Is(err, fault.Invalid) }},
		{"own error", []string{"a", "!", "b"}, 1, func(err error) bool { return err == own }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var passed int
			var last error
			for _, err := range kv.CheckEntries(func(yield func(kv.Entry, error) bool) {
				for _, k := range c.keys {
					var err error
					if k == "!" {
						err = own
					}
					if !yield(kv.Entry{Key: []byte(k)}, err) {
						return
					}
				}
			}) {
				if last = err; err == nil {
					passed++
				}
			}
			if passed != c.passed || !c.fails(last) {
				t.Errorf("%d passed, then %v", passed, last)
			}
		})
	}
}
