package export_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/catalog"
	"tarn/export"
	"tarn/kv"
	"tarn/store"
)

// tear takes the current row of a Patient out of the data store's files, as no call of the store does.
func (w *world) tear(id string) {
	w.t.Helper()
	space, err := w.engine.Open(w.t.Context(), catalog.SpaceName(w.data.ID))
	must(w.t, err)
	torn := 0
	must(w.t, space.Update(w.t.Context(), nil, func(tx kv.Locked) (*kv.Batch, error) {
		b := new(kv.Batch)
		it := tx.Scan(w.t.Context(), kv.Range{})
		defer func() { _ = it.Close() }()
		for it.Next() {
			if value := string(it.Value()); len(it.Key()) == 7 && len(value) > 35 && strings.HasPrefix(value[35:], id+"{") {
				b.Delete(slices.Clone(it.Key()))
				torn++
			}
		}
		return b, it.Err()
	}))
	if torn != 1 {
		w.t.Fatalf("%d rows of %s torn", torn, id)
	}
}

// TestDigests_whatIsLostExcusesNothingElse loses resources of a part lawfully, and then another by a damage.
func TestDigests_whatIsLostExcusesNothingElse(t *testing.T) {
	t.Parallel()
	some := export.Selection{Level: export.Patients, Patients: []string{"id-1", "id-307", "id-590"}} // far apart: looked up one by one
	trim := func(w *world) {
		w.put("Patient", 1, 2, "de")
		head, err := w.store().Head(w.t.Context())
		must(w.t, err)
		_, n, err := w.store().Trim(w.t.Context(), store.Keep{Horizon: head.Tx}, store.Place{})
		must(w.t, err)
		if n != 1 {
			w.t.Errorf("trimmed %d", n)
		}
	}
	erase := func(w *world) { w.erase("Patient", true, 1) }
	for name, test := range map[string]struct {
		selection export.Selection
		lose      func(*world)
	}{
		"a range, erased":   {export.Selection{}, erase},
		"a range, trimmed":  {export.Selection{}, trim},
		"members, erased":   {some, erase},
		"members, trimmed":  {some, trim},
		"blocks, erased":    {export.Selection{Organize: export.ByPatient}, erase},
		"blocks, trimmed":   {export.Selection{Organize: export.ByPatient}, trim},
		"followed, erased":  {export.Selection{Organize: export.ByPatient, References: true}, erase},
		"followed, trimmed": {export.Selection{Organize: export.ByPatient, References: true}, trim},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var bodies []string
			for n := range 600 {
				bodies = append(bodies, fmt.Sprintf(`{"resourceType":"Patient","id":"id-%d"}`, n))
			}
			hospital{}.add(w, bodies...)
			r := w.request()
			r.Selection = test.selection
			rec, err := w.exports.Start(t.Context(), r)
			must(t, err)
			w.run()
			before := w.digests(rec.ID)
			test.lose(w)
			if loss, digests := w.lossOf(rec.ID); loss.Count() != 1 || !slices.Equal(digests, before) {
				t.Errorf("lost %+v, the digests are %v, want %v", loss, digests, before)
			}
			w.tear("id-307")
			_, err = w.exports.Digests(t.Context(), w.data.ID, rec.ID, func(export.File) error { return nil })
			if err == nil || !strings.Contains(err.Error(), "its plan says") {
				t.Errorf("with a row torn: %v", err)
			}
		})
	}
}

// TestDigests_anErasureMeanwhile erases and trims between the parts of one proof.
func TestDigests_anErasureMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, export.Options{Workers: 1})
	for _, typ := range []string{"Patient", "Schedule", "Slot"} {
		w.put(typ, 0, 30, "en")
	}
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	before := w.digests(rec.ID)
	var again []export.File
	loss, err := w.exports.Digests(t.Context(), w.data.ID, rec.ID, func(f export.File) error {
		switch again = append(again, f); f.Type {
		case "Patient":
			w.erase("Schedule", true, 3)
		case "Schedule":
			w.put("Slot", 4, 5, "de")
			head, err := w.store().Head(t.Context())
			must(t, err)
			_, _, err = w.store().Trim(t.Context(), store.Keep{Horizon: head.Tx}, store.Place{})
			must(t, err)
		}
		return nil
	})
	must(t, err)
	if loss.Count() != 2 || loss.Removed != 1 || !slices.Equal(again, before) {
		t.Errorf("lost %+v, the digests are\n%v\nwant\n%v", loss, again, before)
	}
}
