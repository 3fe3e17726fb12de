package rest

import (
	"strings"
	"time"

	"tarn/fhir"
	"tarn/interaction"
)

// parsePeriod reads a date, a dateTime or an instant of FHIR as the time that it stands for: 2026 is the whole year, an
// instant one millisecond or one second. What has no time zone is UTC.
func parsePeriod(s string) (p interaction.Period, ok bool) {
	s = strings.ReplaceAll(s, " ", "+") // a plus in a query is a space
	if strings.Contains(s, "T") && !strings.HasSuffix(s, "Z") && strings.LastIndexAny(s, "+-") < strings.Index(s, "T") {
		s += "Z"
	}
	if at, err := fhir.ParseInstant(s); err == nil {
		length := fhir.Instant(1)
		if !strings.Contains(s, ".") {
			length = 1000
		}
		return interaction.Period{From: at, Until: at + length}, true
	}
	for _, form := range []struct {
		layout string
		next   func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	} {
		if len(s) != len(form.layout) && !strings.Contains(form.layout, "T") {
			continue
		}
		if t, err := time.Parse(form.layout, s); err == nil {
			return interaction.Period{From: fhir.InstantOf(t), Until: fhir.InstantOf(form.next(t))}, true
		}
	}
	return p, false
}
