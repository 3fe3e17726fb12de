package store_test

import (
	"slices"
	"testing"

	"tarn/fault"
	"tarn/store"
)

// A pinned view sees through the erasure that came after its transaction, and not through one that came before.
func TestPinned_endsAtTheErasureBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, typ := t.Context(), types[2]
	erase := func() {
		w.c.Add(1)
		_, err := w.s.Erase(ctx, store.Erasure{Resources: []store.Name{{Type: typ, ID: "a"}}})
		must(t, err)
	}
	w.put("a", "first", 10)
	erase()
	at := w.put("a", "third", 10).Tx
	w.put("a", "fourth", 10)
	erase()
	v, err := w.s.Pinned(ctx, at)
	must(t, err)
	defer func() { must(t, v.Close()) }()
	for number, want := range map[uint64]fault.Kind{1: fault.Gone, 2: fault.Gone, 4: fault.NotFound, 5: fault.NotFound, 6: fault.NotFound} {
		if _, err := v.ReadVersion(ctx, typ, "a", number); !fault.Is(err, want) {
			t.Errorf("version %d: %v, want %v", number, err, want)
		}
	}
	if got, err := v.ReadVersion(ctx, typ, "a", 3); err != nil || got.Tx != at {
		t.Errorf("version 3: %+v, %v", got, err)
	}
	var numbers []uint64
	for before := store.TxID(0); len(numbers) < 9; { // pages of one version each
		found := false
		for ver, err := range v.History(ctx, typ, "a", before) {
			must(t, err)
			numbers, before, found = append(numbers, ver.Number), ver.Tx, true
			break
		}
		if !found {
			break
		}
	}
	if want := []uint64{3, 2}; !slices.Equal(numbers, want) {
		t.Errorf("history %v, want %v", numbers, want)
	}
}
