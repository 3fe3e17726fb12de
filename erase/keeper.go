package erase

import (
	"context"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
	"tarn/store"
)

// How often the keeper looks by itself: while something waits to be purged, and otherwise.
const (
	lookSoon = 5 * time.Second
	lookIdle = 10 * time.Minute
	// compactTime bounds one compaction, and with it the wait for snapshots that somebody holds; it is then begun again.
	compactTime = 30 * time.Minute
)

// wake tells the keeper that something may be left to purge in a data store.
func (s *Service) wake(datastore string) {
	s.mu.Lock()
	s.open[datastore] = true
	s.mu.Unlock()
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func (s *Service) waiting() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.open {
		ids = append(ids, id)
	}
	return ids
}

// Run purges what has been hidden, as soon as no job needs it any more, and removes history that is not kept, until ctx ends.
// What was left by a process that died is found in the ledger.
func (s *Service) Run(ctx context.Context) {
	recalled := false
	var trimmed time.Time
	for ctx.Err() == nil {
		changed, pause := s.o.Ledger.Changed(), lookIdle
		if !recalled {
			if err := s.recall(ctx); err == nil {
				recalled = true
			} else if pause = lookSoon; ctx.Err() == nil {
				s.o.Log.Error("erasures that are under way could not be found; it is tried again", "error", err)
			}
		}
		for _, id := range s.waiting() {
			s.mu.Lock()
			delete(s.open, id) // before the look: what is hidden from now on opens it again
			s.mu.Unlock()
			more, err := s.Purge(ctx, id)
			if err != nil && ctx.Err() == nil {
				s.o.Log.Error("what was erased could not be purged yet", "datastore", id, "error", err)
			}
			if more || err != nil {
				pause = lookSoon
				s.mu.Lock()
				s.open[id] = true
				s.mu.Unlock()
			}
		}
		if s.o.Keep.limits() {
			pause = min(pause, lookIdle)
			if time.Since(trimmed) > trimEvery {
				trimmed = time.Now()
				s.trimAll(ctx)
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-s.kick:
		case <-changed:
			if len(s.waiting()) == 0 { // nobody waits for it
				select {
				case <-ctx.Done():
				case <-s.kick:
				case <-timer.C:
				}
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// recall finds the data stores in which there were erasures of late.
func (s *Service) recall(ctx context.Context) error {
	for cursor := ""; ; {
		page, err := s.o.Ledger.List(ctx, job.ListFilter{Kind: Kind, Limit: job.MaxList, Cursor: cursor})
		if err != nil {
			return err
		}
		for _, rec := range page.Jobs {
			s.mu.Lock()
			s.open[rec.Datastore] = true
			s.mu.Unlock()
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}

// Purge removes for good what has been hidden in a data store and no job needs any more; more says that something is left
// which a job needs.
func (s *Service) Purge(ctx context.Context, datastore string) (more bool, err error) {
	const op = "erase.Purge"
	st, err := s.o.Datastores.Store(ctx, datastore)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) || fault.Is(err, fault.Conflict) {
		return false, nil // it is being deleted, with all that is in it
	}
	if err != nil {
		return true, fault.Wrap(op, err)
	}
	all, err := pendings(ctx, st)
	if err != nil || len(all) == 0 {
		return err != nil, fault.Wrap(op, err)
	}
	pins, err := s.pins(ctx, datastore)
	if err != nil {
		return true, fault.Wrap(op, err)
	}
	var places []store.Place
	var ready []pending
	for _, p := range all {
		if held := holding(pins, p.tx); len(held) > 0 {
			more = true
			if err := s.insist(ctx, datastore, st, p, held); err != nil {
				return true, fault.Wrap(op, err)
			}
			continue
		}
		if err := st.Purge(ctx, p.places, p.tx); err != nil {
			return true, fault.Wrap(op, err)
		}
		ready, places = append(ready, p), append(places, p.places...)
	}
	if len(ready) == 0 {
		return more, nil
	}
	for _, p := range ready { // each by its own transaction: an export between two may hold what was made anew
		if err := s.o.Exports.DiscardHolding(ctx, datastore, p.places, p.tx); err != nil {
			return true, fault.Wrap(op, err)
		}
	}
	bounded, cancel := context.WithTimeout(ctx, compactTime)
	defer cancel()
	if err := st.Compact(bounded, places); err != nil {
		return true, fault.Wrap(op, err)
	}
	for _, p := range ready {
		if err := s.conclude(ctx, st, p); err != nil {
			return true, fault.Wrap(op, err)
		}
		s.o.Log.Info("erased", "datastore", datastore, "erasure", p.job, "resources", len(p.places))
	}
	return more, nil
}

// pins are the jobs that read as of a transaction.
func (s *Service) pins(ctx context.Context, datastore string) (pins []Pin, err error) {
	err = s.o.Exports.Pinned(ctx, datastore, func(id string, tx store.TxID) { pins = append(pins, Pin{id, tx}) })
	return pins, err
}

// holding are the pins below a transaction.
func holding(pins []Pin, tx store.TxID) (held []Pin) {
	for _, p := range pins {
		if p.Tx < tx {
			held = append(held, p)
		}
	}
	return held
}

// insist cancels the exports that have held up a purge for too long.
func (s *Service) insist(ctx context.Context, datastore string, st *store.Store, p pending, held []Pin) error {
	rec, err := recordOf(ctx, st, p.tx, p.job)
	if err != nil || rec == nil || s.o.Now().Before(fhir.Instant(rec.Instant).Time().Add(s.o.Wait)) {
		return err
	}
	for _, pin := range held {
		s.o.Log.Warn("an export is cancelled that has held up an erasure for too long", "datastore", datastore, "erasure", p.job, "export", pin.Job)
		if _, err := s.o.Exports.Cancel(ctx, datastore, pin.Job); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// conclude notes that nothing is left of what a transaction erased.
func (s *Service) conclude(ctx context.Context, st *store.Store, p pending) error {
	changes := []store.Rider{{Key: pendingKey(p.tx)}, {Key: onceKey(p.job)}}
	rec, err := recordOf(ctx, st, p.tx, p.job)
	if err != nil {
		return err
	}
	if rec != nil {
		rec.Purged = s.o.Now().UnixMilli()
		changes = append(changes, store.Rider{Key: recordKey(p.tx, p.job), Value: rec.encode()})
	}
	_, err = st.Commit(ctx, store.Transaction{Riders: changes})
	return err
}
