package store

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/kv"
)

// Options are the settings of a Store; the zero value is good.
type Options struct {
	Now   func() time.Time // the clock for instants; nil is time.Now
	Epoch uint32           // of the tables by which whoever writes makes index entries
	Alone bool             // no other process writes to the space while this one does, so that uploads which are not its own are nobody's
}

// Store is a data store's versions over one space. It is safe for concurrent use. One process opens a space once;
// several processes may share it where the engine lets them.
type Store struct {
	space kv.Space
	now   func() fhir.Instant
	epoch uint32
	alone bool
	// marked: what is in the data store says that writers of epoch were there. Only the committer touches it.
	marked bool

	uploads uploads
	queue   queue
	done    chan struct{} // closed when the committer has ended

	// doubt is the batch that may show in snapshots before it is known to be durable; nil when there is none.
	doubt atomic.Pointer[doubt]
}

// doubt is a batch on its way to the disk: the point before it.
type doubt struct{ before Point }

// Open opens the data store that lies in space; an empty space is an empty data store. It refuses a layout that this
// program does not know with fault.Unsupported. The caller closes the Store, and the space's engine after it.
func Open(ctx context.Context, space kv.Space, opts Options) (*Store, error) {
	const op = "store.Open"
	clock := opts.Now
	if clock == nil {
		clock = time.Now
	}
	s := &Store{
		space: space,
		now:   func() fhir.Instant { return min(max(fhir.InstantOf(clock()), 0), maxInstant) },
		epoch: opts.Epoch,
		alone: opts.Alone,
		done:  make(chan struct{}),
	}
	s.queue.init()
	if _, err := s.Head(ctx); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if err := s.Sweep(ctx); err != nil && !errors.Is(err, kv.ErrUntouched) { // a disk that is nearly full can still be read
		return nil, fault.Wrap(op, err)
	}
	go s.commitAll()
	return s, nil
}

// Close commits what is queued and ends the Store; views stay usable until their own Close. Later commits are
// fault.Unavailable. A second Close waits for the first.
func (s *Store) Close() error {
	s.queue.close()
	<-s.done
	return nil
}

// Head is the last transaction that is durable, and the head's instant.
func (s *Store) Head(ctx context.Context) (Point, error) {
	const op = "store.Head"
	snap, err := s.space.Snapshot(ctx)
	if err != nil {
		return Point{}, fault.Wrap(op, err)
	}
	h, err := readHead(ctx, snap)
	if err := closeAll(err, snap.Close()); err != nil {
		return Point{}, fault.Wrap(op, err)
	}
	return s.confirmed(h), nil
}

// confirmed is the newest point of a snapshot's head that is known to be durable. The doubt is set before its batch can
// show in a snapshot and goes when it is durable, so it is to be read after the snapshot was taken.
func (s *Store) confirmed(h *head) Point {
	if d := s.doubt.Load(); d != nil && d.before.Tx < h.tx {
		return d.before
	}
	return h.point()
}

func readHead(ctx context.Context, r kv.Reader) (*head, error) {
	values, err := r.Get(ctx, headKey)
	if err != nil {
		return nil, err
	}
	return parseHead(values[0])
}

// Fix seals the present: it returns the last transaction T and an instant, durably, such that every version up to T
// has an instant <= it, and every later commit, by whatever clock and node, one above it.
func (s *Store) Fix(ctx context.Context) (Point, error) {
	var at Point
	err := s.space.Update(ctx, [][]byte{headKey}, func(tx kv.Locked) (*kv.Batch, error) {
		h, err := parseHead(tx.Values[0])
		if err != nil {
			return nil, err
		}
		// The row is written even if it stays as it is: durable, it makes what is before it so.
		h.instant, h.sealed = max(h.instant, s.now()), true
		at = h.point()
		batch := &kv.Batch{}
		batch.Set(headKey, h.append(nil))
		return batch, nil
	})
	if err != nil {
		return Point{}, fault.Wrap("store.Fix", err)
	}
	return at, nil
}

// Rider is the value of a rider as of the newest commit; nil where there is none.
func (s *Store) Rider(ctx context.Context, key []byte) ([]byte, error) {
	const op = "store.Rider"
	if err := (&Rider{Key: key}).check(); err != nil {
		return nil, fault.Wrap(op, err)
	}
	snap, err := s.space.Snapshot(ctx)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	values, err := snap.Get(ctx, riderKey(nil, key))
	if err := closeAll(err, snap.Close()); err != nil {
		return nil, fault.Wrap(op, err)
	}
	return values[0], nil
}

// Riders are the riders whose keys begin with prefix, in key order, as of one moment. Their slices belong to the caller.
func (s *Store) Riders(ctx context.Context, prefix []byte) iter.Seq2[Rider, error] {
	const op = "store.Riders"
	return func(yield func(Rider, error) bool) {
		snap, err := s.space.Snapshot(ctx)
		if err != nil {
			yield(Rider{}, fault.Wrap(op, err))
			return
		}
		it := snap.Scan(ctx, kv.Prefix(riderKey(nil, prefix)))
		more := true
		for more && it.Next() {
			more = yield(Rider{Key: append([]byte{}, it.Key()[1:]...), Value: append([]byte{}, it.Value()...)}, nil)
		}
		if err := closeAll(it.Err(), it.Close(), snap.Close()); err != nil && more {
			yield(Rider{}, fault.Wrap(op, err))
		}
	}
}

// NextRider is the first rider behind a key whose key begins with prefix; false where there is none.
func (s *Store) NextRider(ctx context.Context, prefix, behind []byte) (next Rider, ok bool, err error) {
	const op = "store.NextRider"
	snap, err := s.space.Snapshot(ctx)
	if err != nil {
		return Rider{}, false, fault.Wrap(op, err)
	}
	within := kv.Prefix(riderKey(nil, prefix))
	if from := append(riderKey(nil, behind), 0); bytes.Compare(from, within.Start) > 0 {
		within.Start = from
	}
	it := snap.Scan(ctx, within)
	if ok = it.Next(); ok {
		next = Rider{Key: bytes.Clone(it.Key()[1:]), Value: bytes.Clone(it.Value())}
	}
	if err := closeAll(it.Err(), it.Close(), snap.Close()); err != nil {
		return Rider{}, false, fault.Wrap(op, err)
	}
	return next, ok, nil
}

// Size is about how many bytes the data store takes on disk.
func (s *Store) Size(ctx context.Context) (int64, error) {
	n, err := s.space.Size(ctx)
	return n, fault.Wrap("store.Size", err)
}

// closeAll is the first error: what failed weighs more than what failed after it.
func closeAll(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
