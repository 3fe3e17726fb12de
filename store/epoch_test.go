package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

func TestIndexEpoch_tellsByWhichTablesAllIsIndexed(t *testing.T) {
	t.Parallel()
	_, space := memorySpace(t)
	ctx := t.Context()
	expect := func(s *store.Store, want uint32, when string) {
		t.Helper()
		got, err := s.IndexEpoch(ctx)
		if err != nil || got != want {
			t.Errorf("%s: epoch %d, %v, want %d", when, got, err, want)
		}
		v, err := s.Latest(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		if got, err := v.IndexEpoch(ctx); err != nil || got != want {
			t.Errorf("%s: the view's epoch %d, %v, want %d", when, got, err, want)
		}
	}
	open := func(epoch uint32) *store.Store {
		s, err := store.Open(ctx, space, store.Options{Epoch: epoch})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	put := func(s *store.Store, id string, epoch uint32) {
		t.Helper()
		if _, err := s.Commit(ctx, store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: id, Resource: document(types[0], 1, 0), Epoch: epoch}}}); err != nil {
			t.Fatal(err)
		}
	}
	s := open(4)
	expect(s, 4, "empty")
	_ = s.Close()
	s = open(5)
	expect(s, 5, "empty, opened by a later release")
	put(s, "a", 5)
	expect(s, 5, "after the first write")
	_ = s.Close()
	s = open(6)
	defer s.Close()
	expect(s, 5, "opened by a later release")
	put(s, "b", 6)
	expect(s, store.Mixed, "after a write of the later one")
	v, err := s.Latest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for epoch, want := range map[uint32][]store.Ordinal{4: nil, 5: {0}, 6: {1}} {
		if got, err := v.OfEpoch(ctx, types[0], epoch, 0, store.End); err != nil || !slices.Equal(got, want) {
			t.Errorf("of epoch %d: %v, %v, want %v", epoch, got, err, want)
		}
	}
	_ = v.Close()
	if _, err := s.Reindex(ctx, []store.Reindexed{{Type: types[0], ID: "a", Tx: 1, Epoch: 6}}, store.IndexEpochRider(6)); err != nil {
		t.Fatal(err)
	}
	expect(s, 6, "indexed anew")
	put(s, "c", 6)
	expect(s, 6, "after a write behind that")
	earlier := open(5)
	expect(earlier, 6, "opened by an earlier release")
	if err := earlier.Load(ctx, store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "d", Resource: document(types[0], 1, 0), Epoch: 5}}, Bulk: true}); err != nil {
		t.Fatal(err)
	}
	expect(earlier, store.Mixed, "after a load of that one")
	_ = earlier.Close()
	later := open(6)
	defer later.Close()
	expect(later, store.Mixed, "opened by the later one again")
	put(later, "e", 6)
	expect(later, store.Mixed, "after a write of that one")
}

// The first write of another program marks the data store in its own commit, so also when its outcome is not known.
func TestIndexEpoch_isMixedByWhateverCommitTakesEffect(t *testing.T) {
	t.Parallel()
	inner, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	engine := kvtest.NewFaulty(inner)
	for name, c := range map[string]struct {
		fail func()
		want uint32
	}{"before": {func() { engine.FailBefore(1) }, 5}, "after": {func() { engine.FailAfter(1) }, store.Mixed}} {
		space, err := engine.Open(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		write := store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "a", Resource: document(types[0], 1, 0)}}}
		for epoch := uint32(5); epoch < 7; epoch++ {
			s, err := store.Open(t.Context(), space, store.Options{Epoch: epoch})
			if err != nil {
				t.Fatal(err)
			}
			if epoch == 6 {
				c.fail()
			}
			if _, err := s.Commit(t.Context(), write); (err != nil) != (epoch == 6) {
				t.Errorf("%s: %v", name, err)
			}
			if epoch == 6 {
				if got, err := s.IndexEpoch(t.Context()); err != nil || got != c.want {
					t.Errorf("%s: epoch %d, %v, want %d", name, got, err, c.want)
				}
				if _, err := s.Commit(t.Context(), write); err != nil {
					t.Fatal(err)
				}
				if got, err := s.IndexEpoch(t.Context()); err != nil || got != store.Mixed {
					t.Errorf("%s, and then once more: epoch %d, %v", name, got, err)
				}
			}
			_ = s.Close()
		}
	}
}

// A data store that was written before there was an index is of epoch 0, a load's first step of that of the store.
func TestIndexEpoch_ofOldAndOfLoaded(t *testing.T) {
	t.Parallel()
	for opened, want := range map[uint32]uint32{0: 0, 7: 7} {
		_, space := memorySpace(t)
		s, err := store.Open(t.Context(), space, store.Options{Epoch: opened})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Load(t.Context(), newcomers(rand.New(rand.NewPCG(1, 1)), "x", 20)); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if s, err = store.Open(t.Context(), space, store.Options{Epoch: 8}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.IndexEpoch(t.Context()); err != nil || got != want {
			t.Errorf("opened with %d: %d, %v", opened, got, err)
		}
		_ = s.Close()
	}
}
