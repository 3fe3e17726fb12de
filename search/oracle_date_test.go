package search_test

import (
	"slices"
	"strings"
	"time"
)

// stretch is a time with a length: lo <= t < hi in milliseconds.
type stretch struct{ lo, hi int64 }

const (
	early = -1 << 62
	late  = 1 << 62
)

// stretchOf is what a date or dateTime names.
func stretchOf(s string) (stretch, bool) {
	for layout, end := range map[string]func(time.Time) time.Time{
		"2006":       func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
		"2006-01":    func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		"2006-01-02": func(t time.Time) time.Time { return t.AddDate(0, 0, 1) },
	} {
		if len(s) == len(layout) {
			t, err := time.Parse(layout, s)
			return stretch{t.UnixMilli(), end(t).UnixMilli()}, err == nil
		}
	}
	length := int64(1000)
	if len(s) == len("2006-01-02T15:04") { // a search may leave the seconds out
		s, length = s+":00", 60_000
	}
	if !strings.ContainsAny(s[min(len(s), 11):], "Z+-") {
		s += "Z"
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return stretch{}, false
	}
	if _, digits, ok := strings.Cut(s, "."); ok {
		for n := strings.IndexAny(digits, "Z+-"); n > 0 && length > 1; n-- {
			length /= 10
		}
	}
	return stretch{t.UnixMilli(), t.UnixMilli() + length}, true
}

// stretches are the times of a thing.
func stretches(x thing) (out []stretch) {
	s, ok := stretch{}, false
	switch x.of.Name {
	case "date", "dateTime", "instant":
		s, ok = stretchOf(str(x.v))
	case "Period":
		s, ok = periodOf(object(x.v))
	case "Timing": // its outer limits (FHIR R4 section 3.1.1.4.7): what is scheduled between them is ignored
		m := object(x.v)
		s, ok = periodOf(object(object(m["repeat"])["boundsPeriod"]))
		for _, e := range list(m["event"]) {
			event, is := stretchOf(str(e))
			switch {
			case !is:
			case !ok:
				s, ok = event, true
			default:
				s.lo, s.hi = min(s.lo, event.lo), max(s.hi, event.hi)
			}
		}
	}
	if ok {
		out = append(out, s)
	}
	return out
}

// periodOf is the time of a Period; an end that is absent is open.
func periodOf(m map[string]any) (s stretch, ok bool) {
	s = stretch{early, late}
	if start, is := stretchOf(str(m["start"])); is {
		s.lo, ok = start.lo, true
	}
	if end, is := stretchOf(str(m["end"])); is {
		s.hi, ok = end.hi, true
	}
	return s, ok
}

// dateIs is the relation of a prefix between a resource's time and a value's (FHIR R4 section 3.1.1.4.7).
func dateIs(prefix string, got, want stretch, now int64) bool {
	within := got.lo >= want.lo && got.hi <= want.hi
	switch prefix {
	case "", "eq":
		return within
	case "ne":
		return !within
	case "gt":
		return got.hi > want.hi
	case "lt":
		return got.lo < want.lo
	case "ge":
		return got.hi > want.hi || within
	case "le":
		return got.lo < want.lo || within
	case "sa":
		return got.lo >= want.hi
	case "eb":
		return got.hi <= want.lo
	case "ap":
		return got.overlaps(want.widened(now))
	}
	panic(prefix)
}

func (s stretch) overlaps(other stretch) bool { return s.lo < other.hi && other.lo < s.hi }

// widened is the stretch with a tenth of the time that lies between it and now at both sides.
func (s stretch) widened(now int64) stretch {
	tenth := max(s.lo-now, now-s.hi, 0) / 10
	return stretch{s.lo - tenth, s.hi + tenth}
}

// dateText is a time that a thing names, perhaps less precisely.
func (g *generator) dateText(x thing) string {
	m := object(x.v)
	all := []string{str(x.v), str(m["start"]), str(m["end"])}
	bounds := object(object(m["repeat"])["boundsPeriod"])
	all = append(all, str(bounds["start"]), str(bounds["end"]))
	for _, e := range list(m["event"]) {
		all = append(all, str(e))
	}
	all = slices.DeleteFunc(all, func(s string) bool { _, ok := stretchOf(s); return !ok })
	if len(all) == 0 {
		return ""
	}
	text := pick(g, all)
	if len(text) > 4 && g.flip(60) {
		text = text[:pick(g, []int{4, min(7, len(text)), min(10, len(text))})]
	} else if len(text) > 19 && text[16] == ':' && g.flip(20) { // the minute
		text = text[:16]
	}
	return text
}

func (g *generator) date(some anyOf, x thing) (cond, bool) {
	text := g.dateText(x)
	want, ok := stretchOf(text)
	if !ok {
		return cond{}, false
	}
	prefix := g.prefix()
	kinds := []string{"date " + or(prefix, "eq"), "date of " + x.of.Name}
	if len(text) == 16 {
		kinds = append(kinds, "date minute")
	}
	return some(kinds, prefix+text, func(x thing) bool {
		return slices.ContainsFunc(stretches(x), func(s stretch) bool { return dateIs(prefix, s, want, g.o.now) })
	})
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// lastUpdated makes a condition on the instant of versions.
func (g *generator) lastUpdated(d *odoc) cond {
	at := time.UnixMilli(d.instant).UTC().Format("2006-01-02T15:04:05.000Z")
	if g.flip(60) {
		at = at[:pick(g, []int{4, 7, 10, 16, 19})]
	}
	want, _ := stretchOf(at)
	prefix := g.prefix()
	return cond{key: "_lastUpdated", value: prefix + at, kinds: []string{"_lastUpdated " + or(prefix, "eq")}, match: func(_ *oracle, d *odoc) bool {
		return dateIs(prefix, stretch{d.instant, d.instant + 1}, want, g.o.now)
	}}
}
