package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/kv"
)

// Uploads that no transaction takes stay when a process dies, or when the disk is so full that they cannot be erased. They
// hold contents under no id, so an erasure would never come upon them: Sweep does.

// orphanAge is how old an upload of another process must be before that is taken for dead, where there are others.
const orphanAge = time.Hour

// sweepStep is how many uploads are erased in one batch.
const sweepStep = 500

// How long SweepAll waits before it looks again, at first and at most.
const (
	sweepSoon = 20 * time.Millisecond
	sweepSlow = time.Second
)

// uploads are those of this process that a transaction may still take, from before their first row until the transaction
// has ended and what it did not take has been erased, or could not be.
type uploads struct {
	mu sync.Mutex
	of map[blobRef]struct{}
}

func (u *uploads) begin(ref blobRef) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of == nil {
		u.of = map[blobRef]struct{}{}
	}
	u.of[ref] = struct{}{}
}

func (u *uploads) end(refs []blobRef) {
	if len(refs) == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, ref := range refs {
		delete(u.of, ref)
	}
}

func (u *uploads) has(ref blobRef) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, ok := u.of[ref]
	return ok
}

// refs are the uploads of a transaction.
func (p *pending) refs() (refs []blobRef) {
	for i := range p.writes {
		if u := p.writes[i].upload; u != nil {
			refs = append(refs, u.ref)
		}
	}
	return refs
}

// release erases the uploads of a transaction that did not commit. It goes on when the caller's context has ended; what
// it cannot erase is left to Sweep.
func (s *Store) release(ctx context.Context, p *pending) {
	refs := p.refs()
	_ = s.discard(context.WithoutCancel(ctx), refs)
	s.uploads.end(refs)
}

// discard erases uploads that no transaction took. It looks under the lock of the commits: one that commits meanwhile either
// has taken them, or finds them gone and fails.
func (s *Store) discard(ctx context.Context, refs []blobRef) error {
	for some := range slices.Chunk(refs, sweepStep) {
		err := s.space.Update(ctx, [][]byte{headKey}, func(tx kv.Locked) (*kv.Batch, error) {
			keys := make([][]byte, len(some))
			for i, ref := range some {
				keys[i] = uploadKey(nil, ref)
			}
			rows, err := tx.Get(ctx, keys...)
			if err != nil {
				return nil, err
			}
			batch := &kv.Batch{}
			for i, ref := range some {
				if rows[i] == nil {
					continue // taken after all
				}
				batch.Delete(keys[i])
				blobs := kv.Prefix(append([]byte{tableBlob}, ref[:]...))
				batch.DeleteRange(blobs.Start, blobs.End)
			}
			return batch, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Sweep erases uploads that no transaction will take: those of processes that died, and those that could not be erased when
// their transaction failed. Where the Store is not alone it leaves those of others that are younger than an hour. Open calls it.
func (s *Store) Sweep(ctx context.Context) error {
	_, err := s.sweep(ctx)
	return fault.Wrap("store.Sweep", err)
}

// SweepAll is Sweep, and waits for the uploads that it leaves: those that stood when it was called have been taken by their
// transactions, or erased, when it returns nil. It fails with fault.Unavailable when ctx ends before.
func (s *Store) SweepAll(ctx context.Context) error {
	const op = "store.SweepAll"
	first, err := s.sweep(ctx)
	for pause := sweepSoon; err == nil && len(first) > 0; pause = min(2*pause, sweepSlow) {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fault.Errorf(fault.Unavailable, op, "large resources are still on their way: %w", ctx.Err())
		case <-timer.C:
		}
		var left map[blobRef]bool
		left, err = s.sweep(ctx)
		maps.DeleteFunc(first, func(ref blobRef, _ bool) bool { return !left[ref] })
	}
	return fault.Wrap(op, err)
}

// sweep erases what is nobody's and tells what it left.
func (s *Store) sweep(ctx context.Context) (left map[blobRef]bool, err error) {
	snap, err := s.space.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	var orphans []blobRef
	left = map[blobRef]bool{}
	it := snap.Scan(ctx, kv.Prefix([]byte{tableUpload}))
	for it.Next() {
		key, value := it.Key(), it.Value()
		if len(key) != 1+len(blobRef{}) || len(value) != 8 {
			continue
		}
		ref := blobRef(key[1:])
		// It is looked after the snapshot was taken: what stands in that and has ended since is taken, or nobody's.
		if !s.uploads.has(ref) && (s.alone || fhir.Instant(be.Uint64(value)) < s.now()-fhir.Instant(orphanAge/time.Millisecond)) {
			orphans = append(orphans, ref)
		} else {
			left[ref] = true
		}
	}
	if err := closeAll(it.Err(), it.Close(), snap.Close()); err != nil {
		return nil, err
	}
	return left, s.discard(ctx, orphans)
}
