package export_test

import (
	"strings"
	"testing"
	"time"

	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
)

// TestUntil_windowsThatMeetLoseNothing divides changes into windows, the last of which may not reach beyond the export.
func TestUntil_windowsThatMeetLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"))
	first := w.tells(export.Selection{}).at
	h.add(w, patientOf("p2"))
	at, err := w.store().Fix(t.Context())
	must(t, err)
	h.add(w, patientOf("p3"))
	wants(t, "between", w.tells(export.Selection{Since: first, Until: at.Instant}).live, "Patient/p2")
	wants(t, "behind", w.tells(export.Selection{Since: at.Instant}).live, "Patient/p3")

	for _, ahead := range []time.Duration{time.Second, 30 * time.Second, time.Hour} {
		r := w.request()
		r.Selection.Until = fhir.InstantOf(time.Now().Add(ahead))
		if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "_until") || !strings.Contains(fault.Message(err), "future") {
			t.Errorf("until %v from now: %v", ahead, err)
		}
	}
}
