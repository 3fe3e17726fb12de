package pebble

import (
	"bytes"
	"context"

	"github.com/cockroachdb/pebble/v2"

	"tarn/fault"
	"tarn/kv"
)

// Update implements kv.Space. Concurrent commits of updates with different locks share the syncs of the log.
func (s *space) Update(ctx context.Context, lock [][]byte, fn func(tx kv.Locked) (*kv.Batch, error)) (err error) {
	const op = "pebble.Update"
	for _, key := range lock {
		if err := kv.CheckKey(key); err != nil {
			return fault.Wrap(op, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.enter(op, true); err != nil {
		return err
	}
	defer func() {
		if lerr := s.leave(true); err == nil {
			err = translate(op, lerr)
		}
	}()
	held, err := s.locks.Take(ctx, lock, s.gone)
	if err != nil {
		return err
	}
	defer held.Release()

	batch, err := s.decide(ctx, lock, fn)
	if err != nil || batch.IsEmpty() {
		return err
	}
	if seq := batch.Sorted(); seq != nil {
		return s.load(ctx, op, seq)
	}
	if err := batch.Check(); err != nil {
		return fault.Wrap(op, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.commit(op, batch)
}

// decide shows fn the newest state.
func (s *space) decide(ctx context.Context, lock [][]byte, fn func(tx kv.Locked) (*kv.Batch, error)) (*kv.Batch, error) {
	if err := s.again("pebble.Update"); err != nil {
		return nil, err
	}
	state := s.snapshot()
	defer func() { _ = state.Close() }()
	values, err := state.Get(ctx, lock...)
	if err != nil {
		return nil, err
	}
	return fn(kv.Locked{Reader: state, Values: values})
}

// commit writes the batch and waits until the log holds it.
func (s *space) commit(op string, batch *kv.Batch) error {
	s.commits.RLock()
	defer s.commits.RUnlock()
	if s.isGone.Load() {
		return errDropped(op)
	}
	if err := s.wreck.check(op); err != nil {
		return err
	}
	if err := s.engine.room.check(op); err != nil {
		return err
	}
	b := s.db.NewBatchWithSize(batch.Size() + 16*batch.Len() + 64)
	defer func() { _ = b.Close() }()
	for _, o := range batch.Ops() {
		if err := apply(b, o); err != nil {
			return translate(op, err)
		}
	}
	s.traffic.committed(batch.Size())
	if err := b.Commit(pebble.Sync); err != nil {
		return translate(op, err)
	}
	return s.wreck.check(op) // a failed log shows here, not in Commit's error
}

// afterAll is a key after every key of a space.
var afterAll = bytes.Repeat([]byte{0xff}, kv.MaxKey+1)

func apply(b *pebble.Batch, o kv.Op) error {
	switch o.Kind {
	case kv.OpSet:
		return b.Set(o.Key, o.Value, nil)
	case kv.OpDelete:
		return b.Delete(o.Key, nil)
	default:
		end := o.Value
		if end == nil {
			end = afterAll
		}
		if bytes.Compare(o.Key, end) >= 0 {
			return nil
		}
		return b.DeleteRange(o.Key, end, nil)
	}
}
