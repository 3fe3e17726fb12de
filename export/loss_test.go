package export_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"tarn/export"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// erase takes resources TYPE/id-N away; purge removes them too.
func (w *world) erase(typ string, purge bool, numbers ...int) store.TxID {
	w.t.Helper()
	code, _ := r4.CodeOf(typ)
	var e store.Erasure
	for _, n := range numbers {
		e.Resources = append(e.Resources, store.Name{Type: code, ID: fmt.Sprintf("id-%d", n)})
	}
	results, err := w.store().Erase(w.t.Context(), e)
	must(w.t, err)
	if purge {
		var places []store.Place
		for _, r := range results {
			places = append(places, store.Place{Type: r.Type, Ordinal: r.Ordinal})
		}
		must(w.t, w.store().Purge(w.t.Context(), places, results[0].Tx))
	}
	return results[0].Tx
}

// lossOf is what the data store has lost of an export, and the digests.
func (w *world) lossOf(id string) (export.Loss, []export.File) {
	w.t.Helper()
	var all []export.File
	loss, err := w.exports.Digests(w.t.Context(), w.data.ID, id, func(f export.File) error {
		all = append(all, f)
		return nil
	})
	must(w.t, err)
	return loss, all
}

// TestVerify_saysWhatWasErasedSince erases after an export, and plants faults.
func TestVerify_saysWhatWasErasedSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 10_200, "en")
	w.put("Slot", 0, 30, "en")
	w.delete("Patient", 5, 6)
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	before := w.digests(rec.ID)
	gone := w.erase("Patient", true, 5, 7, 8, 6000) // the first of them was deleted before the export
	late := w.erase("Slot", false, 3)
	loss, digests := w.lossOf(rec.ID)
	if loss.Count() != 4 || loss.Erased[gone] != 3 || loss.Erased[late] != 1 || loss.Removed != 0 {
		t.Errorf("lost: %+v", loss)
	}
	if !slices.Equal(digests, before) {
		t.Errorf("the digests are\n%v\nwant\n%v", digests, before)
	}
	name := digests[0].Name
	for what, plant := range map[string]func(folder){
		"":                func(folder) {},
		"an altered line": func(f folder) { f[name] = bytes.Replace(f[name], []byte("1.0"), []byte("1.1"), 1) },
		"a missing line":  func(f folder) { f[name] = f[name][bytes.IndexByte(f[name], '\n')+1:] },
		"altered together": func(f folder) {
			f[name] = bytes.Replace(f[name], []byte("1.0"), []byte("1.1"), 1)
			f[export.ManifestName] = bytes.Replace(f[export.ManifestName], []byte(digests[0].SHA256), []byte(sha256Hex(f[name])), 1)
		},
	} {
		f := w.folder(rec.ID)
		plant(f)
		report, err := export.Verify(t.Context(), f, digests, nil)
		must(t, err)
		if (what == "") != (len(report.Problems) == 0) {
			t.Errorf("%q: problems %v", what, report.Problems)
		}
	}

	// Retention takes the versions that the export holds.
	w.put("Patient", 20, 23, "de")
	head, err := w.store().Head(t.Context())
	must(t, err)
	if _, n, err := w.store().Trim(t.Context(), store.Keep{Horizon: head.Tx}, store.Place{}); err != nil || n != 3 {
		t.Errorf("trimmed %d, %v", n, err)
	}
	loss, digests = w.lossOf(rec.ID)
	if loss.Removed != 3 || loss.Count() != 7 || !slices.Equal(digests, before) {
		t.Errorf("lost: %+v", loss)
	}
}

// TestExport_keepsToWhatItHasPinned erases while an export waits: it holds what was there. A purge that does not wait for it
// costs it the resource and no more.
func TestExport_keepsToWhatItHasPinned(t *testing.T) {
	t.Parallel()
	for _, purge := range []bool{false, true} {
		w := newWorld(t)
		w.put("Patient", 0, 40, "en")
		rec, err := w.exports.Start(t.Context(), w.request())
		must(t, err)
		pinned := 0
		must(t, w.exports.Pinned(t.Context(), w.data.ID, func(id string, tx store.TxID) { pinned++ }))
		w.erase("Patient", purge, 4, 5)
		w.run()
		want := 40
		if purge {
			want = 38
		}
		if lines := w.lines(rec.ID)["Patient"]; len(lines) != want || pinned != 1 {
			t.Errorf("purged %v: %d lines, %d pins", purge, len(lines), pinned)
		}
		if !purge {
			w.erase("Patient", true, 4, 5)
			code, _ := r4.CodeOf("Patient")
			must(t, w.store().Purge(t.Context(), []store.Place{{Type: code, Ordinal: 4}, {Type: code, Ordinal: 5}}, 1<<60))
		}
		loss, digests := w.lossOf(rec.ID)
		if loss.Count() != 2 {
			t.Errorf("purged %v: lost %+v", purge, loss)
		}
		report, err := export.Verify(t.Context(), w.folder(rec.ID), digests, nil)
		must(t, err)
		if len(report.Problems) > 0 || report.Verified != want {
			t.Errorf("purged %v: verified %d, %v", purge, report.Verified, report.Problems)
		}
	}
}

// TestExport_tellsOfErasures asks for changes since an earlier export, of the system and of one patient.
func TestExport_tellsOfErasures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 10, "en")
	w.put("Observation", 0, 10, "en")
	at, err := w.store().Fix(t.Context())
	must(t, err)
	w.erase("Observation", true, 2)
	w.erase("Patient", true, 9)
	for _, level := range []export.Selection{{}, {Level: export.Patients, Patients: []string{"id-1"}}} {
		r := w.request()
		r.Selection = level
		r.Selection.Since, r.Selection.Deleted = at.Instant, true
		rec, err := w.exports.Start(t.Context(), r)
		must(t, err)
		w.run()
		told := ""
		for name, b := range w.folder(rec.ID) {
			if strings.HasPrefix(name, export.DeletedFolder+"/") {
				told += string(b)
			}
		}
		if !strings.Contains(told, `"Observation/id-2"`) || !strings.Contains(told, `"Patient/id-9"`) {
			t.Errorf("%+v tells %q", level, told)
		}
	}
}

// trim lets retention take all history that an export of now does not need.
func (w *world) trim() {
	w.t.Helper()
	head, err := w.store().Head(w.t.Context())
	must(w.t, err)
	_, _, err = w.store().Trim(w.t.Context(), store.Keep{Horizon: head.Tx}, store.Place{})
	must(w.t, err)
}

// TestVerify_ofWhatHasChangedHoldsAfterATrim takes the history away that the plans were made from, but nothing that the
// exports hold.
func TestVerify_ofWhatHasChangedHoldsAfterATrim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), patientOf("p2"), groupOf("g", "Patient/p1"), observationOf(1, "p1", ""), observationOf(2, "p1", ""), observationOf(3, "p2", ""))
	since := w.tells(export.Selection{Level: export.OfGroup, Group: "g"}).at
	h.add(w, groupOf("g", "Patient/p1", "Patient/p2"), observationOf(1, "p1", `,"note":[{"text":"x"}]`))
	w.remove("Observation/o00002")
	var made []told
	for _, sel := range []export.Selection{
		{Level: export.OfGroup, Group: "g", Since: since},
		{Level: export.OfGroup, Group: "g", Since: since, Organize: export.ByPatient},
		{Level: export.Patients, Patients: []string{"p1"}, Since: since},
		{Since: since},
	} {
		made = append(made, w.tells(sel))
	}
	wants(t, "the group", made[0].live, "Group/g Observation/o00001 Observation/o00003 Patient/p2")
	wants(t, "the group's deletions", made[0].deleted, "Observation/o00002")
	w.trim()
	for _, x := range made {
		w.proves(x.rec.ID, w.folder(x.rec.ID))
		if loss, _ := w.lossOf(x.rec.ID); loss.Count() > 0 {
			t.Errorf("lost %+v", loss)
		}
	}
}

// changing are queries that find the first resource of each type, and nothing once they are told to.
type changing struct{ nothing *bool }

func (c changing) SelectSeen(context.Context, *store.View, string, []r4.Code, r4.Code, string) iter.Seq2[store.Ordinal, error] {
	return func(yield func(store.Ordinal, error) bool) { _ = *c.nothing || yield(0, nil) }
}

func (c changing) CheckSelectSeen(context.Context, *store.View, string, []r4.Code, r4.Code, string) error {
	return nil
}

// TestVerify_takesTheRulesOfThatTime verifies exports that chose by rules of which this release has others.
func TestVerify_takesTheRulesOfThatTime(t *testing.T) {
	t.Parallel()
	nothing := false
	w := newWorldOf(t, export.Options{Queries: changing{&nothing}})
	hospital{}.add(w, patientOf("p1"), patientOf("p2"))
	r := w.request()
	r.Selection.Filters = []string{"Patient?active=true"}
	today, err := w.exports.Start(t.Context(), r)
	must(t, err)
	before := bytes.Replace(w.describe(today.ID).Params, []byte(`"format":6`), []byte(`"format":5`), 1)
	former, _, err := w.ledger.Enqueue(t.Context(), job.New{Kind: export.Kind, Datastore: w.data.ID, Params: before})
	must(t, err)
	w.run()
	nothing = true
	if f := w.folder(former.ID); len(w.lines(former.ID)["Patient"]) != 1 {
		t.Errorf("the export holds %v", f)
	} else {
		w.proves(former.ID, f)
	}
	if _, digests := w.lossOf(today.ID); len(digests) > 0 {
		t.Errorf("the export of today is proved by %v", digests)
	}
}

// TestExport_tellsOfDeletionsWhoseHistoryHasGone asks for changes since an earlier export when retention has taken what was
// deleted: all are told of what nobody knows the owner of.
func TestExport_tellsOfDeletionsWhoseHistoryHasGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), patientOf("p2"), groupOf("g", "Patient/p1"), observationOf(1, "p1", ""), observationOf(2, "p2", ""), observationOf(3, "p1", ""),
		`{"resourceType":"Organization","id":"o1"}`, provenanceOf("v1", "Observation/o00001"), provenanceOf("v2", "Observation/o00002"), provenanceOf("v3", "Organization/o1"))
	since := w.tells(export.Selection{}).at
	w.remove("Observation/o00001", "Observation/o00002", "Provenance/v2", "Organization/o1", "Provenance/v3")
	asks := map[string]export.Selection{
		"a group":         {Level: export.OfGroup, Group: "g", Since: since},
		"a patient":       {Level: export.Patients, Patients: []string{"p1"}, Since: since},
		"with Provenance": {Level: export.Patients, Patients: []string{"p1"}, Since: since, Associated: export.RelevantProvenance},
		"in blocks":       {Level: export.Patients, Patients: []string{"p1"}, Since: since, Organize: export.ByPatient},
		"all patients":    {Level: export.Patients, Since: since},
	}
	for name, ask := range asks {
		want := "Observation/o00001"
		if name == "all patients" {
			want += " Observation/o00002 Provenance/v2"
		}
		wants(t, name, w.tells(ask).deleted, want)
	}
	w.trim()
	h.add(w, observationOf(4, "p1", ""), observationOf(5, "p1", "")) // after it history is whole
	w.remove("Observation/o00003", "Observation/o00004")
	for name, ask := range asks {
		x := w.tells(ask)
		wants(t, name+" after a trim", x.deleted, "Observation/o00001 Observation/o00002 Observation/o00003 Observation/o00004 Provenance/v2 Provenance/v3")
		if !slices.Contains(x.live, "Observation/o00005") {
			t.Errorf("%s after a trim: %v", name, x.live)
		}
	}
}
