package job

import (
	"context"
	"iter"

	"tarn/fault"
	"tarn/kv"
)

// maxPlanBatch bounds what SetPlan writes at once; a plan may be larger.
const maxPlanBatch = 4 << 20

// SetPlan keeps the job's plan, once for all: an ordered list of pieces of up to kv.MaxValue bytes each, of any total
// size. It is durable and visible when SetPlan returns nil, and not at all before. A job that has a plan already keeps
// it, with fault.Exists. An error that pieces yields ends it. total is added to the progress in the same write, for
// the totals that the plan tells.
func (r *Run) SetPlan(ctx context.Context, pieces iter.Seq2[[]byte, error], total Progress) error {
	const op = "job.SetPlan"
	// What a broken attempt left behind goes first.
	err := r.write(ctx, op, func(_ kv.Locked, row *row, b *kv.Batch) error {
		if row.Planned > 0 {
			return fault.Errorf(fault.Exists, op, "The job has a plan already.")
		}
		b.DeleteRange(planPrefix(r.id), kv.PrefixEnd(planPrefix(r.id)))
		return nil
	})
	if err != nil {
		return err
	}
	var pending [][]byte
	size, first := 0, 0
	flush := func(last bool) error {
		return r.write(ctx, op, func(_ kv.Locked, row *row, b *kv.Batch) error {
			if row.Planned > 0 {
				return fault.Errorf(fault.Exists, op, "The job has a plan already.")
			}
			for i, p := range pending {
				b.Set(planKey(r.id, first+i), p)
			}
			if last {
				row.Planned = first + len(pending) + 1
				row.Progress = row.Progress.Add(total)
			}
			return nil
		})
	}
	for p, err := range pieces {
		if err != nil {
			return fault.Wrap(op, err)
		}
		if len(p) > kv.MaxValue {
			return fault.Errorf(fault.TooLarge, op, "a piece of %d bytes is over the limit of %d", len(p), kv.MaxValue)
		}
		if size+len(p) > maxPlanBatch && len(pending) > 0 {
			if err := flush(false); err != nil {
				return err
			}
			first, size, pending = first+len(pending), 0, nil
		}
		pending = append(pending, append([]byte{}, p...))
		size += len(p) + 64
	}
	return flush(true)
}

// Plan yields the pieces of the job's plan in their order; fault.NotFound if none was set.
func (r *Run) Plan(ctx context.Context) iter.Seq2[[]byte, error] { return r.ledger.Plan(ctx, r.id) }

// Planned reports whether the job has a plan.
func (r *Run) Planned() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.row.Planned > 0
}

// Plan yields the pieces of a job's plan in their order, also of a job that has ended; fault.NotFound if none was set.
func (l *Ledger) Plan(ctx context.Context, id string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		const op = "job.Plan"
		r, _, err := l.read(ctx, id)
		if err == nil && r.Planned == 0 {
			err = fault.Errorf(fault.NotFound, op, "Job %s has no plan yet.", id)
		}
		if err != nil {
			yield(nil, fault.Wrap(op, err))
			return
		}
		n := 0
		for e, err := range l.scan(ctx, planPrefix(id)) {
			if err != nil {
				yield(nil, fault.Wrap(op, err))
				return
			}
			n++
			if !yield(e.Value, nil) {
				return
			}
		}
		if n != r.Planned-1 {
			yield(nil, fault.Errorf(fault.Internal, op, "the plan of job %s has %d of %d pieces", id, n, r.Planned-1))
		}
	}
}
