package store_test

import (
	"context"
	"errors"

	"pgregory.net/rapid"

	"tarn/fhir"
	"tarn/store"
)

func reindexOne(ctx context.Context, t *rapid.T, s *store.Store, m *model) {
	var list []store.Reindexed
	want := 0
	for _, typ := range types {
		for _, r := range m.byType[typ] {
			if rapid.Bool().Draw(t, "reindex") {
				continue
			}
			v := &r.versions[len(r.versions)-1]
			e := store.Reindexed{Type: typ, ID: v.ID, Tx: v.Tx, Epoch: 9, Entries: []store.Entry{{Param: 2, Value: rapid.SampledFrom(values).Draw(t, "value")}}}
			if rapid.IntRange(0, 3).Draw(t, "late") == 0 {
				e.Tx--
			}
			list = append(list, e)
			if e.Tx == v.Tx && !v.Deleted {
				v.entries, v.epoch = kept(e.Entries), 9
				want++
			}
		}
	}
	got, err := s.Reindex(ctx, list)
	if err := same("reindexed", got, want, err); err != nil {
		t.Fatal(err)
	}
}

// eraseOne erases some resources: in a view that is pinned nothing changes.
func eraseOne(ctx context.Context, t *rapid.T, s *store.Store, m *model, c *clock) {
	var e store.Erasure
	seen := map[name]bool{}
	for range rapid.IntRange(1, 4).Draw(t, "erased") {
		n := name{rapid.SampledFrom(types).Draw(t, "type"), rapid.SampledFrom([]string{"a", "b", "c", "d", "e.f", "never"}).Draw(t, "id")}
		if !seen[n] {
			seen[n] = true
			e.Resources = append(e.Resources, store.Name{Type: n.typ, ID: n.id})
		}
	}
	before := m.clone()
	results, err := s.Erase(ctx, e)
	var tr store.Transaction
	for _, r := range e.Resources {
		tr.Writes = append(tr.Writes, store.Write{Op: store.Erase, Type: r.Type, ID: r.ID})
	}
	want := m.apply(tr, m.after(min(max(fhir.Instant(c.Load()), 0), 253402300799999)))
	if err := same("results", results, want, err); err != nil {
		t.Fatal(err)
	}
	least := store.TxID(0) // it would see through earlier veils too
	for _, list := range before.byType {
		for _, r := range list {
			least = max(least, r.veil)
		}
	}
	pinned, err := s.Pinned(ctx, store.TxID(rapid.Uint64Range(uint64(least), uint64(before.tx)).Draw(t, "pinned")))
	if err != nil {
		t.Fatal(err)
	}
	err = differ(ctx, before, pinned)
	if err := errors.Join(err, pinned.Close()); err != nil {
		t.Fatalf("pinned: %v", err)
	}
}

// purgeOne removes what was erased.
func purgeOne(ctx context.Context, t *rapid.T, s *store.Store, m *model) {
	var places []store.Place
	for _, typ := range types {
		for i := range m.byType[typ] {
			if rapid.Bool().Draw(t, "purge") {
				places = append(places, store.Place{Type: typ, Ordinal: store.Ordinal(i)})
				m.purge(typ, store.Ordinal(i))
			}
		}
	}
	if err := s.Purge(ctx, places, m.tx); err != nil {
		t.Fatal(err)
	}
}

// trimOne removes history.
func trimOne(ctx context.Context, t *rapid.T, s *store.Store, m *model) {
	keep := store.Keep{Horizon: store.TxID(rapid.Uint64Range(0, uint64(m.tx)).Draw(t, "horizon")), Versions: rapid.IntRange(0, 3).Draw(t, "versions")}
	removed := 0
	for at := (store.Place{}); ; {
		next, n, err := s.Trim(ctx, keep, at)
		if err != nil {
			t.Fatal(err)
		}
		removed += n
		if at = next; at == (store.Place{}) {
			break
		}
	}
	if err := same("removed", removed, m.trim(keep), nil); err != nil {
		t.Fatal(err)
	}
}
