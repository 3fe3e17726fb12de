package store_test

import (
	"context"
	"testing"

	"tarn/fault"
	"tarn/store"
)

// A view as of an earlier transaction on the snapshot of another shows what one of its own would.
func TestAsOf_showsTheEarlierState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, typ := t.Context(), types[2]
	first := w.put("a", "first", 10)
	w.put("a", "second", 10)
	last := w.put("b", "other", 10)
	v, err := w.s.At(ctx, last.Tx-1)
	must(t, err)
	defer func() { must(t, v.Close()) }()
	before := v.AsOf(first.Tx)
	if got, err := before.Read(ctx, typ, "a"); err != nil || got.Number != 1 || before.Tx() != first.Tx {
		t.Errorf("before: %+v, %v", got, err)
	}
	if n, err := before.Count(ctx, typ); n != 1 || err != nil {
		t.Errorf("there were %d, %v", n, err)
	}
	must(t, before.Close()) // which does nothing
	if got, err := v.Read(ctx, typ, "a"); err != nil || got.Number != 2 {
		t.Errorf("now: %+v, %v", got, err)
	}
	if _, err := v.AsOf(last.Tx).Read(ctx, typ, "b"); !fault.Is(err, fault.NotFound) {
		t.Errorf("newer than the view: %v", err)
	}
	w.c.Add(1)
	_, err = w.s.Erase(ctx, store.Erasure{Resources: []store.Name{{Type: typ, ID: "a"}}})
	must(t, err)
	for name, open := range map[string]func(context.Context, store.TxID) (*store.View, error){"pinned": w.s.Pinned, "not pinned": w.s.At} {
		of, err := open(ctx, last.Tx)
		must(t, err)
		if _, err = of.AsOf(first.Tx).Read(ctx, typ, "a"); (err == nil) != (name == "pinned") {
			t.Errorf("%s, after the erasure: %v", name, err)
		}
		must(t, of.Close())
	}
}
