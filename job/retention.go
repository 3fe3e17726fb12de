package job

import (
	"context"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// forgetAtOnce is how many jobs one transaction of Forget erases.
const forgetAtOnce = 64

// Forget erases the records of jobs that ended before the time, with their plans, checkpoints and client tokens, and
// tells how many. What the jobs have written elsewhere stays. A job that has not ended is never erased.
func (l *Ledger) Forget(ctx context.Context, before time.Time) (int, error) {
	const op = "job.Forget"
	// Whoever ended before that time was submitted before it too, unless the clock was ahead once (Record.SubmitTime).
	gone, err := l.forget(ctx, ListFilter{SubmittedBefore: before}, before)
	if err != nil {
		return gone, fault.Wrap(op, err)
	}
	more, err := l.forget(ctx, ListFilter{SubmittedAfter: later(l.now(), before)}, before)
	return gone + more, fault.Wrap(op, err)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// forget erases those of some jobs that ended before the time.
func (l *Ledger) forget(ctx context.Context, some ListFilter, before time.Time) (gone int, err error) {
	for some.Limit = MaxList; ; {
		page, err := l.List(ctx, some)
		if err != nil {
			return gone, err
		}
		var ended []Record
		for _, rec := range page.Jobs {
			if rec.State.Terminal() && rec.EndTime.Before(before) {
				ended = append(ended, rec)
			}
		}
		for len(ended) > 0 {
			n := min(forgetAtOnce, len(ended))
			if err := l.erase(ctx, ended[:n]); err != nil {
				return gone, err
			}
			gone += n
			ended = ended[n:]
		}
		if some.Cursor = page.Next; some.Cursor == "" {
			return gone, nil
		}
	}
}

// erase deletes the rows of jobs that have ended.
func (l *Ledger) erase(ctx context.Context, jobs []Record) error {
	var lock [][]byte
	for _, rec := range jobs {
		lock = append(lock, recordKey(rec.ID))
	}
	return l.space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		b := new(kv.Batch)
		for i, rec := range jobs {
			if tx.Values[i] == nil {
				continue
			}
			b.Delete(recordKey(rec.ID))
			b.Delete(paramsKey(rec.ID))
			b.DeleteRange(planPrefix(rec.ID), kv.PrefixEnd(planPrefix(rec.ID)))
			b.DeleteRange(checkpointPrefix(rec.ID), kv.PrefixEnd(checkpointPrefix(rec.ID)))
			for _, s := range []string{scope("", ""), scope(rec.Datastore, ""), scope(rec.Datastore, rec.Kind)} {
				b.Delete(indexKey(s, rec.SubmitTime, rec.Seq))
			}
			if rec.ClientToken == "" {
				continue
			}
			data, err := tx.Get(ctx, tokenKey(rec.Kind, rec.ClientToken))
			if err != nil {
				return nil, err
			}
			var t token
			if _, err := decode(data[0], &t, "a client token"); err != nil {
				return nil, err
			}
			if t.ID == rec.ID { // else a later job has it
				b.Delete(tokenKey(rec.Kind, rec.ClientToken))
			}
		}
		return b, nil
	})
}

// forgetEvery is how often a Runner looks for records that are too old.
const forgetEvery = time.Hour

// forgetOld erases records that are older than the retention, now and then until ctx ends.
func (r *Runner) forgetOld(ctx context.Context) {
	if r.o.Retention <= 0 {
		return
	}
	clock := NewClock(r.ledger.now, nil)
	for {
		n, err := r.ledger.Forget(ctx, clock.Now().Add(-r.o.Retention))
		switch {
		case err != nil && ctx.Err() == nil:
			r.o.Log.Error("old jobs could not be forgotten", "error", err)
		case n > 0:
			r.o.Log.Info("old jobs forgotten", "jobs", n)
		}
		if !sleep(ctx, forgetEvery) {
			return
		}
	}
}
