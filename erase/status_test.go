package erase_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

// TestStatus_readsTheRecordsOfTheErasureAlone looks at an erasure beside another one whose record cannot be read.
func TestStatus_readsTheRecordsOfTheErasureAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		w.rider("erase/record/0000000000000001/another", "damaged")
		if p := w.until(t.Context(), id, erase.Done); p.State != erase.Done || p.Counts()["Patient"] != 1 {
			t.Errorf("%+v", p)
		}
	})
}

// TestStatus_ofAnErasureOfAFormerRelease looks at one of which nothing is noted but its record.
func TestStatus_ofAnErasureOfAFormerRelease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		w.until(t.Context(), id, erase.Done)
		for r, err := range w.data.Riders(t.Context(), []byte("erase/of/")) {
			must(t, err)
			_, err = w.data.Commit(t.Context(), store.Transaction{Riders: []store.Rider{{Key: r.Key}}})
			must(t, err)
		}
		if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Done || p.Counts()["Patient"] != 1 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// TestStatus_ofOneThatThisReleaseCannotRead looks at an erasure that has failed since a newer release had asked for it.
func TestStatus_ofOneThatThisReleaseCannotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		rec, _, err := w.ledger.Enqueue(t.Context(), job.New{Kind: erase.Kind, Datastore: datastore, Params: []byte(`{"format":2}`)})
		must(t, err)
		stop := w.run(t.Context())
		time.Sleep(time.Hour)
		stop()
		if p, err := w.svc.Status(t.Context(), datastore, rec.ID); err != nil || p.State != erase.Failed || p.Message == "" {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// rider writes a row of a data store's own.
func (w *world) rider(key, value string) {
	w.t.Helper()
	_, err := w.data.Commit(w.t.Context(), store.Transaction{Riders: []store.Rider{{Key: []byte(key), Value: []byte(value)}}})
	must(w.t, err)
}

// TestStatus_ofACompartmentInSeveralTransactions looks at it between the first and the last of them, and when exports hold
// up some of what is hidden.
func TestStatus_ofACompartmentInSeveralTransactions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, 2) // it is looked while a purge writes
		left := w.family()
		w.svc.SetAtOnce(10)
		head, err := w.data.Head(t.Context())
		must(t, err)
		w.pins["before"], w.pins["between"], w.pins["after"] = head.Tx, head.Tx+3, head.Tx+1000
		id, _, err := w.svc.Start(t.Context(), request(true))
		must(t, err)
		between := 0
		w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
			if one.Space == "system" { // the job is written down
				return kvtest.NoFault
			}
			if at, err := w.data.Head(t.Context()); err == nil && at.Tx > head.Tx && w.there("Patient", "p1") {
				if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Waiting || len(p.HeldUpBy) > 0 {
					t.Errorf("with %d to go: %+v, %v", w.live()-left, p, err)
				}
				between++
			}
			return kvtest.NoFault
		})
		stop := w.run(t.Context())
		time.Sleep(10 * time.Minute)
		p, err := w.svc.Status(t.Context(), datastore, id)
		must(t, err)
		slices.Sort(p.HeldUpBy)
		if p.State != erase.Hidden || w.live() != left || fmt.Sprint(p.HeldUpBy) != "[before between]" || time.Until(p.Until) < 23*time.Hour {
			t.Errorf("%+v; %d are left, not %d", p, w.live(), left)
		}
		if between == 0 {
			t.Error("there was nothing between the transactions")
		}
		w.mu.Lock()
		delete(w.pins, "before")
		w.mu.Unlock()
		time.Sleep(time.Minute)
		w.mu.Lock()
		w.pins["too late"] = head.Tx + 2 // for what is purged by now
		w.mu.Unlock()
		if p, err = w.svc.Status(t.Context(), datastore, id); err != nil || p.Records[0].Purged == 0 || p.Records[len(p.Records)-1].Purged != 0 {
			t.Errorf("%+v, %v", p, err)
		}
		time.Sleep(25 * time.Hour)
		stop()
		if p, err = w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Done || p.Counts()["Observation"] != 70 || w.holds("secretive") != "" {
			t.Errorf("at last: %+v, %v", p, err)
		}
	})
}

// TestStatus_ofWhatAnotherHasHidden erases a patient twice while an export holds up the first erasure.
func TestStatus_ofWhatAnotherHasHidden(t *testing.T) {
	t.Parallel()
	for _, compartment := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.family()
			head, err := w.data.Head(t.Context())
			must(t, err)
			w.pins["export-1"] = head.Tx
			stop := w.run(t.Context())
			var ids []string
			for range 2 {
				id, _, err := w.svc.Start(t.Context(), request(compartment))
				must(t, err)
				ids = append(ids, id)
				time.Sleep(time.Minute)
			}
			p, err := w.svc.Status(t.Context(), datastore, ids[1])
			if err != nil || p.State != erase.Hidden || len(p.Records) > 0 || fmt.Sprint(p.HeldUpBy) != "[export-1]" || p.Until.IsZero() {
				t.Errorf("the second: %+v, %v", p, err)
			}
			w.mu.Lock()
			delete(w.pins, "export-1")
			w.mu.Unlock()
			time.Sleep(time.Minute)
			if p, err = w.svc.Status(t.Context(), datastore, ids[1]); err != nil || p.State != erase.Done || len(p.Records) > 0 || w.holds("secretive") != "" && compartment {
				t.Errorf("at last: %+v, %v", p, err)
			}
			stop()
		})
	}
}
