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
	h := &hands{wall: time.Now()}
	w := newWorldOf(t, export.Options{Clock: h.clock()})
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
	h.pass(export.OwnExpiry + time.Hour)
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
