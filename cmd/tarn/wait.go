package main

import (
	"context"
	"errors"
	"fmt"

	"tarn/api/client"
	"tarn/fault"
)

// waitExport shows an export's progress until it has ended. Interrupted, it gives the advice.
func waitExport(ctx context.Context, s *screen, api *client.Client, datastore, job string, a advice) (client.ExportProgress, error) {
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
			return p, interrupted(ctx, s, err, a)
		}
	}
}

// waitImport shows an import's progress until it has ended. total is how many resources there are, or 0.
func waitImport(ctx context.Context, s *screen, api *client.Client, datastore, job string, a advice, total int64) (client.ImportJob, error) {
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
			return j, interrupted(ctx, s, err, a)
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

// interrupted ends a wait: if the user interrupted it, or the server went away, it gives the advice.
func interrupted(ctx context.Context, s *screen, err error, a advice) error {
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		s.note("\n%s", a.stopped)
		return errInterrupted
	case fault.Is(err, fault.Unavailable):
		return fault.WithHint(err, "%s", a.lost)
	}
	return err
}

// advice is what to do when a wait breaks off.
type advice struct {
	stopped string // after Ctrl-C
	lost    string // after the server went away
}

// goesOn says that a job does not end with the waiting, and how to watch it.
func (r *remote) goesOn(datastore, job string) advice {
	watch := fmt.Sprintf("tarn jobs watch %s --datastore %s%s", job, datastore, r.flags())
	return advice{
		stopped: fmt.Sprintf("You stopped waiting; job %s goes on.\n  watch it:  %s", job, watch),
		lost:    "The job goes on once the server answers again: " + watch,
	}
}
