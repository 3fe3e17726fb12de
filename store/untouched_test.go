package store_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"tarn/fault"
	"tarn/kv"
	"tarn/kv/pebble"
	"tarn/store"
)

// full is a space that refuses writes while its disk is full, and says that nothing was written.
type full struct {
	kv.Space
	is atomic.Bool
}

func (f *full) Update(ctx context.Context, lock [][]byte, fn func(kv.Locked) (*kv.Batch, error)) error {
	return f.Space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		b, err := fn(tx)
		if err == nil && b.Len() > 0 && f.is.Load() {
			return nil, &fault.Error{Op: "test", Kind: fault.Unavailable, Msg: "the disk is full", Err: kv.ErrUntouched}
		}
		return b, err
	})
}

func TestCommit_saysWhereNothingWasWritten(t *testing.T) {
	t.Parallel()
	engine, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	inner, err := engine.Open(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	space := &full{Space: inner}
	s, err := store.Open(t.Context(), space, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put := func(n int) error {
		_, err := s.Commit(t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "a", Resource: document(types[0], n, 100)}}})
		return err
	}
	if err := put(1); err != nil {
		t.Fatal(err)
	}
	space.is.Store(true)
	err = put(2)
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "may or may not") || fault.Message(err) != "the disk is full" {
		t.Errorf("a refused write: %v, %q", err, fault.Message(err))
	}
	head, err := s.Head(t.Context())
	if err != nil || head.Tx != 1 {
		t.Errorf("the head is %d behind a refused write: %v", head.Tx, err)
	}
	space.is.Store(false)
	if err := put(3); err != nil {
		t.Error(err)
	}
	if head, err := s.Head(t.Context()); err != nil || head.Tx != 2 {
		t.Errorf("the head is %d, want 2: %v", head.Tx, err)
	}
}
