package search

import (
	"strings"
	"time"

	"tarn/fhir"
)

// parseSpan is the time that a date names, from its first millisecond to the one after its last: the whole year of 2026.
// What names no zone is UTC. Seconds may be left out, and so may the zone (FHIR R4 section 3.1.1.4.7).
func parseSpan(text string) (from, to fhir.Instant, ok bool) {
	for _, form := range []struct {
		layout string
		end    func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	} {
		if len(text) == len(form.layout) {
			t, err := time.Parse(form.layout, text)
			return fhir.InstantOf(t), fhir.InstantOf(form.end(t)), err == nil && t.Year() > 0
		}
	}
	date, clock, found := strings.Cut(text, "T")
	if !found || len(date) != len("2006-01-02") {
		return 0, 0, false
	}
	clock = strings.Replace(clock, " ", "+", 1) // a plus that nobody escaped
	zone := "Z"
	if at := strings.IndexAny(clock, "Z+-"); at >= 0 {
		clock, zone = clock[:at], clock[at:]
	}
	length := fhir.Instant(1000)
	switch {
	case len(clock) == len("15:04"):
		clock, length = clock+":00", 60_000
	case strings.Contains(clock, "."):
		digits := len(clock) - len("15:04:05.")
		length = 1
		for ; digits < 3; digits++ {
			length *= 10
		}
	}
	from, err := fhir.ParseInstant(date + "T" + clock + zone)
	if err != nil {
		return 0, 0, false
	}
	return from, from + length, true
}
