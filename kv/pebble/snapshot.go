package pebble

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"tarn/fault"
	"tarn/kv"
)

// snapshot is one state of a space; it is counted inside the space until it is closed.
type snapshot struct {
	space      *space
	snap       *pebble.Snapshot
	generation uint64
	closed     atomic.Bool
}

var _ kv.Snapshot = (*snapshot)(nil)

// snapshot makes a snapshot for a caller who has entered; its Close leaves.
func (s *space) snapshot() *snapshot {
	generation := s.hold() // before it is made
	return &snapshot{space: s, snap: s.db.NewSnapshot(), generation: generation}
}

func (n *snapshot) check(ctx context.Context, op string) error {
	switch {
	case n.closed.Load():
		return fault.Errorf(fault.Internal, op, "the snapshot is closed")
	case n.space.isGone.Load():
		return errDropped(op)
	default:
		return ctx.Err()
	}
}

// Get implements kv.Reader. Keys are read in their order, whatever the order in which they were asked for.
func (n *snapshot) Get(ctx context.Context, keys ...[]byte) ([][]byte, error) {
	const op = "pebble.Get"
	if err := n.check(ctx, op); err != nil {
		return nil, err
	}
	values := make([][]byte, len(keys))
	if len(keys) == 1 {
		return values, n.get(op, keys[0], &values[0])
	}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	if !slices.IsSortedFunc(keys, bytes.Compare) {
		slices.SortFunc(order, func(a, b int) int { return bytes.Compare(keys[a], keys[b]) })
	}
	return values, n.seek(ctx, op, keys, order, values)
}

func (n *snapshot) get(op string, key []byte, value *[]byte) error {
	v, closer, err := n.snap.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return translate(op, err)
	}
	*value = append(make([]byte, 0, len(v)), v...)
	return translate(op, closer.Close())
}

// seek reads many keys with one iterator. Unlike pebble's Get it asks the filters of the last level too: many of the
// keys are not there, such as the ids of new resources, and then no block need be read.
func (n *snapshot) seek(ctx context.Context, op string, keys [][]byte, order []int, values [][]byte) (err error) {
	it, err := n.snap.NewIter(&pebble.IterOptions{UseL6Filters: true})
	if err != nil {
		return translate(op, err)
	}
	defer func() { err = errors.Join(err, translate(op, it.Close())) }()
	for i, at := range order {
		if i%64 == 63 {
			if err := n.check(ctx, op); err != nil {
				return err
			}
		}
		if len(keys[at]) == 0 {
			continue // no key is empty
		}
		if !it.SeekPrefixGE(keys[at]) || !bytes.Equal(it.Key(), keys[at]) {
			if err := it.Error(); err != nil {
				return translate(op, err)
			}
			continue
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return translate(op, err)
		}
		values[at] = append(make([]byte, 0, len(v)), v...)
	}
	return nil
}

// Close implements kv.Snapshot.
func (n *snapshot) Close() error {
	if n.closed.Swap(true) {
		return nil
	}
	err := n.snap.Close()
	n.space.letGo(n.generation)
	return translate("pebble.Close", errors.Join(err, n.space.leave(false)))
}
