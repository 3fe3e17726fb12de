package export

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"tarn/fault"
	"tarn/job"
)

// OwnExpiry is how long the files of an export lie in the service's own bucket after it has ended (HealthLake's 48 hours).
const OwnExpiry = 48 * time.Hour

// Expires is when the files of an export that has ended go from the service's own bucket; false for an export to a
// caller's bucket, whose files are the caller's, and for one that has not ended. It is told by the time of day as it is now.
func (s *Service) Expires(rec job.Record, j Job) (time.Time, bool) {
	if !j.Own || rec.EndTime.IsZero() {
		return time.Time{}, false
	}
	return s.clock.Shown(s.until(rec)), true
}

// until is when an export expires by the service's clock.
func (s *Service) until(rec job.Record) time.Time {
	return s.clock.Happened(rec.ID, rec.EndTime).Add(OwnExpiry)
}

// Expired reports whether the files of an export to the service's own bucket are gone, or are to go: it was cancelled,
// has failed, was given up by its owner, or ended too long ago.
func (s *Service) Expired(rec job.Record, j Job) bool {
	if !j.Own {
		return false
	}
	switch rec.State {
	case job.Completed, job.CompletedWithErrors:
		return !rec.Discarded.IsZero() || !s.clock.Now().Before(s.until(rec))
	case job.Failed, job.CancelCompleted, job.CancelFailed:
		return true
	}
	return rec.State.Cancelling()
}

// Discard gives up the files of an export to the service's own bucket; they are deleted soon.
func (s *Service) Discard(ctx context.Context, datastore, jobID string) error {
	if _, _, err := s.Describe(ctx, datastore, jobID); err != nil {
		return err
	}
	_, err := s.ledger.Discard(ctx, datastore, jobID)
	return err
}

// Cancel asks for the end of an export.
func (s *Service) Cancel(ctx context.Context, datastore, jobID string) (job.Record, error) {
	if _, _, err := s.Describe(ctx, datastore, jobID); err != nil {
		return job.Record{}, err
	}
	return s.ledger.Cancel(ctx, datastore, jobID)
}

// Abandon ends an export that nobody has cancelled: it becomes FAILED with the message.
func (s *Service) Abandon(ctx context.Context, datastore, jobID, message string) error {
	if _, _, err := s.Describe(ctx, datastore, jobID); err != nil {
		return err
	}
	return s.ledger.Abandon(ctx, datastore, jobID, message)
}

// Clean deletes from the service's own bucket what nobody may fetch any more: the files of exports that were cancelled,
// have failed or expired, or whose data store or record is gone. What a late worker still put goes at the next call. The files
// of an export of which that cannot be told stay, and do not keep others: the error tells of each.
func (s *Service) Clean(ctx context.Context) error {
	const op = "export.Clean"
	own, err := s.cloud.Own(ctx)
	if err != nil {
		return fault.Wrap(op, err)
	}
	folder, stale := "", false
	var unclear []error
	for o, err := range own.List(ctx, "") {
		if err != nil {
			return fault.Wrap(op, err)
		}
		datastore, rest, _ := strings.Cut(o.Key, "/")
		jobID, _, ok := strings.Cut(rest, "/")
		if !ok {
			continue
		}
		if now := ownFolder(datastore, jobID); now != folder {
			folder = now
			if stale, err = s.isStale(ctx, datastore, jobID); err != nil {
				if ctx.Err() != nil {
					return fault.Wrap(op, err)
				}
				unclear = append(unclear, fault.Errorf(fault.KindOf(err), op, "job %s: %w", jobID, err))
				stale = false
			}
			if stale {
				s.clock.Forget(jobID)
			}
		}
		if !stale {
			continue
		}
		if err := own.Delete(ctx, o.Key); err != nil {
			return fault.Wrap(op, err)
		}
	}
	return errors.Join(unclear...)
}

func (s *Service) isStale(ctx context.Context, datastore, jobID string) (bool, error) {
	rec, j, err := s.Describe(ctx, datastore, jobID)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if s.Expired(rec, j) {
		// Whatever the clock is set to later, its files are gone.
		if rec.State.Terminal() && rec.Discarded.IsZero() {
			_, err = s.ledger.Discard(ctx, datastore, jobID)
		}
		return err == nil, err
	}
	_, err = s.datastores.Store(ctx, datastore)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) {
		return true, nil
	}
	if fault.Is(err, fault.Conflict) { // it is being deleted, or not there yet
		return rec.State.Terminal(), nil
	}
	return false, err
}

// cleanEvery is how often CleanNowAndThen cleans when no job changes.
const cleanEvery = 10 * time.Minute

// CleanNowAndThen cleans until ctx ends: soon after jobs change, and from time to time.
func (s *Service) CleanNowAndThen(ctx context.Context, log *slog.Logger) {
	for ctx.Err() == nil {
		changed := s.ledger.Changed()
		if err := s.Clean(ctx); err != nil && ctx.Err() == nil {
			log.Error("results could not be cleaned", "error", err)
		}
		timer := time.NewTimer(cleanEvery)
		select {
		case <-ctx.Done():
		case <-changed:
			timer.Reset(time.Second) // what follows at once is cleaned together
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}
