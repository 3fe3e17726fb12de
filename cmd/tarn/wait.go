package main

import (
	"context"
	"errors"
	"fmt"

	"tarn/api/client"
	"tarn/fault"
)

// waitExport shows an export's progress until it has ended. Interrupted, it says that watch goes on.
func waitExport(ctx context.Context, s *screen, api *client.Client, datastore, job, watch string) (client.ExportProgress, error) {
	b := s.newBar("Exporting", 0, unitThings)
	defer b.end()
	for pause := newPause(); ; {
		p, err := api.ExportProgress(ctx, datastore, job)
		if err == nil {
			if done, _ := client.Done(p.JobStatus); done {
				return p, nil
			}
			b.relabel(doing("Exporting", p.JobStatus))
			b.set(p.Progress.Resources, p.Progress.ResourcesTotal)
			err = pause.wait(ctx)
		}
		if err != nil {
			b.end()
			return p, interrupted(ctx, s, err, watch)
		}
	}
}

// waitImport shows an import's progress until it has ended. total is how many resources there are, or 0.
func waitImport(ctx context.Context, s *screen, api *client.Client, datastore, job, watch string, total int64) (client.ImportJob, error) {
	b := s.newBar("Importing", total, unitThings)
	defer b.end()
	for pause := newPause(); ; {
		j, err := api.DescribeImport(ctx, datastore, job)
		if err == nil {
			if done, _ := client.Done(j.JobStatus); done {
				return j, nil
			}
			b.relabel(doing("Importing", j.JobStatus))
			b.set(j.JobProgressReport.TotalNumberOfResourcesScanned, total)
			err = pause.wait(ctx)
		}
		if err != nil {
			b.end()
			return j, interrupted(ctx, s, err, watch)
		}
	}
}

// doing says what a job that has not ended is at.
func doing(verb, status string) string {
	switch status {
	case "SUBMITTED", "QUEUED":
		return "Waiting in the queue"
	case "CANCEL_SUBMITTED", "CANCEL_IN_PROGRESS":
		return "Cancelling"
	}
	return verb
}

// interrupted ends a wait: if the user interrupted it, or the server went away, it says how to go on watching.
func interrupted(ctx context.Context, s *screen, err error, watch string) error {
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		s.note("\nYou stopped waiting; the job goes on.\n  watch it:  %s", watch)
		return errInterrupted
	case fault.Is(err, fault.Unavailable):
		return fault.WithHint(err, "The job goes on once the server answers again: %s", watch)
	}
	return err
}

// watchCommand is the command that shows a job's progress.
func (r *remote) watchCommand(datastore, job string) string {
	return fmt.Sprintf("tarn jobs watch %s --datastore %s%s", job, datastore, r.flags())
}
