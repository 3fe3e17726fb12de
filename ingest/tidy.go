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
		left, found := s.tidyAll(ctx)
		err := errors.Join(found.again...)
		if left || err != nil {
			pause = tidySoon
		}
		if lost := errors.Join(found.lost...); lost != nil { // each once: nothing is kept of them any more
			log.Error("logs of imports that have ended can never be written, and what was kept of them is deleted", "error", lost)
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
	left, found := s.tidyAll(ctx)
	return left, errors.Join(append(found.again, found.lost...)...)
}

// untidy is what a look at everything found wrong.
type untidy struct {
	again []error // it is tried again
	lost  []error // and this is not
}

func (u *untidy) add(err error) {
	switch {
	case err == nil:
	case errors.As(err, new(lostLogs)):
		u.lost = append(u.lost, err)
	default:
		u.again = append(u.again, err)
	}
}

// lostLogs is the error of an import of which logs can never be written, when what was kept of them is deleted.
type lostLogs struct{ error }

func (l lostLogs) Unwrap() error { return l.error }

func (s *Service) tidyAll(ctx context.Context) (left bool, found untidy) {
	const op = "ingest.Tidy"
	if s.o.List == nil {
		return false, found
	}
	ids, err := s.o.List(ctx)
	found.add(fault.Wrap(op, err))
	for _, datastore := range ids {
		st, err := s.o.Datastores.Store(ctx, datastore)
		if goes(err) {
			continue
		}
		add := func(err error) {
			if err != nil {
				found.add(fault.Errorf(fault.KindOf(err), op, "data store %s: %w", datastore, err))
			}
		}
		if add(err); err == nil {
			left = s.tidy(ctx, datastore, st, add) || left
		}
		if ctx.Err() != nil {
			break
		}
	}
	return left, found
}

// tidy looks at every import of which there is something in a data store.
func (s *Service) tidy(ctx context.Context, datastore string, st *store.Store, add func(error)) (left bool) {
	for behind := []byte(nil); ctx.Err() == nil; {
		rider, ok, err := st.NextRider(ctx, []byte(riders), behind)
		if add(err); err != nil || !ok {
			return left
		}
		id, _, _ := bytes.Cut(rider.Key[len(riders):], []byte("/"))
		behind = append([]byte(jobRiders(string(id))), 0xff)
		owes, err := s.tidyJob(ctx, datastore, st, string(id))
		left = left || owes
		if err != nil {
			add(fault.Errorf(fault.KindOf(err), "ingest.Tidy", "job %s: %w", id, err))
		}
	}
	return left
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
