package ingest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// OwedFor is how long after the end of an import its logs are tried to be written, where its bucket could not be reached
// when it ended. What was kept of them, texts of refused lines among it, is then deleted.
const OwedFor = 7 * 24 * time.Hour

// How often TidyNowAndThen looks: while logs are owed, and otherwise.
const (
	tidySoon = 5 * time.Minute
	tidyIdle = time.Hour
)

func (s *Service) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// TidyNowAndThen tidies until ctx ends: at once, soon after a job has ended and left something behind, and from time to time.
func (s *Service) TidyNowAndThen(ctx context.Context, log *slog.Logger) {
	told := ""
	for ctx.Err() == nil {
		pause := tidyIdle
		left, err := s.Tidy(ctx)
		if left || err != nil {
			pause = tidySoon
		}
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told: // once, and not every few minutes
			told = err.Error()
			log.Error("what imports that have ended left behind could not be put in order; it is tried again", "error", err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-s.kick:
			timer.Reset(tidySoon) // it has just failed
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Tidy writes the logs that imports which have ended still owe, since neither bucket nor data store could be reached then,
// and deletes what was kept of them; after OwedFor it deletes that unwritten. Of imports whose records are forgotten it
// deletes everything. left says that something is still owed. What fails in one place does not keep the others.
func (s *Service) Tidy(ctx context.Context) (left bool, err error) {
	const op = "ingest.Tidy"
	if s.o.List == nil {
		return false, nil
	}
	ids, err := s.o.List(ctx)
	if err != nil {
		return false, fault.Wrap(op, err)
	}
	var errs []error
	for _, datastore := range ids {
		st, err := s.o.Datastores.Store(ctx, datastore)
		if goes(err) {
			continue
		}
		owes := false
		if err == nil {
			owes, err = s.tidy(ctx, datastore, st)
		}
		left = left || owes
		if err != nil {
			errs = append(errs, fault.Errorf(fault.KindOf(err), op, "data store %s: %w", datastore, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return left, errors.Join(errs...)
}

// tidy looks at every import of which there is something in a data store.
func (s *Service) tidy(ctx context.Context, datastore string, st *store.Store) (left bool, err error) {
	var errs []error
	for behind := []byte(nil); ; {
		rider, ok, err := st.NextRider(ctx, []byte(riders), behind)
		if err != nil || !ok {
			return left, errors.Join(append(errs, err)...)
		}
		id, _, _ := bytes.Cut(rider.Key[len(riders):], []byte("/"))
		behind = append([]byte(jobRiders(string(id))), 0xff)
		owes, err := s.tidyJob(ctx, datastore, st, string(id))
		left = left || owes
		if err != nil {
			errs = append(errs, fault.Errorf(fault.KindOf(err), "ingest.Tidy", "job %s: %w", id, err))
		}
		if ctx.Err() != nil {
			return left, errors.Join(errs...)
		}
	}
}

func (s *Service) tidyJob(ctx context.Context, datastore string, st *store.Store, id string) (owes bool, err error) {
	rec, j, err := s.Describe(ctx, datastore, id)
	switch {
	case fault.Is(err, fault.NotFound):
		s.o.Clock.Forget(id)
		return false, forgetAll(ctx, st, id)
	case err != nil:
		return false, err
	case rec.State == job.Completed || rec.State == job.CompletedWithErrors || !rec.State.Terminal():
		return false, nil // it owes nothing, or is yet to end
	}
	at, err := readPlace(ctx, st, id)
	if err != nil {
		return false, err
	}
	if at.Closed {
		s.o.Clock.Forget(id)
		return false, nil
	}
	if s.o.Clock.Now().Sub(s.o.Clock.Happened(id, rec.EndTime)) > OwedFor {
		_, err := drop(ctx, st, id, at)
		return false, err
	}
	err = s.close(ctx, rec, j, st, rec.Message, 0, func(*execution) error { return nil })
	if !fault.Is(err, fault.Unavailable) && ctx.Err() == nil {
		return false, err
	}
	return true, err
}

// forgetAll deletes everything of a job, in steps; what is left after a failure is found again by its keys.
func forgetAll(ctx context.Context, st *store.Store, id string) error {
	var gone []store.Rider
	flush := func() error {
		if len(gone) == 0 {
			return nil
		}
		_, err := st.Commit(ctx, store.Transaction{Riders: gone, Bulk: true})
		gone = nil
		return err
	}
	for behind := []byte(nil); ; {
		rider, ok, err := st.NextRider(ctx, []byte(jobRiders(id)), behind)
		if err != nil {
			return err
		}
		if !ok {
			return flush()
		}
		behind = rider.Key
		if gone = append(gone, store.Rider{Key: rider.Key}); len(gone) == forgetAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}
