package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/kv"
	"tarn/store"
)

func TestQueue_interactiveFirstAndBulkItsShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := store.NewTestQueue()
		bulk, bulkTime, total := 0, time.Duration(0), time.Duration(0)
		for i := range 400 {
			q.Add(fmt.Sprint("interactive ", i), false, 1000)
			if i == 0 {
				for j := range 400 {
					q.Add(fmt.Sprint("bulk ", j), true, 100<<10)
				}
			}
			group := q.Take(0)
			if group[0] != fmt.Sprint("interactive ", i) {
				t.Fatalf("interactive transaction %d is not first: %q", i, group)
			}
			d := time.Millisecond
			if len(group) > 2 {
				t.Fatalf("more than one large bulk transaction beside interactive ones: %q", group)
			}
			if len(group) == 2 {
				bulk++
				d = 10 * time.Millisecond
				bulkTime += d
			}
			q.Spent(d, len(group) == 2)
			total += d
			// Another arrives while this group is written, so that both queues always have work.
		}
		if share := float64(bulkTime) / float64(total); share < 0.15 || share > 0.35 {
			t.Errorf("bulk had %.2f of the time in %d groups", share, bulk)
		}
	})
}

func TestQueue_orderAndSizes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := store.NewTestQueue()
		drop := q.Add("left", false, 10)
		q.Add("a", false, 10)
		q.Add("huge", false, 9<<20)
		q.Add("b", false, 10)
		if !drop() {
			t.Error("what was not taken could not be dropped")
		}
		equal(t, q.Take(0, "a"), "a")
		equal(t, q.Take(0), "a")
		equal(t, q.Take(0), "huge")
		drop = q.Add("c", true, 10)
		equal(t, q.Take(0), "b")
		equal(t, q.Take(0), "c")
		if drop() {
			t.Error("what was taken could be dropped")
		}
		q.Add("d", true, 100<<10)
		q.Add("e", true, 100<<10)
		equal(t, q.Take(0), "d")
		time.Sleep(2 * time.Second) // nobody interactive for a while: bulk groups grow
		q.Add("f", true, 100<<10)
		equal(t, q.Take(0), "e", "f")
		q.Close()
		equal(t, q.Take(0))
	})
}

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// slow is a space whose updates wait for a gate.
type slow struct {
	kv.Space
	arrived, gate chan struct{}
}

func (s *slow) Update(ctx context.Context, lock [][]byte, fn func(kv.Locked) (*kv.Batch, error)) error {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	<-s.gate
	return s.Space.Update(ctx, lock, fn)
}

func TestCommit_contextAndClose(t *testing.T) {
	t.Parallel()
	d := newDisk()
	defer d.stop()
	space := &slow{d.space(), make(chan struct{}, 1), make(chan struct{})}
	s := open(space, &clock{})
	put := func(ctx context.Context, id string) error {
		_, err := s.Commit(ctx, store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: id, Resource: document(types[0], 1, 0)}}})
		return err
	}
	first := make(chan error)
	go func() { first <- put(t.Context(), "first") }()
	<-space.arrived // the committer has the first and waits, so it takes no second one
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	if err := put(ctx, "second"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(space.gate)
	if err := <-first; err != nil {
		t.Error(err)
	}
	var many sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		many.Go(func() { results[i] = put(t.Context(), fmt.Sprint("m", i)) })
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	many.Wait()
	v, err := s.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Read(t.Context(), types[0], "second"); !fault.Is(err, fault.NotFound) {
		t.Errorf("what its caller left was committed: %v", err)
	}
	for i, err := range results {
		_, there := v.Read(t.Context(), types[0], fmt.Sprint("m", i))
		if err == nil != (there == nil) || err != nil && !fault.Is(err, fault.Unavailable) {
			t.Errorf("commit %d ended with %v, and it reads %v", i, err, there)
		}
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if err := put(t.Context(), "late"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a commit after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
