package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

// newcomers are n resources of several types, some of them kept apart, with index entries and riders.
func newcomers(rng *rand.Rand, name string, n int) store.Transaction {
	var tr store.Transaction
	for i := range n {
		typ := types[rng.IntN(len(types))]
		size := 0
		if i%97 == 5 {
			size = 70 << 10
		}
		w := store.Write{Op: store.Put, Type: typ, ID: fmt.Sprintf("%s-%d-%d", name, rng.IntN(1000), i), Resource: document(typ, i, size), Epoch: 3}
		for range rng.IntN(12) {
			value := bytes.Repeat([]byte{byte(rng.IntN(3))}, rng.IntN(4))
			if rng.IntN(50) == 0 {
				value = bytes.Repeat([]byte("long"), 80)
			}
			w.Entries = append(w.Entries, store.Entry{Param: uint16(rng.IntN(4)), Value: value})
		}
		if i%2 == 0 {
			w.Prepare()
		}
		tr.Writes = append(tr.Writes, w)
	}
	tr.Riders = []store.Rider{{Key: []byte("z"), Value: []byte(name)}, {Key: []byte("b"), Value: []byte{}}, {Key: []byte("z"), Value: []byte(name + "!")}}
	return tr
}

func memorySpace(t *testing.T) (*kvtest.Faulty, kv.Space) {
	t.Helper()
	engine, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	faulty := kvtest.NewFaulty(engine)
	space, err := faulty.Open(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	return faulty, space
}

// TestLoad_writesWhatCommitWrites loads and commits the same transactions: every row is the same.
func TestLoad_writesWhatCommitWrites(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		var rows [2]string
		for way := range rows {
			rng, c := rand.New(rand.NewPCG(seed, 1)), &clock{}
			c.Store(1_700_000_000_000)
			_, space := memorySpace(t)
			s, err := store.Open(t.Context(), space, store.Options{Now: c.now, Epoch: 3})
			if err != nil {
				t.Fatal(err)
			}
			for step := range 3 {
				tr := newcomers(rng, fmt.Sprint("step", step), 1+rng.IntN(250))
				var err error
				if way == 0 {
					_, err = s.Commit(t.Context(), tr)
				} else {
					err = s.Load(t.Context(), tr)
				}
				if err != nil {
					t.Fatal(err)
				}
				if step == 1 {
					if _, err := s.Fix(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			rows[way] = string(dump(t, space))
		}
		if err := same("rows", rows[1], rows[0], nil); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestLoad_refuses(t *testing.T) {
	t.Parallel()
	_, space := memorySpace(t)
	s := open(space, &clock{})
	defer s.Close()
	tr := newcomers(rand.New(rand.NewPCG(1, 1)), "x", 50)
	if err := s.Load(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	again := newcomers(rand.New(rand.NewPCG(2, 2)), "y", 50)
	again.Writes = append(again.Writes, tr.Writes[7])
	if err := s.Load(t.Context(), again); !errors.Is(err, store.ErrCommitInstead) {
		t.Errorf("a resource that is there: %v", err)
	}
	var refused *store.WriteError
	twice := store.Transaction{Writes: []store.Write{tr.Writes[0], tr.Writes[0]}}
	if err := s.Load(t.Context(), twice); !errors.As(err, &refused) || refused.Write != 1 {
		t.Errorf("a resource twice: %v", err)
	}
	conditional := store.Transaction{Writes: []store.Write{{Op: store.Delete, Type: types[0], ID: "a"}}}
	if err := s.Load(t.Context(), conditional); !fault.Is(err, fault.Invalid) {
		t.Errorf("a deletion: %v", err)
	}
	for name, one := range map[string]store.Transaction{
		"once":   {Once: [][]byte{[]byte("once")}},
		"report": {Report: func([]store.Result) []store.Rider { return nil }},
	} {
		if err := s.Load(t.Context(), one); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Load(t.Context(), store.Transaction{Riders: []store.Rider{{Key: []byte("z")}}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a rider's deletion: %v", err)
	}
	head, err := s.Head(t.Context())
	if err != nil || head.Tx != 1 {
		t.Errorf("head %+v, %v", head, err)
	}
}

// TestLoad_isThereWholeOrNotAtAll fails a load on both sides; the rider tells which it was, and the store goes on.
func TestLoad_isThereWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
		faulty, space := memorySpace(t)
		s := open(space, &clock{})
		faulty.Hook(func(w kvtest.Write) kvtest.Fault {
			if w.N == 1 {
				return side
			}
			return kvtest.NoFault
		})
		tr := newcomers(rand.New(rand.NewPCG(3, 3)), "x", 300)
		err := s.Load(t.Context(), tr)
		if !fault.Is(err, fault.Unavailable) || errors.Is(err, store.ErrCommitInstead) {
			t.Errorf("side %d: %v", side, err)
		}
		rider, err := s.Rider(t.Context(), []byte("z"))
		if err != nil || (rider != nil) != (side == kvtest.After) {
			t.Errorf("side %d: rider %q, %v", side, rider, err)
		}
		v, err := s.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Read(t.Context(), tr.Writes[9].Type, tr.Writes[9].ID)
		if (err == nil) != (side == kvtest.After) {
			t.Errorf("side %d: %v", side, err)
		}
		_ = v.Close()
		if err := s.Load(t.Context(), newcomers(rand.New(rand.NewPCG(4, 4)), "y", 100)); err != nil {
			t.Errorf("side %d: the next load: %v", side, err)
		}
		_ = s.Close()
	}
}

// meeting is a space that calls back when a load has begun.
type meeting struct {
	kv.Space
	begun func()
}

func (m *meeting) Update(ctx context.Context, lock [][]byte, fn func(kv.Locked) (*kv.Batch, error)) error {
	return m.Space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		b, err := fn(tx)
		if err != nil || b.IsEmpty() || b.Sorted() == nil {
			return b, err
		}
		var seq iter.Seq2[kv.Entry, error] = func(yield func(kv.Entry, error) bool) {
			m.begun()
			b.Sorted()(yield)
		}
		return kv.Bulk(seq), nil
	})
}

// TestLoad_givesWay lets a write come while a load is under way: the load breaks off, the write is there, and reads see
// nothing of the load.
func TestLoad_givesWay(t *testing.T) {
	t.Parallel()
	_, inner := memorySpace(t)
	m := &meeting{Space: inner}
	s := open(m, &clock{})
	defer s.Close()
	done := make(chan error, 1)
	m.begun = func() {
		go func() {
			_, err := s.Commit(t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Create, Type: types[0], ID: "live", Resource: document(types[0], 1, 0)}}})
			done <- err
		}()
		for !s.Contended() {
		}
	}
	tr := newcomers(rand.New(rand.NewPCG(5, 5)), "x", 500)
	if err := s.Load(t.Context(), tr); !errors.Is(err, store.ErrCommitInstead) {
		t.Errorf("the load: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Load(t.Context(), tr); !errors.Is(err, store.ErrCommitInstead) { // not yet quiet
		t.Errorf("the next load: %v", err)
	}
	if _, err := s.Commit(t.Context(), tr); err != nil {
		t.Error(err)
	}
	v, err := s.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	live, err := v.Read(t.Context(), types[0], "live")
	if err != nil || live.Tx != 1 {
		t.Errorf("the write has tx %d, %v", live.Tx, err)
	}
	census, err := v.Census(t.Context(), r4.Code(types[0]))
	if err != nil || census.Live() < 2 {
		t.Errorf("census %+v, %v", census, err)
	}
}
