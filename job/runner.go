package job

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tarn/fault"
)

// Runner claims jobs of the kinds it knows and runs their work. One Runner per ledger and process.
type Runner struct {
	ledger  *Ledger
	o       RunnerOptions
	metrics *metrics
	kick    chan struct{}

	mu     sync.Mutex
	active map[string]*task // by job id

	seen map[string]watched // leases of others; only the loop touches it
}

// RunnerOptions of a Runner. Kinds is required.
type RunnerOptions struct {
	Owner string // who claims: host and process, for people; empty: "tarn"
	Kinds map[Kind]Work
	// Workers is how many jobs of one kind run at once, over all data stores; 0 or less means 1.
	Workers map[Kind]int
	// Lease is how long a job of another runner must stand still before it is taken over. Zero says that no other
	// process can hold the ledger: what runs without being ours is taken over at once.
	Lease time.Duration
	// Attempts is how often in a row, without any progress between, a work may fail with fault.Unavailable before its
	// job fails; 0 means 10.
	Attempts int
	// StuckAfter is how long a work may go on without any progress or sign of life (Run.Alive) before it is ended and begun
	// again, as after a passing failure; 0 means DefaultStuckAfter, less than 0 for ever.
	StuckAfter time.Duration
	// Retention is how long the records of ended jobs are kept; 0 means for ever.
	Retention time.Duration
	Log       *slog.Logger // nil: nothing is logged
}

// task is one job that this runner runs.
type task struct {
	kind Kind
	// life ends when the process drains or the term is lost; work, its child, when the job is cancelled or abandoned too.
	life, work       context.Context
	endLife, endWork context.CancelCauseFunc
	deaf             atomic.Pointer[atomic.Bool] // true: it was ended for want of progress and has not returned yet
	place            taskPlace                   // under Runner.mu
}

func newTask(ctx context.Context, k Kind) *task {
	t := &task{kind: k}
	t.life, t.endLife = context.WithCancelCause(context.WithoutCancel(ctx))
	t.work, t.endWork = context.WithCancelCause(t.life)
	return t
}

// watched is another runner's lease and since when it stands still, by our monotonic clock.
type watched struct {
	sight
	since time.Time
}

const (
	firstPause = time.Second
	maxPause   = time.Minute
	idlePoll   = time.Minute // a lone process is woken by signals; this is only a net
)

// NewRunner makes a Runner; Run starts it.
func NewRunner(l *Ledger, o RunnerOptions) *Runner {
	if o.Owner == "" {
		o.Owner = "tarn"
	}
	if o.Attempts <= 0 {
		o.Attempts = 10
	}
	if o.StuckAfter == 0 {
		o.StuckAfter = DefaultStuckAfter
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Runner{ledger: l, o: o, metrics: newMetrics(), kick: make(chan struct{}, 1), active: map[string]*task{},
		seen: map[string]watched{}}
}

// Run claims and runs jobs until ctx ends. Then it asks the works to stop (ErrDrain), waits for them, gives their jobs
// back so that anyone can go on with them, and returns nil. It may be called once.
func (r *Runner) Run(ctx context.Context) error {
	var works sync.WaitGroup
	works.Go(func() { r.forgetOld(ctx) })
	poll := idlePoll
	if r.o.Lease > 0 {
		poll = max(r.o.Lease/3, time.Millisecond)
	}
	for ctx.Err() == nil {
		changed := r.ledger.Changed()
		wait := poll
		if err := r.pass(ctx, &works); err != nil && ctx.Err() == nil {
			r.o.Log.Error("job queue could not be read", "error", err)
			wait = firstPause
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-r.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
	r.mu.Lock()
	for _, t := range r.active {
		t.endLife(ErrDrain)
	}
	r.mu.Unlock()
	works.Wait()
	return nil
}

// pass looks at every queue once: ends what was cancelled or abandoned while waiting, stops what was while running, and
// claims what can run, oldest first.
func (r *Runner) pass(ctx context.Context, works *sync.WaitGroup) error {
	snap, err := r.ledger.space.Snapshot(ctx)
	if err != nil {
		return err
	}
	queues, err := readQueues(ctx, snap)
	if err = errors.Join(err, snap.Close()); err != nil {
		return err
	}
	queues = slices.DeleteFunc(queues, func(q namedQueue) bool { return r.o.Kinds[q.kind] == nil })
	slices.SortFunc(queues, func(a, b namedQueue) int { return cmp.Compare(a.next(), b.next()) })
	var errs []error
	standing := map[string]bool{}
	for _, q := range queues {
		switch p := q.Running; {
		case p == nil:
		case p.Cancel:
			r.stop(p.ID, ErrCancelled)
		case p.Abandoned:
			r.stop(p.ID, ErrAbandoned)
		}
		if err := r.ledger.settle(ctx, q); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := r.take(ctx, works, q, standing); err != nil {
			errs = append(errs, err)
		}
	}
	for id := range r.seen {
		if !standing[id] {
			delete(r.seen, id)
		}
	}
	return errors.Join(errs...)
}

// take claims the job of a queue whose turn it is, if there is a free worker.
func (r *Runner) take(ctx context.Context, works *sync.WaitGroup, q namedQueue, standing map[string]bool) error {
	id, seen := "", sight{}
	switch {
	case q.Running != nil:
		if r.runs(q.Running.ID) {
			return nil
		}
		id = q.Running.ID
		row, _, err := r.ledger.read(ctx, id)
		if err != nil {
			return err
		}
		seen = sight{row.Term, row.Beat}
		if row.Owner != "" && r.o.Lease > 0 && !r.stoodStill(id, seen, standing) {
			return nil
		}
	default:
		i := slices.IndexFunc(q.Waiting, func(p place) bool { return !p.ends() })
		if i < 0 {
			return nil
		}
		id = q.Waiting[i].ID
	}
	if r.count(q.kind, working, returning) >= r.workers(q.kind) {
		return nil
	}
	row, params, err := r.ledger.claim(ctx, q, id, seen, r.o.Owner)
	if err != nil || row == nil {
		return err
	}
	t := newTask(ctx, q.kind)
	r.mu.Lock()
	r.active[id] = t
	r.mu.Unlock()
	works.Go(func() {
		defer func() {
			t.endLife(nil)
			r.mu.Lock()
			delete(r.active, id)
			r.mu.Unlock()
			r.free()
		}()
		r.perform(t, row, params)
	})
	return nil
}

// stoodStill reports whether another's lease has not moved for the length of a lease of our own clock.
func (r *Runner) stoodStill(id string, now sight, standing map[string]bool) bool {
	standing[id] = true
	w, known := r.seen[id]
	if !known || w.sight != now {
		r.seen[id] = watched{now, time.Now()}
		return false
	}
	return time.Since(w.since) >= r.o.Lease
}

func (r *Runner) runs(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.active[id] != nil
}

// stop ends the work of a cancelled or abandoned job if it is ours.
func (r *Runner) stop(id string, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.active[id]; t != nil {
		t.endWork(cause)
	}
}

// next is the sequence number of the job whose turn it is.
func (q *queue) next() uint64 {
	if q.Running != nil {
		return q.Running.Seq
	}
	if len(q.Waiting) > 0 {
		return q.Waiting[0].Seq
	}
	return 0
}

// lost reports whether an error says that the claim is over.
func lost(err error) bool { return errors.Is(err, ErrTermLost) || fault.Is(err, fault.NotFound) }
