package export_test

import (
	"strings"
	"testing"
	"time"

	"tarn/export"
	"tarn/kv"
)

// TestClean_passesOverAJobThatCannotBeRead damages the record of one of two exports that have expired.
func TestClean_passesOverAJobThatCannotBeRead(t *testing.T) {
	t.Parallel()
	now := time.Now()
	w := newWorldOf(t, export.Options{Now: func() time.Time { return now }})
	w.put("Patient", 0, 10, "en")
	var ids []string
	for range 2 {
		rec, err := w.exports.Start(t.Context(), export.Request{Datastore: w.data.ID, DatastoreARN: w.data.ARN, Own: true})
		must(t, err)
		w.run()
		ids = append(ids, rec.ID)
	}
	first, second := min(ids[0], ids[1]), max(ids[0], ids[1]) // in the order of their files
	space, err := w.engine.Open(t.Context(), "system")
	must(t, err)
	must(t, space.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) {
		b := new(kv.Batch)
		b.Set([]byte("job/r/"+first), []byte("damaged"))
		return b, nil
	}))
	now = now.Add(export.OwnExpiry + time.Hour)
	if err := w.exports.Clean(t.Context()); err == nil || !strings.Contains(err.Error(), first) {
		t.Errorf("cleaning says %v", err)
	}
	own, err := w.cloud.Own(t.Context())
	must(t, err)
	left := map[string]bool{}
	for o, err := range own.List(t.Context(), "") {
		must(t, err)
		left[strings.Split(o.Key, "/")[1]] = true
	}
	if !left[first] || left[second] {
		t.Errorf("left are files of %v, want those of %s alone", left, first)
	}
}

// TestClean_deletesWhatEndedWhileTheClockWasAhead lets one export end fourteen years too late, and another one after the
// clock was set right.
func TestClean_deletesWhatEndedWhileTheClockWasAhead(t *testing.T) {
	t.Parallel()
	right := time.Now()
	now := right.Add(14 * 365 * 24 * time.Hour)
	w := newWorldOf(t, export.Options{Now: func() time.Time { return now }})
	w.put("Patient", 0, 10, "en")
	one := func() {
		_, err := w.exports.Start(t.Context(), export.Request{Datastore: w.data.ID, DatastoreARN: w.data.ARN, Own: true})
		must(t, err)
		w.run()
	}
	one()
	now = right
	one()
	left := func() int {
		must(t, w.exports.Clean(t.Context()))
		own, err := w.cloud.Own(t.Context())
		must(t, err)
		folders := map[string]bool{}
		for o, err := range own.List(t.Context(), "") {
			must(t, err)
			folders[strings.Split(o.Key, "/")[1]] = true
		}
		return len(folders)
	}
	if n := left(); n != 2 {
		t.Errorf("files of %d exports, want 2", n)
	}
	now = now.Add(export.OwnExpiry - time.Hour)
	if n := left(); n != 2 {
		t.Errorf("files of %d exports within the time, want 2", n)
	}
	now = now.Add(2 * time.Hour)
	if n := left(); n != 0 {
		t.Errorf("files of %d exports are left", n)
	}
}
