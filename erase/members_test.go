package erase_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fhir/r4"
	"tarn/kv/kvtest"
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
		_, err := w.svc.Start(w.t.Context(), one)
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
				id, err := w.svc.Start(t.Context(), request(true))
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
		id, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		w.faults.Hook(nil)
		w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive","given":["Secretive"]}]}`)
		if p := w.until(t.Context(), id, erase.Done); p.State != erase.Done || w.live() != 0 || w.holds("secretive") != "" {
			t.Errorf("%+v; %d are left", p, w.live())
		}
	})
}
