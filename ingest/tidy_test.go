package ingest_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

var away = fault.Errorf(fault.Unavailable, "test", "the bucket is away")

// failsWithoutBucket is an import of which nothing could be written: not its logs, nor its manifest.
func (w *world) failsWithoutBucket() job.Record {
	w.t.Helper()
	w.fill()
	rec := w.start()
	w.cloud.onPut = func(string) (error, error) { return away, nil }
	w.work()
	if got := w.describe(rec); got.State != job.Failed {
		w.t.Fatalf("%s %s", got.State, got.Message)
	}
	if w.riders() == 0 || len(w.output(rec)) > 0 {
		w.t.Fatalf("%d pieces, %v", w.riders(), w.output(rec))
	}
	return rec
}

func (w *world) tidy() (left bool) {
	w.t.Helper()
	left, err := w.svc.Tidy(w.t.Context())
	must(w.t, err)
	return left
}

// wrote holds what a failed import of fill wrote in the end.
func (w *world) wrote(rec job.Record) {
	w.t.Helper()
	if left := w.riders(); left > 0 {
		w.t.Errorf("%d pieces are left", left)
	}
	out := w.output(rec)
	if strings.Count(out["FAILURE/a.ndjson"], "\n") != 4 || strings.Count(out["SUCCESS/a.ndjson"], "\n") != 41 || !strings.Contains(out["manifest.json"], `"numberOfResourcesWithCustomerError": 4,`) {
		w.t.Errorf("wrote %v", out)
	}
}

// TestTidy_writesWhatIsOwedWhenTheBucketIsBack lets an import fail whose bucket is away, which is back a day later.
func TestTidy_writesWhatIsOwedWhenTheBucketIsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rec := w.failsWithoutBucket()
		time.Sleep(24 * time.Hour)
		if left, err := w.svc.Tidy(t.Context()); !left || !fault.Is(err, fault.Unavailable) {
			t.Errorf("with the bucket away: %v, %v", left, err)
		}
		w.cloud.onPut = nil
		if w.tidy() {
			t.Error("something is owed still")
		}
		w.wrote(rec)
		w.cloud.onPut = func(key string) (error, error) {
			t.Errorf("%s is written again", key)
			return nil, nil
		}
		if w.tidy() {
			t.Error("something is owed again")
		}
	})
}

// TestTidy_writesWhatIsOwedOfAJobWhoseDataStoreWasAway lets even the place of a failed import say nothing of its end.
func TestTidy_writesWhatIsOwedOfAJobWhoseDataStoreWasAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill()
		rec := w.start()
		w.cloud.onPut = func(string) (error, error) {
			w.gone = fault.Errorf(fault.Unavailable, "test", "the data store is away")
			return away, nil
		}
		w.work()
		if got := w.describe(rec); got.State != job.Failed {
			t.Fatalf("%s %s", got.State, got.Message)
		}
		w.gone, w.cloud.onPut = nil, nil
		if w.tidy() {
			t.Error("something is owed still")
		}
		w.wrote(rec)
	})
}

func TestTidy_writesWhatIsOwedOfACancelThatFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill()
		rec := w.start()
		w.cloud.onPut = func(string) (error, error) {
			if _, err := w.svc.Cancel(t.Context(), datastore, rec.ID); err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
			return away, nil
		}
		w.work()
		if got := w.describe(rec); got.State != job.CancelFailed || w.riders() == 0 {
			t.Fatalf("%s %s, %d pieces", got.State, got.Message, w.riders())
		}
		w.cloud.onPut = nil
		w.tidy()
		w.wrote(rec)
	})
}

// TestTidy_givesUpInTheEnd keeps the bucket away for longer than texts of refused lines may be kept.
func TestTidy_givesUpInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rec := w.failsWithoutBucket()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.svc.TidyNowAndThen(ctx, slog.New(slog.DiscardHandler)) }()
		time.Sleep(ingest.OwedFor - time.Hour)
		if w.riders() == 0 {
			t.Error("given up too soon")
		}
		time.Sleep(2 * time.Hour)
		if left := w.riders(); left > 0 {
			t.Errorf("%d pieces are left", left)
		}
		stop()
		<-done
		w.cloud.onPut = nil
		w.tidy()
		if out := w.output(rec); len(out) > 0 {
			t.Errorf("written after all: %v", out)
		}
	})
}

// TestTidyNowAndThen_comesSoonAfterAFailure needs no restart.
func TestTidyNowAndThen_comesSoonAfterAFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.svc.TidyNowAndThen(ctx, slog.New(slog.DiscardHandler)) }()
		synctest.Wait() // it has looked, and there was nothing
		rec := w.failsWithoutBucket()
		w.cloud.mend()
		time.Sleep(6 * time.Minute)
		w.wrote(rec)
		stop()
		<-done
	})
}

// TestTidy_isTheSameAfterAFaultAtEveryWrite lets each write of the data store fail, before and after it took effect.
func TestTidy_isTheSameAfterAFaultAtEveryWrite(t *testing.T) {
	t.Parallel()
	life := func(nth int, side kvtest.Fault) (out map[string]string, n int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			rec := w.failsWithoutBucket()
			w.cloud.onPut = nil
			w.faults.Hook(func(kvtest.Write) kvtest.Fault {
				if n++; n == nth {
					return side
				}
				return kvtest.NoFault
			})
			for again := true; again; {
				left, err := w.svc.Tidy(t.Context())
				again = left || err != nil
			}
			w.wrote(rec)
			out = w.output(rec)
		})
		return out, n
	}
	calm, writes := life(0, kvtest.NoFault)
	if writes < 2 {
		t.Fatalf("only %d writes", writes)
	}
	for nth := 1; nth <= writes; nth++ {
		for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
			if got, _ := life(nth, side); !maps.Equal(got, calm) {
				t.Errorf("write %d, side %v: %v, want %v", nth, side, got, calm)
			}
		}
	}
}

// TestTidy_forgetsWhatTheLedgerHasForgotten leaves nothing of jobs without a record, and everything of those that go on.
func TestTidy_forgetsWhatTheLedgerHasForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failsWithoutBucket()
		time.Sleep(time.Hour)
		if n, err := w.ledger.Forget(t.Context(), time.Now()); n != 1 || err != nil {
			t.Fatalf("forgot %d, %v", n, err)
		}
		other := store.Rider{Key: []byte("importance"), Value: []byte("1")}
		_, err := w.data.Commit(t.Context(), store.Transaction{Riders: []store.Rider{other}})
		must(t, err)
		w.tidy()
		for r, err := range w.data.Riders(t.Context(), []byte("import/")) {
			must(t, err)
			t.Errorf("%s is left", r.Key)
		}
		if v, err := w.data.Rider(t.Context(), other.Key); err != nil || v == nil {
			t.Errorf("another's rider: %v, %v", v, err)
		}

		looked := 0
		w.cloud.onPut = func(string) (error, error) {
			looked++
			w.tidy()
			return nil, nil
		}
		second := w.start()
		w.work()
		if got := w.describe(second); got.State != job.CompletedWithErrors || looked == 0 {
			t.Errorf("%s %s, looked %d times", got.State, got.Message, looked)
		}
		w.cloud.onPut = nil
		w.wrote(second)
	})
}

// TestTidyNowAndThen_saysWhatIsLost lets the role be away, and then gone, of an import whose logs could not be written.
func TestTidyNowAndThen_saysWhatIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rec := w.failsWithoutBucket()
		w.cloud.mend()
		w.cloud.denies(fault.Errorf(fault.Unavailable, "test", "roles cannot be had now"))
		var log bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.svc.TidyNowAndThen(ctx, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		time.Sleep(time.Hour)
		w.cloud.denies(fault.Errorf(fault.Denied, "test", "the role is gone"))
		time.Sleep(time.Hour)
		stop()
		<-done
		again, never := strings.Count(log.String(), "it is tried again"), strings.Count(log.String(), "can never be written")
		if again != 1 || never != 1 || w.riders() > 0 {
			t.Errorf("%d pieces are left of %s, and the log is %s", w.riders(), rec.ID, log.String())
		}
	})
}

// TestImport_reportsAFileThatCannotBeReadThoughItsRoleIsAway holds the report against the manifest that is written later.
func TestImport_reportsAFileThatCannotBeReadThoughItsRoleIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.set("in/a.ndjson", patient("a"))
		w.cloud.set("in/b.ndjson.gz", "nonsense")
		rec := w.start()
		w.cloud.onGet = func(key string) {
			if key == "in/b.ndjson.gz" {
				w.cloud.denies(away)
			}
		}
		w.work()
		w.cloud.denies(nil)
		w.tidy()
		got := w.describe(rec)
		if got.State != job.Failed || got.Progress.FilesFailed != 1 || !strings.Contains(w.output(rec)["manifest.json"], `"numberOfFilesReadWithCustomerError": 1,`) {
			t.Errorf("%s %s, %+v, %s", got.State, got.Message, got.Progress, w.output(rec)["manifest.json"])
		}
	})
}
