package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"tarn/fault"
	"tarn/store"
)

func TestCommit_onceCommitsOneOfMany(t *testing.T) {
	t.Parallel()
	d := newDisk()
	defer d.stop()
	s := open(d.space(), &clock{})
	defer func() { _ = s.Close() }()
	key := []byte("once/a")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won []store.Result
	done := 0
	for n := range 32 {
		wg.Go(func() {
			results, err := s.Commit(t.Context(), store.Transaction{
				Writes: []store.Write{{Op: store.Create, Type: types[0], ID: fmt.Sprintf("r%d", n), Resource: document(types[0], 1, 0)}},
				Once:   [][]byte{fmt.Appendf(nil, "own/%d", n), key},
				Report: func(r []store.Result) []store.Rider {
					return []store.Rider{{Key: key, Value: fmt.Appendf(nil, "%s %d %d", r[0].ID, r[0].Tx, r[0].Number)}}
				},
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won = append(won, results[0])
			case errors.Is(err, store.ErrDone) && fault.Is(err, fault.Exists):
				done++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 || done != 31 {
		t.Fatalf("%d committed, %d were refused", len(won), done)
	}
	value, err := s.Rider(t.Context(), key)
	if want := fmt.Sprintf("%s %d 1", won[0].ID, won[0].Tx); err != nil || string(value) != want {
		t.Errorf("the rider is %q, want %q (%v)", value, want, err)
	}
	head, err := s.Head(t.Context())
	if err != nil || head.Tx != 1 {
		t.Errorf("the head is %d (%v)", head.Tx, err)
	}
}

func TestCommit_reportThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDisk()
	defer d.stop()
	s := open(d.space(), &clock{})
	defer func() { _ = s.Close() }()
	write := []store.Write{{Op: store.Put, Type: types[0], ID: "a", Resource: document(types[0], 1, 0)}}
	for name, c := range map[string]struct {
		report func([]store.Result) []store.Rider
		kind   fault.Kind
	}{
		"no key": {func([]store.Result) []store.Rider { return []store.Rider{{}} }, fault.Invalid},
		"long": {func([]store.Result) []store.Rider {
			return []store.Rider{{Key: []byte("k"), Value: make([]byte, 1<<20+1)}}
		}, fault.TooLarge},
		"panics": {func([]store.Result) []store.Rider { panic("!") }, fault.Internal},
	} {
		if _, err := s.Commit(context.WithoutCancel(t.Context()), store.Transaction{Writes: write, Report: c.report}); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, want %s", name, err, c.kind)
		}
	}
	if _, err := s.Commit(t.Context(), store.Transaction{Writes: write, Once: [][]byte{make([]byte, store.MaxRiderKey+1)}}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a long key: %v", err)
	}
	if head, err := s.Head(t.Context()); err != nil || head.Tx != 0 {
		t.Errorf("the head is %d (%v)", head.Tx, err)
	}
}
