package export_test

import (
	"testing"

	"tarn/export"
)

// TestStart_holdsOneSnapshotAtATime asks for exports since a moment while there is room for one snapshot only.
func TestStart_holdsOneSnapshotAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), groupOf("g", "Patient/p1"))
	since := w.tells(export.Selection{}).at
	h.add(w, patientOf("p2"), groupOf("g", "Patient/p1", "Patient/p2"))
	space, err := w.engine.Open(t.Context(), "full")
	must(t, err)
	for range snapshots - 1 {
		held, err := space.Snapshot(t.Context())
		must(t, err)
		defer held.Close()
	}
	for _, ask := range []export.Selection{{Since: since}, {Level: export.OfGroup, Group: "g", Since: since}} {
		r := w.request()
		r.Selection = ask
		if _, err := w.exports.Start(t.Context(), r); err != nil {
			t.Errorf("%+v: %v", ask, err)
		}
	}
}
