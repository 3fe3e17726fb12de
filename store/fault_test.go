package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/fault"
	"tarn/fhir"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

// tale is a fixed list of transactions with riders that tell which were applied; the large ones upload.
func tale() []store.Transaction {
	rng := rand.New(rand.NewPCG(7, 7))
	var list []store.Transaction
	for i := range 12 {
		one := randomTransaction(rng, i).t
		for j := range one.Writes {
			w := &one.Writes[j]
			w.IfMatch, w.IfNoneMatch = 0, false
			if w.Op == store.Create {
				w.Op = store.Put
			}
		}
		switch i {
		case 4:
			one.Writes = append(one.Writes, store.Write{Op: store.Put, Type: types[2], ID: "large", Resource: document(types[2], i, 1100<<10)})
		case 11: // last, since every comparison reads it
			one.Writes = append(one.Writes, store.Write{Op: store.Put, Type: types[2], ID: "large", Resource: document(types[2], i, 9<<20)})
		case 7:
			one.Writes = append(one.Writes, store.Write{Op: store.Put, Type: types[2], ID: "large", Resource: document(types[2], i, 200<<10)})
		}
		one.Riders = []store.Rider{{Key: fmt.Appendf(nil, "done/%02d", i), Value: []byte{1}}}
		list = append(list, one)
	}
	return list
}

// TestCommit_failsOnBothSides fails every write of a tale once before and once after it happened: an acknowledged
// transaction stays, a failed one is there whole (its rider tells) or not at all, and the store goes on.
func TestCommit_failsOnBothSides(t *testing.T) {
	t.Parallel()
	for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
		for n := 1; ; n++ {
			writes := tellFaulty(t, n, side)
			if writes < n {
				break
			}
		}
	}
}

func tellFaulty(t *testing.T, n int, side kvtest.Fault) (writes int) {
	ctx := t.Context()
	inner, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	faulty := kvtest.NewFaulty(inner)
	space, err := faulty.Open(ctx, "ds-fault")
	if err != nil {
		t.Fatal(err)
	}
	c, m := &clock{}, newModel()
	c.Store(1_700_000_000_000)
	s := open(space, c)
	failures := 0
	if side == kvtest.Before {
		faulty.FailBefore(n)
	} else {
		faulty.FailAfter(n)
	}
	for i, one := range tale() {
		c.Add(1)
		results, err := s.Commit(ctx, one)
		applied := err == nil
		if err != nil {
			failures++
			if !fault.Is(err, fault.Unavailable) {
				t.Fatalf("write %d: %v", n, err)
			}
			rider, err := s.Rider(ctx, one.Riders[0].Key)
			if err != nil {
				t.Fatal(err)
			}
			applied = rider != nil
		}
		if applied {
			// Each transaction is a group of its own, so its instant is the clock's.
			want := m.apply(one, m.after(fhir.Instant(c.Load())))
			if err == nil {
				if err := same("results", results, want, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		v, err := s.Latest(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if v.Tx() != m.tx {
			t.Fatalf("write %d, transaction %d: the head is %d, not %d", n, i, v.Tx(), m.tx)
		}
		if err := differ(ctx, m, v); err != nil {
			t.Fatalf("write %d: %v", n, err)
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	writes = faulty.Writes()
	if failures > 1 || failures == 0 && n <= 12 {
		t.Errorf("write %d: %d transactions failed", n, failures)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := faulty.Close(); err != nil {
		t.Error(err)
	}
	return writes
}

// TestOpen_afterPowerFailure crashes while writers are at work and keeps only some of what was not synced: what was
// acknowledged is there, and each view that was given out before answers the same.
func TestOpen_afterPowerFailure(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		ctx := t.Context()
		d, c := newDisk(), &clock{}
		c.Store(1_700_000_000_000)
		s := open(d.space(), c)
		acknowledged := make(chan store.TxID, 1000)
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			rng := rand.New(rand.NewPCG(seed, 1))
			for i := 0; ctx.Err() == nil; i++ {
				one := randomTransaction(rng, i)
				if r, err := s.Commit(ctx, one.t); err == nil {
					select {
					case acknowledged <- txOf(done{results: r}):
					default:
					}
				}
			}
		}()
		var last store.TxID
		for range 5 + seed {
			last = max(last, <-acknowledged)
		}
		v, err := s.Latest(ctx)
		if err != nil {
			t.Fatal(err)
		}
		before := listing(t, v)
		rng := rand.New(rand.NewPCG(seed, 2))
		crashed := &disk{fs: d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed * 5), RNG: rng})}
		cancel()
		<-ended
		s2 := open(crashed.start(), c)
		head, err := s2.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if head.Tx < last || head.Tx < v.Tx() {
			t.Fatalf("the head is %d; %d was acknowledged and %d shown", head.Tx, last, v.Tx())
		}
		v2, err := s2.At(t.Context(), v.Tx())
		if err != nil {
			t.Fatal(err)
		}
		if err := same("view", listing(t, v2), before, nil); err != nil {
			t.Fatal(err)
		}
		for _, close := range []func() error{v.Close, v2.Close, s.Close, s2.Close} {
			if err := close(); err != nil {
				t.Fatal(err)
			}
		}
		d.stop()
		crashed.stop()
	}
}

// listing is everything that a view shows.
func listing(t *testing.T, v *store.View) (lines []string) {
	for _, typ := range types {
		s := v.Scan(context.Background(), typ, 0, store.End)
		for s.Next() {
			lines = append(lines, fmt.Sprintf("%d %s", s.Ordinal(), s.Body()))
		}
		if s.Err() != nil {
			t.Fatal(s.Err())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for row, err := range v.Changes(context.Background(), typ, 0, v.Tx()) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprint(row))
		}
	}
	return lines
}
