package interaction

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"time"

	"tarn/fault"
	"tarn/store"
)

// How often TidyNowAndThen looks, and how old a transaction without a job must be before it is taken for one whose Submit
// did not come to its end.
const (
	tidyEvery = time.Hour
	orphanAge = time.Hour
)

// TidyNowAndThen tidies the data stores of a list until ctx ends: at once, and from time to time.
func (b *Background) TidyNowAndThen(ctx context.Context, list func(context.Context) ([]string, error), log *slog.Logger) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		ids, err := list(ctx)
		errs := []error{err}
		for _, id := range ids {
			errs = append(errs, b.Tidy(ctx, id))
		}
		if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
			log.Error("transactions in the background that have failed could not all be put in order; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Tidy deletes the Bundles of transactions that nobody will carry out any more, since their jobs have failed or never came
// to be, where that could not be written then. What fails of one does not keep the others.
func (b *Background) Tidy(ctx context.Context, datastore string) error {
	st, err := b.s.datastores.Store(ctx, datastore)
	if goes(err) {
		return nil // it is being deleted, with all that is in it
	}
	if err != nil {
		return err
	}
	prefix := riderKey("body", "")
	var errs []error
	for behind := []byte(nil); ; {
		piece, ok, err := st.NextRider(ctx, prefix, behind)
		if err != nil || !ok {
			return errors.Join(append(errs, err)...)
		}
		id, _, _ := bytes.Cut(piece.Key[len(prefix):], []byte("/"))
		behind = append(bytes.Clone(piece.Key[:len(prefix)+len(id)]), "/\xff"...)
		if err := b.tidy(ctx, st, datastore, string(id)); err != nil {
			errs = append(errs, fault.Errorf(fault.KindOf(err), "interaction.Tidy", "transaction %s: %w", id, err))
		}
		if ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
}

func (b *Background) tidy(ctx context.Context, st *store.Store, datastore, id string) error {
	rec, err := b.ledger.Describe(ctx, datastore, id)
	if fault.Is(err, fault.NotFound) {
		row, err := readSubmitted(ctx, st, id)
		if err == nil && row != nil && time.Now().Before(time.UnixMilli(row.Expires).Add(orphanAge-RecordLife)) {
			return nil // its job is about to be queued
		}
		if err == nil {
			_, err = st.Commit(ctx, store.Transaction{Riders: forget(id, maxPieces)})
		}
		return err
	}
	if err != nil || !rec.State.Terminal() {
		return err
	}
	err = conclude(ctx, st, id, maxPieces, encodeFailure(givenUp(fault.Errorf(fault.Internal, "interaction.Tidy", "%s", rec.Message))))
	if errors.Is(err, store.ErrDone) {
		return nil
	}
	return err
}
