package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"tarn/fault"
	"tarn/store"
)

// TestCommit_givenGoesOnFromTheLastPlaceOnly lets many move one place on, each from where it saw it: no step is lost.
func TestCommit_givenGoesOnFromTheLastPlaceOnly(t *testing.T) {
	t.Parallel()
	d := newDisk()
	defer d.stop()
	s := open(d.space(), &clock{})
	defer func() { _ = s.Close() }()
	key := []byte("place")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for done := 0; done < 20; {
				seen, err := s.Rider(t.Context(), key)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Commit(t.Context(), store.Transaction{Given: &store.Rider{Key: key, Value: seen},
					Riders: []store.Rider{{Key: key, Value: append(append([]byte{}, seen...), '.')}}})
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrStale) || !fault.Is(err, fault.Conflict):
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if got, err := s.Rider(t.Context(), key); err != nil || string(got) != strings.Repeat(".", 160) {
		t.Errorf("%d steps of 160, %v", len(got), err)
	}
}

func TestGiven_leavesAllAsItWasWhereThePlaceIsAnother(t *testing.T) {
	t.Parallel()
	_, space := memorySpace(t)
	s := open(space, &clock{})
	defer s.Close()
	tr := newcomers(rand.New(rand.NewPCG(1, 1)), "x", 50)
	key := []byte("z")
	for name, given := range map[string]*store.Rider{"not there": {Key: key, Value: []byte("a")}, "empty": {Key: key, Value: []byte{}}} {
		tr.Given, tr.Bulk = given, true // nobody waits, or the load would not be tried
		if err := s.Load(t.Context(), tr); !errors.Is(err, store.ErrStale) {
			t.Errorf("load, %s: %v", name, err)
		}
		if _, err := s.Commit(t.Context(), tr); !errors.Is(err, store.ErrStale) {
			t.Errorf("commit, %s: %v", name, err)
		}
	}
	if head, err := s.Head(t.Context()); err != nil || head.Tx != 0 {
		t.Errorf("the head is %d (%v)", head.Tx, err)
	}
	for n := range uint64(4) {
		tr := newcomers(rand.New(rand.NewPCG(n, 2)), fmt.Sprint("y", n), 50)
		value, err := s.Rider(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		tr.Given, tr.Bulk = &store.Rider{Key: key, Value: value}, true
		if n%2 == 0 {
			err = s.Load(t.Context(), tr)
		} else {
			_, err = s.Commit(t.Context(), tr)
		}
		if err != nil {
			t.Errorf("step %d: %v", n, err)
		}
	}
	tr.Given = &store.Rider{Key: make([]byte, store.MaxRiderKey+1)}
	if _, err := s.Commit(t.Context(), tr); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a long key: %v", err)
	}
}

// TestCommit_seesTheRidersThatItsGroupDeletes commits in one group who deletes a rider, and then those to whom it matters.
func TestCommit_seesTheRidersThatItsGroupDeletes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, space := memorySpace(t)
		s := open(space, &clock{})
		defer s.Close()
		key, value := []byte("place"), []byte("1")
		if _, err := s.Commit(t.Context(), store.Transaction{Riders: []store.Rider{{Key: key, Value: value}}}); err != nil {
			t.Fatal(err)
		}
		release, errs := make(chan struct{}), make([]error, 4)
		var all sync.WaitGroup
		for i, one := range []store.Transaction{
			{Report: func([]store.Result) []store.Rider { <-release; return nil }}, // the others wait behind it, and make a group
			{Riders: []store.Rider{{Key: key}}},
			{Given: &store.Rider{Key: key, Value: value}, Riders: []store.Rider{{Key: []byte("went on"), Value: value}}},
			{Once: [][]byte{key}, Riders: []store.Rider{{Key: []byte("was done"), Value: value}}},
		} {
			all.Go(func() { _, errs[i] = s.Commit(t.Context(), one) })
			synctest.Wait()
		}
		close(release)
		all.Wait()
		if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], store.ErrStale) || errs[3] != nil {
			t.Errorf("%v", errs)
		}
		if got, err := s.Rider(t.Context(), []byte("went on")); got != nil || err != nil {
			t.Errorf("who goes on from a place that is gone left %q, %v", got, err)
		}
	})
}
