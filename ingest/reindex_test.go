package ingest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

var (
	patientCode, _     = r4.CodeOf("Patient")
	observationCode, _ = r4.CodeOf("Observation")
)

// outdated fills a world with resources as an earlier release would have: some without entries, some with entries of
// tables that are no more, some deleted, one kept apart.
func (w *world) outdated(n int) {
	w.t.Helper()
	var writes []store.Write
	flush := func() {
		_, err := w.data.Commit(w.t.Context(), store.Transaction{Writes: writes})
		must(w.t, err)
		writes = nil
	}
	for i := range n {
		text := fmt.Sprintf(`{"resourceType":"Patient","id":"p-%d","gender":"female","birthDate":"1980-01-%02d","name":[{"family":"F%d"}]}`, i, 1+i%28, i%7)
		if i%3 == 1 {
			text = fmt.Sprintf(`{"resourceType":"Observation","id":"p-%d","status":"final","code":{"coding":[{"system":"urn:s","code":"c%d"}]},"subject":{"reference":"Patient/p-%d"}}`, i, i%5, i)
		}
		if i == n-1 {
			text = fmt.Sprintf(`{"resourceType":"Patient","id":"p-%d","gender":"male","language":%q}`, i, strings.Repeat("x", 100_000))
		}
		resource, err := parse(text)
		must(w.t, err)
		one := store.Write{Op: store.Put, Type: resource.Code(), ID: resource.ID(), Resource: resource}
		if i%2 == 0 {
			one.Epoch, one.Entries = 999, []store.Entry{{Param: 60_000, Value: []byte("old")}}
		}
		if writes = append(writes, one); len(writes) == 500 {
			flush()
		}
	}
	flush()
	for i := 5; i < n; i += 11 {
		typ := patientCode
		if i%3 == 1 {
			typ = observationCode
		}
		writes = append(writes, store.Write{Op: store.Delete, Type: typ, ID: fmt.Sprintf("p-%d", i)})
	}
	flush()
}

func (w *world) reindex() job.Record {
	w.t.Helper()
	rec, _, err := w.ledger.Enqueue(w.t.Context(), job.New{Kind: ingest.Reindex, Datastore: datastore})
	must(w.t, err)
	return rec
}

// checkIndex compares the entries of every current version with what is extracted from it now, and looks for others.
func (w *world) checkIndex() {
	w.t.Helper()
	ctx := w.t.Context()
	epoch, err := w.data.IndexEpoch(ctx)
	must(w.t, err)
	if epoch != index.Epoch {
		w.t.Errorf("the index is of epoch %d, want %d", epoch, index.Epoch)
	}
	v, err := w.data.Latest(ctx)
	must(w.t, err)
	defer v.Close()
	types, err := v.Types(ctx)
	must(w.t, err)
	parser, extractor := fhir.NewParser(fhir.Limits{}), index.NewExtractor()
	for _, typ := range types {
		scan := v.Scan(ctx, typ, 0, store.End)
		for scan.Next() {
			_, err := parser.Borrow(scan.Body())
			must(w.t, err)
			want := extractor.ExtractOwned(parser.Doc(), typ)
			slices.SortFunc(want, compareEntries)
			got, epoch, err := v.Forward(ctx, typ, scan.Ordinal())
			must(w.t, err)
			if diff := cmp.Diff(want, got); diff != "" || epoch != index.Epoch {
				w.t.Fatalf("%s/%s, epoch %d: %s", typ, scan.Version().ID, epoch, diff)
			}
		}
		must(w.t, scan.Err())
		must(w.t, scan.Close())
		old := v.Hits(ctx, typ, 60_000, store.Values{}, false)
		if old.Next() {
			w.t.Errorf("an old entry of %s %d is left", typ, old.Ordinal())
		}
		must(w.t, old.Close())
	}
}

func compareEntries(a, b store.Entry) int {
	if a.Param != b.Param {
		return int(a.Param) - int(b.Param)
	}
	return strings.Compare(string(a.Value), string(b.Value))
}

// TestReindex_isCompleteAfterAFaultAtEveryWrite indexes an outdated data store anew while each write fails on both sides.
func TestReindex_isCompleteAfterAFaultAtEveryWrite(t *testing.T) {
	t.Parallel()
	life := func(t *testing.T, nth int, side kvtest.Fault) (writes int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.outdated(2300)
			rec := w.reindex()
			if epoch, err := w.data.IndexEpoch(t.Context()); err != nil || epoch != 0 {
				t.Errorf("before: epoch %d, %v", epoch, err)
			}
			before := asJSON(w.versions())
			w.faults.Hook(func(kvtest.Write) kvtest.Fault {
				if writes++; writes == nth {
					return side
				}
				return kvtest.NoFault
			})
			w.work()
			if got := w.describe(rec); got.State != job.Completed {
				t.Errorf("write %d, side %v: %s %s", nth, side, got.State, got.Message)
			}
			w.checkIndex()
			if asJSON(w.versions()) != before {
				t.Error("versions have changed")
			}
			if place, err := w.data.Rider(t.Context(), []byte("reindex/place")); err != nil || place != nil {
				t.Errorf("the place is left: %q, %v", place, err)
			}
		})
		return writes
	}
	writes := life(t, 0, kvtest.NoFault)
	for nth := 1; nth <= writes; nth++ {
		for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
			life(t, nth, side)
		}
	}
}

// TestReindex_goesOnWhereItWasStopped ends the process in the middle, over and over.
func TestReindex_goesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.outdated(3000)
	rec := w.reindex()
	lives := 0
	for ; ; lives++ {
		ctx, stop := context.WithCancel(t.Context())
		w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
			if one.Space != "system" { // the step is written, and then there is no more time
				stop()
			}
			return kvtest.NoFault
		})
		r := job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{ingest.Reindex: w.svc.ReindexWork()}})
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		for ended := false; !ended && ctx.Err() == nil; {
			changed := w.ledger.Changed()
			active, err := w.ledger.Active(t.Context(), "")
			must(t, err)
			if ended = len(active) == 0; !ended {
				select {
				case <-changed:
				case <-ctx.Done():
				}
			}
		}
		stop()
		must(t, <-done)
		if got := w.describe(rec); got.State == job.Completed {
			break
		}
	}
	if lives < 2 {
		t.Errorf("it was stopped %d times only", lives)
	}
	w.faults.Hook(nil)
	w.checkIndex()
}

// TestReindex_besideWrites changes, deletes and creates resources while the job runs.
func TestReindex_besideWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.outdated(3000)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		parser, extractor := fhir.NewParser(fhir.Limits{}), index.NewExtractor()
		for n := 0; ; n++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			id := fmt.Sprintf("p-%d", n*37%3500)
			one := store.Write{Op: store.Delete, Type: patientCode, ID: id}
			if n%4 > 0 {
				resource, err := parser.Parse([]byte(fmt.Sprintf(`{"resourceType":"Patient","id":"%s","gender":"other","birthDate":"19%02d"}`, id, n%100)))
				if err != nil {
					stopped <- err
					return
				}
				one = store.Write{Op: store.Put, Type: patientCode, ID: id, Resource: resource, Entries: extractor.ExtractOwned(parser.Doc(), patientCode), Epoch: index.Epoch}
			}
			if _, err := w.data.Commit(t.Context(), store.Transaction{Writes: []store.Write{one}}); err != nil {
				stopped <- err
				return
			}
		}
	}()
	rec := w.reindex()
	w.work()
	close(stop)
	must(t, <-stopped)
	if got := w.describe(rec); got.State != job.Completed {
		t.Errorf("%s %s", got.State, got.Message)
	}
	w.checkIndex()
}

// TestReindex_hasNothingToDoWhereTheIndexIsFresh runs the job on a data store of today's epoch and on one that is gone.
func TestReindex_hasNothingToDoWhereTheIndexIsFresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.outdated(30)
	w.reindex()
	w.work()
	w.checkIndex()
	head, err := w.data.Head(t.Context())
	must(t, err)
	again := w.reindex()
	w.work()
	if got := w.describe(again); got.State != job.Completed || got.Progress.Resources != 0 {
		t.Errorf("%s %+v", got.State, got.Progress)
	}
	if now, err := w.data.Head(t.Context()); err != nil || now != head {
		t.Errorf("the head has moved from %+v to %+v, %v", head, now, err)
	}
	w.gone = fault.Errorf(fault.Gone, "test", "it is deleted")
	third := w.reindex()
	w.work()
	if got := w.describe(third); got.State != job.Completed {
		t.Errorf("%s %s", got.State, got.Message)
	}
}

// as opens the data store as a program of that epoch does.
func (w *world) as(epoch uint32) {
	w.t.Helper()
	must(w.t, w.data.Close())
	space, err := w.faults.Open(w.t.Context(), "ds-"+datastore)
	must(w.t, err)
	w.data, err = store.Open(w.t.Context(), space, store.Options{Epoch: epoch})
	must(w.t, err)
}

// TestReindex_missesNothingOfAnotherProgram lets another release write in the middle of a reindex and behind its end,
// and this one go on each time.
func TestReindex_missesNothingOfAnotherProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.outdated(3000)
	another := func(id string) {
		w.as(index.Epoch + 1)
		resource, err := parse(`{"resourceType":"Patient","id":"` + id + `","gender":"other"}`)
		must(t, err)
		_, err = w.data.Commit(t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: patientCode, ID: id, Resource: resource,
			Epoch: index.Epoch + 1, Entries: []store.Entry{{Param: 60_000, Value: []byte("old")}}}}})
		must(t, err)
		w.as(index.Epoch)
	}
	w.as(index.Epoch)
	rec := w.reindex()
	ctx, stop := context.WithCancel(t.Context())
	steps := 0
	w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
		if one.Space != "system" {
			if steps++; steps == 2 { // the first step is written, and the process ends in the second
				stop()
				return kvtest.Before
			}
		}
		return kvtest.NoFault
	})
	must(t, w.runner().Run(ctx))
	w.faults.Hook(nil)
	if got := w.describe(rec); got.State != job.InProgress {
		t.Errorf("%s %s", got.State, got.Message)
	}
	another("p-0")
	w.work()
	if got := w.describe(rec); got.State != job.Completed {
		t.Errorf("%s %s", got.State, got.Message)
	}
	w.checkIndex()

	another("p-3")
	if epoch, err := w.data.IndexEpoch(t.Context()); err != nil || epoch == index.Epoch {
		t.Errorf("behind a write of another release: epoch %d, %v", epoch, err)
	}
	w.reindex()
	w.work()
	w.checkIndex()
}
