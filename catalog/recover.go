package catalog

import (
	"context"
	"log/slog"
	"time"

	"tarn/fault"
)

// How long a data store stays halfway before RecoverNowAndThen takes it up, and between two times, which grows while it
// does not help.
const (
	recoverFirst = time.Minute
	recoverLast  = 10 * time.Minute
)

// Recover finishes what a stopped process left halfway: creations without a preload, and works that were never asked
// for or that have failed. Call it once after a start. One data store's error does not keep it from the others; the first
// is returned.
func (c *Catalog) Recover(ctx context.Context) error {
	return fault.Wrap("catalog.Recover", c.halfway(ctx, c.goOn))
}

// RecoverNowAndThen does what Recover does for data stores that stay CREATING or DELETING, until ctx ends: a disk that was
// full when they were made, or while their work was done, must not keep them so until the next start.
func (c *Catalog) RecoverNowAndThen(ctx context.Context, log *slog.Logger) {
	type turn struct {
		at    time.Time
		pause time.Duration
	}
	turns := map[string]turn{}
	told := ""
	tick := time.NewTicker(recoverFirst)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, seen := time.Now(), map[string]turn{}
		err := c.halfway(ctx, func(ctx context.Context, d Datastore) error {
			t, known := turns[d.ID]
			switch {
			case !known: // whoever made it so may still be at it
				t = turn{now.Add(recoverFirst), recoverFirst}
			case !now.Before(t.at):
				t.pause = min(2*t.pause, recoverLast)
				t.at = now.Add(t.pause)
				seen[d.ID] = t
				return c.goOn(ctx, d)
			}
			seen[d.ID] = t
			return nil
		})
		turns = seen
		switch {
		case err == nil:
			told = ""
		case ctx.Err() == nil && err.Error() != told: // once, and not every minute
			told = err.Error()
			log.Error("data stores that are being created or deleted could not be gone on with; it is tried again", "error", err)
		}
	}
}

// goOn does, or asks for, what a data store that is halfway still needs.
func (c *Catalog) goOn(ctx context.Context, d Datastore) error {
	if d.Status == Deleting {
		return c.enqueue(ctx, DeleteDatastore, d.ID)
	}
	return c.build(ctx, &row{ID: d.ID, Preload: d.Preload})
}

// halfway calls do for every data store that is CREATING or DELETING, and returns the first error.
func (c *Catalog) halfway(ctx context.Context, do func(context.Context, Datastore) error) error {
	f := Filter{Limit: MaxList}
	var first error
	for {
		page, err := c.List(ctx, f)
		if err != nil {
			return err
		}
		for _, d := range page.Datastores {
			if d.Status != Creating && d.Status != Deleting {
				continue
			}
			if err := do(ctx, d); err != nil && first == nil {
				first = err
			}
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return first
		}
	}
}
