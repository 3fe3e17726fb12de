package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"

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
	expect(s, 5, "after a write of the later one")
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
