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
	space  *space
	snap   *pebble.Snapshot
	closed atomic.Bool
}

var _ kv.Snapshot = (*snapshot)(nil)

// snapshot makes a snapshot for a caller who has entered; its Close leaves.
func (s *space) snapshot() *snapshot { return &snapshot{space: s, snap: s.db.NewSnapshot()} }

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
	if len(keys) < 2 || slices.IsSortedFunc(keys, bytes.Compare) {
		for i, key := range keys {
			if err := n.get(ctx, op, key, &values[i], i); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(keys[a], keys[b]) })
	for i, at := range order {
		if err := n.get(ctx, op, keys[at], &values[at], i); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (n *snapshot) get(ctx context.Context, op string, key []byte, value *[]byte, i int) error {
	if i%64 == 63 {
		if err := n.check(ctx, op); err != nil {
			return err
		}
	}
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

// Close implements kv.Snapshot.
func (n *snapshot) Close() error {
	if n.closed.Swap(true) {
		return nil
	}
	return translate("pebble.Close", errors.Join(n.snap.Close(), n.space.leave(false)))
}
