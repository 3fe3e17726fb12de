package erase_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

// there reports whether a resource is live.
func (w *world) there(typ, id string) bool {
	w.t.Helper()
	code, _ := r4.CodeOf(typ)
	v, err := w.data.Latest(w.t.Context())
	must(w.t, err)
	defer v.Close()
	_, err = v.Read(w.t.Context(), code, id)
	return err == nil
}

// TestErasure_meansWhatWasThereWhenItWasAskedFor changes things between the request and the job, which stands in a queue.
func TestErasure_meansWhatWasThereWhenItWasAskedFor(t *testing.T) {
	t.Parallel()
	observation := func(id, text, patient string) string {
		return `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"` + text + `"},"subject":{"reference":"Patient/` + patient + `"}}`
	}
	erased := func(w *world, typ, id string) {
		one := request(false)
		one.Type, _ = r4.CodeOf(typ)
		one.ID = id
		_, _, err := w.svc.Start(w.t.Context(), one)
		must(w.t, err)
	}
	for _, tt := range []struct {
		name          string
		before, after func(w *world)
		typ, id       string
		stays         bool
		holds         bool // a row may tell of it
	}{
		{"updated", func(w *world) { w.put(observation("o", "secretive", "p1")) }, func(w *world) { w.put(observation("o", "secretive too", "p1")) }, "Observation", "o", false, false},
		{"deleted", func(w *world) { w.put(observation("o", "secretive", "p1")) }, func(w *world) { w.delete("Observation", "o") }, "Observation", "o", false, false},
		{"deleted and made again", func(w *world) { w.put(observation("o", "secretive", "p1")) }, func(w *world) { w.delete("Observation", "o"); w.put(observation("o", "secretive", "p1")) }, "Observation", "o", false, false},
		{"the patient is updated", func(*world) {}, func(w *world) { w.put(`{"resourceType":"Patient","id":"p1","active":true}`) }, "Patient", "p1", false, false},
		{"the patient is deleted", func(*world) {}, func(w *world) { w.delete("Patient", "p1") }, "Patient", "p1", false, false},
		{"given to another patient", func(w *world) { w.put(observation("o", "secretive", "p1")) }, func(w *world) { w.put(observation("o", "x", "p2")) }, "Observation", "o", true, true},
		{"made first", func(*world) {}, func(w *world) { w.put(observation("o", "secretive", "p1")) }, "Observation", "o", true, true},
		{"erased and made anew", func(w *world) { w.put(observation("o", "secretive", "p1")) }, func(w *world) { erased(w, "Observation", "o"); w.put(observation("o", "x", "p1")) }, "Observation", "o", true, false},
		{"made anew of what was erased before", func(w *world) { w.put(observation("o", "secretive", "p1")); erased(w, "Observation", "o") },
			func(w *world) { w.put(observation("o", "x", "p1")) }, "Observation", "o", true, false},
		{"the patient is erased and made anew", func(*world) {}, func(w *world) { erased(w, "Patient", "p1"); w.put(`{"resourceType":"Patient","id":"p1"}`) }, "Patient", "p1", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive"}]}`)
				tt.before(w)
				id, _, err := w.svc.Start(t.Context(), request(true))
				must(t, err)
				tt.after(w)
				p := w.until(t.Context(), id, erase.Done)
				time.Sleep(time.Minute)
				if p.State != erase.Done || w.there(tt.typ, tt.id) != tt.stays {
					t.Errorf("%+v; it is there: %v", p, !tt.stays)
				}
				if row := w.holds("secretive"); row != "" && !tt.holds {
					t.Errorf("row %s still tells", row)
				}
			})
		})
	}
}

// TestErasure_ofOneIsDoneByItsJobWhenTheRequestCouldNot fails the request's own attempt; the resource is updated until the job runs.
func TestErasure_ofOneIsDoneByItsJobWhenTheRequestCouldNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive"}]}`)
		w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
			if one.Space != "system" {
				return kvtest.Before
			}
			return kvtest.NoFault
		})
		id, state, err := w.svc.Start(t.Context(), request(false))
		if must(t, err); state != erase.Waiting {
			t.Errorf("it is said to be %s", state)
		}
		w.faults.Hook(nil)
		w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive","given":["Secretive"]}]}`)
		if p := w.until(t.Context(), id, erase.Done); p.State != erase.Done || w.live() != 0 || w.holds("secretive") != "" {
			t.Errorf("%+v; %d are left", p, w.live())
		}
	})
}

// meanwhile does something when the erasure has taken its view and looks for what it means.
type meanwhile struct {
	erase.Queries
	once func()
}

func (m meanwhile) Select(ctx context.Context, v *store.View, base string, typ r4.Code, query string) iter.Seq2[store.Ordinal, error] {
	m.once()
	return m.Queries.Select(ctx, v, base, typ, query)
}

// TestErasure_decidesAnewOfWhatIsChangedMeanwhile changes things when the erasure has seen them and not hidden them yet.
func TestErasure_decidesAnewOfWhatIsChangedMeanwhile(t *testing.T) {
	t.Parallel()
	observation := func(patient string) string {
		return `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"secretive"},"subject":{"reference":"Patient/` + patient + `"}}`
	}
	for _, tt := range []struct {
		name    string
		change  func(w *world)
		typ, id string
		stays   bool
		kept    string
	}{
		{"moved to another patient", func(w *world) { w.put(observation("p2")) }, "Observation", "o", true, "[Observation/o]"},
		{"updated", func(w *world) { w.put(observation("p1")) }, "Observation", "o", false, "[]"},
		{"deleted", func(w *world) { w.delete("Observation", "o") }, "Observation", "o", false, "[]"},
		{"the patient is updated", func(w *world) { w.put(`{"resourceType":"Patient","id":"p1","active":true}`) }, "Patient", "p1", false, "[]"},
		{"erased and made anew", func(w *world) {
			one := request(false)
			one.Type, _ = r4.CodeOf("Observation")
			one.ID = "o"
			_, _, err := w.svc.Start(w.t.Context(), one)
			must(w.t, err)
			w.put(observation("p1"))
		}, "Observation", "o", true, "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorldOf(t, 2) // the change comes while the erasure holds its view
				w.o.Queries = meanwhile{w.o.Queries, sync.OnceFunc(func() { tt.change(w) })}
				w.svc = erase.New(w.o)
				w.put(`{"resourceType":"Patient","id":"p1"}`)
				w.put(observation("p1"))
				w.put(`{"resourceType":"Observation","id":"other","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`)
				id, _, err := w.svc.Start(t.Context(), request(true))
				must(t, err)
				p := w.until(t.Context(), id, erase.Done)
				if p.State != erase.Done || w.there(tt.typ, tt.id) != tt.stays || w.there("Patient", "p1") || w.there("Observation", "other") || fmt.Sprint(p.Records[0].Kept) != tt.kept {
					t.Errorf("%+v; it is there: %v", p, w.there(tt.typ, tt.id))
				}
			})
		})
	}
}

// TestErasure_tellsHowFarItsSearchIs looks at a long history for longer than a work may go on without any progress.
func TestErasure_tellsHowFarItsSearchIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.o.Queries = meanwhile{w.o.Queries, func() { time.Sleep(job.DefaultStuckAfter * 2 / 3) }}
		w.svc = erase.New(w.o)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		for _, typ := range []string{"Observation", "Condition", "Procedure", "Encounter"} {
			for range 3 {
				w.put(`{"resourceType":"` + typ + `","id":"x","status":"final","subject":{"reference":"Patient/p1"}}`)
			}
		}
		id, _, err := w.svc.Start(t.Context(), request(true))
		must(t, err)
		p := w.until(t.Context(), id, erase.Done)
		rec, err := w.ledger.Describe(t.Context(), datastore, id)
		must(t, err)
		if p.State != erase.Done || p.Counts()["Observation"] != 1 || rec.Progress.ResourcesTotal == 0 || rec.Progress.Resources != 5 {
			t.Errorf("%+v, %+v", p, rec.Progress)
		}
	})
}
