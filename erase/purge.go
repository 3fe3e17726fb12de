package erase

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

// compactTime bounds one compaction, and with it the wait for snapshots that somebody holds; it is then begun again.
const compactTime = 30 * time.Minute

// Purge removes for good what has been hidden in a data store and no job needs any more; more says that something is left
// which a job needs.
func (s *Service) Purge(ctx context.Context, datastore string) (more bool, err error) {
	const op = "erase.Purge"
	st, err := s.o.Datastores.Store(ctx, datastore)
	if goes(err) {
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
	late := map[string]string{} // exports that have held up an erasure for too long, and which one
	for _, p := range all {
		if held := holding(pins, p.tx); len(held) > 0 {
			more = true
			if isLate, err := s.isLate(ctx, st, p); err != nil {
				return true, fault.Wrap(op, err)
			} else if isLate {
				for _, pin := range held {
					late[pin.Job] = p.job
				}
			}
			continue
		}
		if err := s.purge(ctx, datastore, st, p); err != nil {
			return true, fault.Wrap(op, err)
		}
		ready, places = append(ready, p), append(places, p.places...)
	}
	defer func() {
		if failed := s.insist(ctx, datastore, late); err == nil {
			err = fault.Wrap(op, failed)
		}
	}()
	if len(ready) == 0 {
		return more, nil
	}
	for _, p := range ready { // each by its own transaction: an export between two may hold what was made anew
		if err := s.o.Exports.DiscardHolding(ctx, datastore, p.places, p.tx); err != nil {
			return true, fault.Wrap(op, err)
		}
	}
	if err := s.sweep(ctx, st); err != nil { // before they are compacted away
		return true, fault.Wrap(op, err)
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

// purge removes the rows of what one transaction has hidden, while no history is trimmed.
func (s *Service) purge(ctx context.Context, datastore string, st *store.Store, p pending) error {
	defer s.rows.lock(datastore)()
	return st.Purge(ctx, p.places, p.tx)
}

// isLate reports whether exports have held up a purge for too long.
func (s *Service) isLate(ctx context.Context, st *store.Store, p pending) (bool, error) {
	rec, err := recordOf(ctx, st, p.tx, p.job)
	return rec != nil && !s.o.Clock.Now().Before(s.lateFrom(rec)), err
}

// lateFrom is when, by the service's clock, exports have held up the purge of what a record tells of for too long.
func (s *Service) lateFrom(rec *Record) time.Time {
	return s.o.Clock.Happened(string(recordKey(rec.Tx, rec.Erasure)), fhir.Instant(rec.Instant).Time()).Add(s.o.Wait)
}

// insist ends exports that have held up erasures for too long, and tells their owners why. Each is asked once, and again
// after growing pauses.
func (s *Service) insist(ctx context.Context, datastore string, late map[string]string) error {
	of := "insist " + datastore
	if len(late) == 0 {
		s.news.over(of)
		return nil
	}
	exports := slices.Sorted(maps.Keys(late))
	if !s.news.isNew(of, strings.Join(exports, " ")) {
		return nil
	}
	for _, export := range exports {
		s.o.Log.Warn("an export is ended that has held up an erasure for too long", "datastore", datastore, "erasure", late[export], "export", export)
		why := fmt.Sprintf("The export still read what erasure %s is to take from the disk, and had held that up for %s. Start it anew.", late[export], s.o.Wait)
		if err := s.o.Exports.Abandon(ctx, datastore, export, why); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
			s.news.over(of)
			return err
		}
	}
	return nil
}

// conclude notes that nothing is left of what a transaction erased.
func (s *Service) conclude(ctx context.Context, st *store.Store, p pending) error {
	s.o.Clock.Forget(string(recordKey(p.tx, p.job)))
	changes := []store.Rider{{Key: pendingKey(p.tx)}, {Key: onceKey(p.job)}}
	rec, err := recordOf(ctx, st, p.tx, p.job)
	if err != nil {
		return err
	}
	if rec != nil {
		rec.Purged = s.o.Clock.Wall().UnixMilli()
		changes = append(changes, store.Rider{Key: recordKey(p.tx, p.job), Value: rec.encode()})
	}
	_, err = st.Commit(ctx, store.Transaction{Riders: changes})
	return err
}
