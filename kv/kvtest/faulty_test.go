package kvtest_test

import (
	"testing"

	"tarn/fault"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

func entries(keys ...string) func(yield func(kv.Entry, error) bool) {
	return func(yield func(kv.Entry, error) bool) {
		for _, k := range keys {
			if !yield(kv.Entry{Key: []byte(k)}, nil) {
				return
			}
		}
	}
}

func TestFaulty_failsOnBothSides(t *testing.T) {
	t.Parallel()
	inner, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := kvtest.NewFaulty(inner)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := f.Open(t.Context(), "space")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.Open(t.Context(), "space"); err != nil || again != s {
		t.Errorf("opened again: %v, %v", again, err)
	}
	calls := 0
	update := func(key string) error {
		return s.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) {
			calls++
			var b kv.Batch
			b.Set([]byte(key), nil)
			return &b, nil
		})
	}
	reads := func() error {
		return s.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) { return nil, nil })
	}
	load := func(key string) error { return s.Load(t.Context(), entries(key)) }
	steps := []struct {
		arm   func()
		do    func(key string) error
		key   string
		fails bool
		there bool
	}{
		{nil, update, "a", false, true},
		{func() { f.FailBefore(1) }, update, "b", true, false},
		{nil, update, "b", false, true},
		{func() { f.FailAfter(2) }, update, "c", false, true},
		{nil, load, "d", true, true},
		{nil, load, "e", false, true},
		{func() { f.FailBefore(1) }, load, "f", true, false},
		{func() { f.Hook(func(w kvtest.Write) kvtest.Fault { return kvtest.After }) }, update, "g", true, true},
		{func() { f.Hook(nil) }, update, "h", false, true},
	}
	for _, c := range steps {
		if c.arm != nil {
			c.arm()
		}
		if err := reads(); err != nil {
			t.Fatalf("an update that writes nothing: %v", err)
		}
		if err := c.do(c.key); (err != nil) != c.fails || c.fails && !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", c.key, err)
		}
		n, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		values, err := n.Get(t.Context(), []byte(c.key))
		if err != nil || (values[0] != nil) != c.there {
			t.Errorf("%s: there: %v, want %v; %v", c.key, values[0] != nil, c.there, err)
		}
		_ = n.Close()
	}
	if calls != 6 || f.Writes() != 1 {
		t.Errorf("fn was called %d times, %d writes since the last hook", calls, f.Writes())
	}
}

// TestFaulty_keepsTheContract runs the suite over a Faulty that does not fail.
func TestFaulty_keepsTheContract(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, kvtest.Harness{Open: func(t *testing.T) kv.Engine {
		inner, err := pebble.InMemory(pebble.Options{CacheBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return kvtest.NewFaulty(inner)
	}})
}
