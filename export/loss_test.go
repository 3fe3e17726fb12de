package export_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/export"
	"tarn/fhir/r4"
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
