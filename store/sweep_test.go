package store_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/store"
)

// TestSweep_erasesWhatNobodyTook lets an upload fail half way and looks for what it left.
func TestSweep_erasesWhatNobodyTook(t *testing.T) {
	t.Parallel()
	d, c := newDisk(), &clock{}
	defer d.stop()
	c.Store(1_700_000_000_000)
	space := d.space()
	s := open(space, c)
	large := store.Write{Op: store.Create, Type: types[0], ID: "a", Resource: document(types[0], 1, 2<<20)}
	if _, err := s.Commit(t.Context(), store.Transaction{Writes: []store.Write{large}}); err != nil {
		t.Fatal(err)
	}
	before := dump(t, space)
	if _, err := s.Commit(t.Context(), store.Transaction{Writes: []store.Write{large}}); !fault.Is(err, fault.Exists) {
		t.Fatal(err)
	}
	if err := same("after a refused commit", string(dump(t, space)), string(before), nil); err != nil {
		t.Error(err)
	}
	// What a process leaves that dies between the upload and the commit.
	died := func() {
		ref := append([]byte{0xff, 0xff}, make([]byte, 12)...)
		err := space.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) {
			b := &kv.Batch{}
			b.Set(append([]byte("u"), ref...), []byte{0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0}) // 1_700_000_000_000
			b.Set(append(append([]byte("o"), ref...), 0, 0), []byte("left"))
			return b, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	died()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		wait        int64
		alone, gone bool
	}{{0, false, false}, {3_600_001, false, true}, {-3_600_001, true, true}} {
		died()
		c.Add(at.wait)
		s, err := store.Open(t.Context(), space, store.Options{Now: c.now, Alone: at.alone})
		if err != nil {
			t.Fatal(err)
		}
		if gone := bytes.Equal(dump(t, space), before); gone != at.gone {
			t.Errorf("%+v: gone %v", at, gone)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOpen_canBeReadThoughNothingCanBeErased opens a data store with what nobody took on a disk that is nearly full.
func TestOpen_canBeReadThoughNothingCanBeErased(t *testing.T) {
	t.Parallel()
	_, space := memorySpace(t)
	err := space.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) {
		b := &kv.Batch{}
		b.Set(append([]byte{'u', 0xff, 0xff}, make([]byte, 12)...), make([]byte, 8))
		return b, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	disk := &full{Space: space}
	disk.is.Store(true)
	s, err := store.Open(t.Context(), disk, store.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Sweep(t.Context()); !errors.Is(err, kv.ErrUntouched) {
		t.Errorf("a sweep: %v", err)
	}
}

// TestSweep_erasesWhatCouldNotBeErased lets a commit fail, and then the erasing of what it has uploaded.
func TestSweep_erasesWhatCouldNotBeErased(t *testing.T) {
	t.Parallel()
	faulty, space := memorySpace(t)
	c := &clock{}
	s := open(space, c)
	defer s.Close()
	large := store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "a", Resource: document(types[0], 1, 9<<20)}}}
	uploads := 0
	faulty.Hook(func(kvtest.Write) kvtest.Fault {
		if uploads++; uploads <= 2 { // the two batches of the upload
			return kvtest.NoFault
		}
		return kvtest.Before
	})
	if _, err := s.Commit(t.Context(), large); !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	if n := rowsOf(t, space, "o\xff\xff"); uploads < 4 || n == 0 {
		t.Fatalf("%d writes, %d rows are left", uploads, n)
	}
	faulty.Hook(nil)
	if _, err := s.Commit(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	both := rowsOf(t, space, "o\xff\xff")
	c.Add(3_600_001)
	if err := s.SweepAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := rowsOf(t, space, "o\xff\xff"); 2*n != both || rowsOf(t, space, "u") != 0 {
		t.Errorf("of %d rows %d are left", both, n)
	}
}

// TestSweep_findsABatchThatIsAppliedLate gives an upload up whose last batch the engine applies afterwards.
func TestSweep_findsABatchThatIsAppliedLate(t *testing.T) {
	t.Parallel()
	_, space := memorySpace(t)
	late := &laggard{Space: space, nth: 2}
	s, err := store.Open(t.Context(), late, store.Options{Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	large := store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "a", Resource: document(types[0], 1, 9<<20)}}}
	if _, err := s.Commit(t.Context(), large); !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	if err := space.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) { return late.batch, nil }); err != nil {
		t.Fatal(err)
	}
	if rowsOf(t, space, "o") == 0 {
		t.Fatal("nothing came late")
	}
	if err := s.Sweep(t.Context()); err != nil || rowsOf(t, space, "o") != 0 || rowsOf(t, space, "u") != 0 {
		t.Errorf("%v; %d rows are left", err, rowsOf(t, space, "o"))
	}
}

// laggard is a space that keeps its nth update back.
type laggard struct {
	kv.Space
	nth   int
	batch *kv.Batch
}

func (l *laggard) Update(ctx context.Context, lock [][]byte, fn func(kv.Locked) (*kv.Batch, error)) error {
	if l.nth--; l.nth != 0 {
		return l.Space.Update(ctx, lock, fn)
	}
	l.batch, _ = fn(kv.Locked{})
	return fault.Errorf(fault.Unavailable, "test", "the connection is lost")
}

// TestSweepAll_waitsForWhatIsOnItsWay lets a large resource wait for its commit: it is neither erased nor passed over.
func TestSweepAll_waitsForWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, space := memorySpace(t)
		s, err := store.Open(t.Context(), space, store.Options{Alone: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		release, swept := make(chan struct{}), make(chan error, 1)
		var all sync.WaitGroup
		for _, one := range []store.Transaction{
			{Report: func([]store.Result) []store.Rider { <-release; return nil }}, // the other one waits behind it
			{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "a", Resource: document(types[0], 1, 2<<20)}}},
		} {
			all.Go(func() {
				if _, err := s.Commit(t.Context(), one); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		bounded, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.SweepAll(bounded); !fault.Is(err, fault.Unavailable) {
			t.Errorf("while it is on its way: %v", err)
		}
		go func() { swept <- s.SweepAll(t.Context()) }()
		time.Sleep(time.Minute)
		select {
		case err := <-swept:
			t.Errorf("it did not wait: %v", err)
		default:
		}
		close(release)
		all.Wait()
		if err := <-swept; err != nil {
			t.Error(err)
		}
		if rowsOf(t, space, "o") == 0 || rowsOf(t, space, "u") != 0 {
			t.Error("it was not taken")
		}
	})
}

// rowsOf counts the rows whose keys begin with a prefix.
func rowsOf(t *testing.T, space kv.Space, prefix string) (n int) {
	t.Helper()
	snap, err := space.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close()
	it := snap.Scan(t.Context(), kv.Prefix([]byte(prefix)))
	for it.Next() {
		n++
	}
	if err := errors.Join(it.Err(), it.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}
