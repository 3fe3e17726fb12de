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

// TestUntil_holdsForMembersWhoJoined asks for a window in which a member joined, and behind which its data were changed.
func TestUntil_holdsForMembersWhoJoined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), patientOf("p2"), groupOf("g", "Patient/p1"), observationOf(1, "p1", ""), observationOf(2, "p2", ""), observationOf(3, "p2", ""),
		provenanceOf("v2", "Observation/o00002"), provenanceOf("v3", "Observation/o00003"))
	since := w.tells(export.Selection{Level: export.OfGroup, Group: "g"}).at
	h.add(w, groupOf("g", "Patient/p1", "Patient/p2"))
	until, err := w.store().Fix(t.Context())
	must(t, err)
	h.add(w, observationOf(2, "p2", `,"note":[{"text":"later"}]`), provenanceOf("v3", "Observation/o00002"), observationOf(4, "p2", ""))
	ask := export.Selection{Level: export.OfGroup, Group: "g", Since: since, Until: until.Instant}
	wants(t, "the window", w.tells(ask).live, "Group/g Observation/o00003 Patient/p2 Provenance/v2")
	ask.Since, ask.Until = until.Instant, 0
	wants(t, "the next one", w.tells(ask).live, "Observation/o00002 Observation/o00004 Provenance/v3")
}
