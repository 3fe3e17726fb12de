package ingest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
)

// Of a data store that is deleted the jobs that run and that wait fail, and say why.
func TestDelete_failsTheJobsOfItsDataStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.objects["in/a.ndjson"] = []byte(strings.Repeat(patient("p"), 100))
		w.cloud.onRead = func() { time.Sleep(time.Minute) }
		running, waiting := w.start(), w.start()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		runner := job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{ingest.Import: w.svc.ImportWork(), ingest.DeleteDatastore: w.svc.DeleteWork()}})
		go func() { done <- runner.Run(ctx) }()
		synctest.Wait()
		w.gone = fault.Errorf(fault.Conflict, "test", "Data store x is DELETING.")
		deletion, _, err := w.ledger.Enqueue(ctx, job.New{Kind: ingest.DeleteDatastore, Datastore: datastore})
		must(t, err)
		time.Sleep(time.Hour)
		stop()
		must(t, <-done)
		for _, rec := range []job.Record{running, waiting} {
			if got := w.describe(rec); got.State != job.Failed || got.Message != "The data store was deleted." {
				t.Errorf("%s: %s", got.State, got.Message)
			}
		}
		if got := w.describe(deletion); got.State != job.Completed {
			t.Errorf("the deletion: %s: %s", got.State, got.Message)
		}
	})
}
