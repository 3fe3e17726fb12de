package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

// done is a transaction that was acknowledged.
type done struct {
	t       store.Transaction
	results []store.Result
	alone   int // the writer's number for the unique entry that its guard protects, or 0
}

// TestCommit_manyWriters lets writers race through two Stores over one space, as two nodes would, and replays what was
// acknowledged in the order of TxIDs: every result, precondition and guard must hold at its place.
func TestCommit_manyWriters(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			race(t, seed, 1+int(seed%2))
		})
	}
}

func race(t *testing.T, seed uint64, nodes int) {
	ctx := t.Context()
	d, c := newDisk(), &clock{}
	c.Store(1_700_000_000_000)
	stores := make([]*store.Store, nodes)
	for i := range stores {
		stores[i] = open(d.space(), c)
	}
	var mu sync.Mutex
	var all []done
	var fixed []store.Point
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			s := stores[w%nodes]
			for i := range 40 {
				c.Add(int64(rng.IntN(5) - 2))
				if rng.IntN(12) == 0 {
					at, err := s.Fix(ctx)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					fixed = append(fixed, at)
					mu.Unlock()
					continue
				}
				one := randomTransaction(rng, w*1000+i)
				if rng.IntN(2) == 0 {
					one.alone = 1 + i/4 // the same as other writers at about the same time
					guardUnique(&one, w*1000+i)
				}
				var err error
				if one.results, err = s.Commit(ctx, one.t); err != nil {
					if k := fault.KindOf(err); k != fault.Exists && k != fault.Precondition && k != fault.Conflict {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				all = append(all, one)
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	m := replay(t, all, fixed)
	v, err := stores[0].Latest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if v.Tx() != m.tx {
		t.Errorf("the head is %d; %d were acknowledged", v.Tx(), m.tx)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	for tx := store.TxID(0); tx <= m.tx; tx += 1 + m.tx/10 {
		v, err := stores[nodes-1].At(ctx, tx)
		if err != nil {
			t.Fatal(err)
		}
		if err := differ(ctx, m, v); err != nil {
			t.Error(err)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, s := range stores {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	d.stop()
}

func randomTransaction(rng *rand.Rand, seed int) done {
	var one done
	seen := map[name]bool{}
	for range 1 + rng.IntN(3) {
		w := store.Write{Op: store.Put, Type: types[rng.IntN(2)], ID: string(rune('a' + rng.IntN(6)))}
		if seen[name{w.Type, w.ID}] {
			continue
		}
		seen[name{w.Type, w.ID}] = true
		switch rng.IntN(8) {
		case 0:
			w.Op = store.Delete
		case 1:
			w.Op = store.Create
		case 2:
			w.IfMatch = 1 + rng.Uint64N(9)
		case 3:
			w.IfNoneMatch = true
		}
		if w.Op != store.Delete {
			w.Resource = document(w.Type, seed, 0)
			w.Entries = []store.Entry{{Param: uint16(1 + rng.IntN(params)), Value: values[rng.IntN(len(values))]}}
		}
		one.t.Writes = append(one.t.Writes, w)
	}
	one.t.Bulk = rng.IntN(2) == 0
	return one
}

// guardUnique makes the transaction one that creates a Patient only if no live one has its value.
func guardUnique(one *done, seed int) {
	value := []byte{'u', byte(one.alone)}
	patient := types[2]
	none := func(ctx context.Context, v *store.View) error {
		h := v.Hits(ctx, patient, 1, store.Equal(value), false)
		defer func() { _ = h.Close() }()
		if h.Next() {
			return fault.Errorf(fault.Conflict, "test", "there is one")
		}
		return h.Err()
	}
	one.t.Writes = append(one.t.Writes, store.Write{Op: store.Put, Type: patient, ID: fmt.Sprintf("u%d", seed), Resource: document(patient, 1, 0),
		Entries: []store.Entry{{Param: 1, Value: value}}})
	// Its caller has looked at the past, where there was none.
	one.t.Guards = append(one.t.Guards, store.Guard{Types: types[2:], AsOf: 0, Check: none})
}

// replay applies what was acknowledged to a model, in the order of TxIDs.
func replay(t *testing.T, all []done, fixed []store.Point) *model {
	m := newModel()
	alone := map[int]bool{}
	slices.SortFunc(all, func(a, b done) int { return cmp.Compare(txOf(a), txOf(b)) })
	for _, one := range all {
		tx := txOf(one)
		if tx == 0 {
			continue // it changed nothing
		}
		if tx != m.tx+1 {
			t.Fatalf("transaction %d follows %d", tx, m.tx)
		}
		if one.alone != 0 && alone[one.alone] {
			t.Fatalf("transaction %d is the second with value %d", tx, one.alone)
		}
		alone[one.alone] = true
		if kind, failed := m.fails(one.t); failed {
			t.Fatalf("transaction %d should have failed: %s", tx, kind)
		}
		at := instantOf(one)
		if at < m.instant {
			t.Fatalf("the instant of %d goes back", tx)
		}
		want := m.apply(one.t, at)
		for i := range want {
			if want[i].Change == store.None { // its tombstone has been compared when it was made
				one.results[i] = want[i]
			}
		}
		if err := same("results", one.results, want, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range fixed {
		for i, at := range m.instants {
			if tx := store.TxID(i + 1); (tx <= f.Tx) != (at <= f.Instant) {
				t.Fatalf("transaction %d at %d, but %d was fixed at %d", tx, at, f.Tx, f.Instant)
			}
		}
	}
	return m
}

func txOf(one done) (tx store.TxID) {
	for _, r := range one.results {
		if r.Change != store.None {
			tx = r.Tx
		}
	}
	return tx
}

func instantOf(one done) (at fhir.Instant) {
	for _, r := range one.results {
		if r.Change != store.None {
			at = r.Instant
		}
	}
	return at
}
