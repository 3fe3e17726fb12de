package job

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"

	"tarn/fault"
	"tarn/kv"
)

// Work does the jobs of one kind.
type Work interface {
	// Run does a job, or what is left of it: it may have been begun before, by this process or another, and run.Plan
	// and run.Checkpoints tell how far it came. It returns nil when all is done. An error of kind fault.Unavailable is
	// retried after a while, and one that Awaiting has made however often; with any other the job is FAILED and
	// fault.Message becomes its Message. When ctx ends it returns soon: context.Cause is ErrDrain (the job goes on later),
	// ErrCancelled, ErrAbandoned or ErrTermLost. It may start goroutines, but they end before it returns.
	Run(ctx context.Context, run *Run) error
}

// Canceller is a Work that tidies up after a cancelled job.
type Canceller interface {
	// Cancelled removes what a begun job leaves behind. It is called when Run has returned, or after a restart instead
	// of Run, and it may be called again. With an error other than fault.Unavailable the job becomes CANCEL_FAILED.
	Cancelled(ctx context.Context, run *Run) error
}

// Failer is a Work that leaves a job in order which has failed for good.
type Failer interface {
	// Failed is called when Run has returned and before the record says FAILED, with the reason. It may be called again
	// after another Run, if the process ends between. That it fails changes nothing.
	Failed(ctx context.Context, run *Run, reason error) error
}

var (
	// ErrDrain is the cause of a context that ended because the process shuts down.
	ErrDrain = errors.New("job: the process is shutting down")
	// ErrCancelled is the cause of a context that ended because the job was cancelled.
	ErrCancelled = errors.New("job: cancelled")
	// ErrAbandoned is the cause of a context that ended because what the job works on goes (Ledger.Abandon).
	ErrAbandoned = errors.New("job: abandoned")
)

// errCancelled tells the runner that a cancel was accepted before its finish.
var errCancelled = &fault.Error{Op: "job.finish", Kind: fault.Conflict, Msg: "the job was cancelled", Err: ErrCancelled}

// Run is one claim of a job: what a Work sees and writes. Every write is conditioned on the claim's term; ErrTermLost
// says that it is over. It is safe for concurrent use.
type Run struct {
	ledger *Ledger
	id     string
	kind   Kind
	term   uint64
	params []byte
	alive  atomic.Uint64 // signs of life

	mu      sync.Mutex
	row     row
	partial bool
	message string
}

func newRun(l *Ledger, r *row, params []byte) *Run {
	return &Run{ledger: l, id: r.ID, kind: r.Kind, term: r.Term, params: params, row: *r}
}

// Record is the job as of the last write of this claim.
func (r *Run) Record() Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.row.record(r.params)
}

// refresh reads the record again, after an error that left open what was written.
func (r *Run) refresh(ctx context.Context) error {
	now, _, err := r.ledger.read(ctx, r.id)
	if err != nil {
		return err
	}
	if now.Term != r.term {
		return ErrTermLost
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.row = *now
	return nil
}

// write does one change under the term and remembers the outcome.
func (r *Run) write(ctx context.Context, op string, change func(tx kv.Locked, row *row, b *kv.Batch) error) error {
	after, err := r.ledger.underTerm(ctx, r.id, r.term, change)
	if err != nil {
		return fault.Wrap(op, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if after.Beat > r.row.Beat {
		r.row = *after
	}
	return nil
}

// Beat shows that the worker lives. Every other write is a beat too; the Runner beats by itself.
func (r *Run) Beat(ctx context.Context) error { return r.write(ctx, "job.Beat", nil) }

// Checkpoint keeps value under key, durably when it returns nil, and adds done to the progress if the key is new: a
// part that is done twice counts once. Keys are 1 to MaxCheckpointKey bytes, values up to kv.MaxValue.
func (r *Run) Checkpoint(ctx context.Context, key string, value []byte, done Progress) error {
	const op = "job.Checkpoint"
	if key == "" || len(key) > MaxCheckpointKey {
		return fault.Errorf(fault.Invalid, op, "a checkpoint's key has 1 to %d bytes, not %d", MaxCheckpointKey, len(key))
	}
	at := checkpointKey(r.id, key)
	return r.write(ctx, op, func(tx kv.Locked, row *row, b *kv.Batch) error {
		had, err := tx.Get(ctx, at)
		if err != nil {
			return err
		}
		if had[0] == nil {
			row.Progress = row.Progress.Add(done)
		}
		b.Set(at, append([]byte{}, value...))
		return nil
	})
}

// SetProgress changes the progress as f says, for works that count otherwise than by checkpoints.
func (r *Run) SetProgress(ctx context.Context, f func(*Progress)) error {
	return r.write(ctx, "job.SetProgress", func(_ kv.Locked, row *row, _ *kv.Batch) error {
		f(&row.Progress)
		return nil
	})
}

// Partial notes that some of what was asked for could not be done: if Run then returns nil the job ends as
// COMPLETED_WITH_ERRORS with that message. It is forgotten when the process ends, so a resumed work says it again.
func (r *Run) Partial(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.partial, r.message = true, message
}

func (r *Run) outcome() (State, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.partial {
		return CompletedWithErrors, r.message
	}
	return Completed, ""
}

// Checkpoints yields the job's checkpoints in the order of their keys, as of the call.
func (r *Run) Checkpoints(ctx context.Context) iter.Seq2[Checkpoint, error] {
	return r.ledger.Checkpoints(ctx, r.id)
}

// CheckpointAt is the value under key; nil if there is none.
func (r *Run) CheckpointAt(ctx context.Context, key string) ([]byte, error) {
	snap, err := r.ledger.space.Snapshot(ctx)
	if err != nil {
		return nil, fault.Wrap("job.CheckpointAt", err)
	}
	defer snap.Close()
	got, err := snap.Get(ctx, checkpointKey(r.id, key))
	if err != nil {
		return nil, fault.Wrap("job.CheckpointAt", err)
	}
	return got[0], nil
}

// Checkpoint is one key and its value.
type Checkpoint struct {
	Key   string
	Value []byte
}

// Checkpoints yields a job's checkpoints in the order of their keys, as of the call; also of a job that has ended.
func (l *Ledger) Checkpoints(ctx context.Context, id string) iter.Seq2[Checkpoint, error] {
	return func(yield func(Checkpoint, error) bool) {
		prefix := checkpointPrefix(id)
		for e, err := range l.scan(ctx, prefix) {
			if err != nil {
				yield(Checkpoint{}, fault.Wrap("job.Checkpoints", err))
				return
			}
			if !yield(Checkpoint{string(e.Key[len(prefix):]), e.Value}, nil) {
				return
			}
		}
	}
}

// scan yields copies of all rows below a prefix, from one snapshot.
func (l *Ledger) scan(ctx context.Context, prefix []byte) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		snap, err := l.space.Snapshot(ctx)
		if err != nil {
			yield(kv.Entry{}, err)
			return
		}
		defer snap.Close()
		it := snap.Scan(ctx, kv.Prefix(prefix))
		defer it.Close()
		for it.Next() {
			if !yield(kv.Entry{Key: append([]byte{}, it.Key()...), Value: append([]byte{}, it.Value()...)}, nil) {
				return
			}
		}
		if err := it.Err(); err != nil {
			yield(kv.Entry{}, err)
		}
	}
}
