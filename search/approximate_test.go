package search_test

import (
	"testing"
	"time"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/search"
)

// What is approximately the same as a date depends on the time of the first page, not on that of the others.
func TestApproximately_isTheSameOnAllPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for id, born := range map[string]string{"a": "1996", "b": "1999-06", "c": "2000-02-03", "d": "2001", "e": "2003-05-06", "f": "2007"} {
		w.put(`{"resourceType":"Patient","id":"` + id + `","birthDate":"` + born + `"}`)
	}
	patient, _ := r4.CodeOf("Patient")
	w.now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // a tenth of the time since 2001 is two and a half years
	q := asked{typ: patient, extra: []search.Pair{{Name: "birthdate", Value: "ap2001"}, {Name: "_sort", Value: "birthdate"}, {Name: "_count", Value: "1"}}}
	got, err := q.got(t, w, func() { w.now = time.Date(2001, 7, 1, 0, 0, 0, 0, time.UTC) })
	must(t, err)
	if len(got) != 4 || got[0] != "b" || got[3] != "e" {
		t.Errorf("found %v, want b c d e", got)
	}
	if got, err = q.got(t, w, nil); err != nil || len(got) != 1 || got[0] != "d" {
		t.Errorf("at another time found %v (%v), want d", got, err)
	}
}

// A span of _lastUpdated is widened by a tenth of the time between it and now, and not at all where now lies within.
func TestApproximately_widensSpans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, now, wantFrom, wantTo fhir.Instant }{
		{1000, 2000, 1500, 1000, 2000}, {1000, 2000, 1000, 1000, 2000}, {1000, 2000, 2000, 1000, 2000}, {1000, 2000, 12000, 0, 3000}, {1000, 2000, -9000, 0, 3000},
	} {
		if from, to := search.Approximately(c.from, c.to, c.now); from != c.wantFrom || to != c.wantTo {
			t.Errorf("from %d to %d at %d: from %d to %d, want from %d to %d", c.from, c.to, c.now, from, to, c.wantFrom, c.wantTo)
		}
	}
}
