package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

// fillLarge gives a world files that are large enough to be loaded: with bad lines, with an id twice far apart, and with
// ids that an earlier file has brought.
func (w *world) fillLarge() {
	var a, b strings.Builder
	for i := range 3600 {
		a.WriteString(patient(fmt.Sprintf("a-%d", i)))
		if i%1000 == 3 {
			a.WriteString("broken\n")
		}
		if i == 3400 {
			a.WriteString(patient("a-7"))
		}
		if i < 2100 {
			b.WriteString(patient(fmt.Sprintf("b-%d", i)))
		}
	}
	w.cloud.set("in/a.ndjson", a.String())
	w.cloud.set("in/b.ndjson", b.String()+patient("a-9"))
	w.cloud.set("in/c.ndjson", strings.ReplaceAll(b.String(), "b-", "c-"))
}

// TestImport_loadsTheSameAfterAFaultAtEveryWrite is the test of faults at every write for steps that are loaded.
func TestImport_loadsTheSameAfterAFaultAtEveryWrite(t *testing.T) {
	t.Parallel()
	life := func(t *testing.T, nth int, side kvtest.Fault) (o outcome, writes, loads int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.fillLarge()
			rec := w.start()
			w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
				if one.Batch != nil && one.Batch.Sorted() != nil {
					loads++
				}
				if writes++; writes == nth {
					return side
				}
				return kvtest.NoFault
			})
			w.work()
			o = w.outcome(rec)
			if left := w.riders(); left > 0 {
				t.Errorf("%d pieces of logs are left", left)
			}
		})
		return o, writes, loads
	}
	calm, writes, loads := life(t, 0, kvtest.NoFault)
	if calm.rec.State != job.CompletedWithErrors || len(calm.versions) != 7800 || strings.Count(calm.output["FAILURE/a.ndjson"], "\n") != 4 {
		t.Fatalf("undisturbed: %s %s, %d resources", calm.rec.State, calm.rec.Message, len(calm.versions))
	}
	for id, number := range calm.versions {
		if want := map[string]uint64{"Patient/a-7": 2, "Patient/a-9": 2}[id]; number != max(want, 1) {
			t.Errorf("%s has version %d", id, number)
		}
	}
	if loads < 2 {
		t.Errorf("%d of %d writes were loads", loads, writes)
	}
	for nth := 1; nth <= writes; nth++ {
		for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
			if got, _, _ := life(t, nth, side); got.String() != calm.String() {
				t.Errorf("write %d of %d, side %v:\n%.2000s\nwant\n%.2000s", nth, writes, side, got, calm)
			}
		}
	}
}

// TestImport_isCommittedBesideLiveWrites imports while somebody writes all the time.
func TestImport_isCommittedBesideLiveWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fillLarge()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			resource, err := parse(patient("live"))
			if err == nil {
				_, err = w.data.Commit(t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: resource.Code(), ID: "live", Resource: resource}}})
			}
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	rec := w.start()
	w.work()
	close(stop)
	must(t, <-stopped)
	versions := w.versions()
	if got := w.describe(rec); got.State != job.CompletedWithErrors || len(versions) != 7801 || versions["Patient/a-7"] != 2 {
		t.Errorf("%s %s, %d resources, a-7 has version %d", got.State, got.Message, len(versions), versions["Patient/a-7"])
	}
}

// TestImport_goesOnWhereLinesAreLongerThanWhatTheyHold reads more than the reader's room, of lines that are white space
// mostly or that fail, so that a step never gets as large as it may be.
func TestImport_goesOnWhereLinesAreLongerThanWhatTheyHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var text strings.Builder
		space := strings.Repeat(" ", 20_000)
		for i := range 3000 {
			fmt.Fprintf(&text, `{"resourceType":"Patient",%s"id":"p-%d"}`+"\n", space, i)
		}
		w.cloud.set("in/a.ndjson", text.String())
		w.cloud.set("in/b.ndjson", strings.Repeat(`{"resourceType":"Nobody","text":"`+strings.Repeat("x", 12<<20)+"\"}\n", 6)+patient("b"))
		rec := w.start()
		w.work()
		if got := w.describe(rec); got.Progress.Resources != 3001 || got.Progress.Failed != 6 {
			t.Errorf("%s %s %+v", got.State, got.Message, got.Progress)
		}
	})
}
