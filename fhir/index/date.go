package index

import (
	"tarn/fhir"
)

// span is a stretch of time in milliseconds since 0001-01-01T00:00:00Z: from <= t < to.
type span struct{ from, to int64 }

const (
	day      = 24 * 60 * 60 * 1000
	never    = timeBase*timeBase*timeBase*timeBase*timeBase*timeBase*timeBase - 2 // the end of what does not end
	ever     = -1                                                                 // the begin of what has none
	timeBase = 255
	timeLen  = 7
)

// A date is its class, begin and end: entries of a class are in the order of their begins, and none is longer than the
// class allows, so that a search for what is still going on at an instant need not look far before it.
var classes = [4]int64{day, 31 * day, 366 * day, never}

// appendTime appends seven bytes, none of them 0, that sort as times do.
func appendTime(dst []byte, t int64) []byte {
	t = min(max(t, ever), never) + 1
	var b [timeLen]byte
	for i := timeLen - 1; i >= 0; i-- {
		b[i] = byte(t%timeBase) + 1
		t /= timeBase
	}
	return append(dst, b[:]...)
}

func readTime(b []byte) (t int64) {
	for _, c := range b[:timeLen] {
		t = t*timeBase + int64(c) - 1
	}
	return t - 1
}

// class is the index of the class of a span.
func (s span) class() int {
	i := 0
	for i < len(classes)-1 && s.to-s.from > classes[i] {
		i++
	}
	return i
}

func (s span) appendTo(dst []byte) []byte {
	dst = append(dst, byte(formDate+s.class()))
	return appendTime(appendTime(dst, s.from), s.to)
}

// readSpan reads what appendTo wrote, behind the class.
func readSpan(v []byte) (span, bool) {
	if len(v) < 2*timeLen {
		return span{}, false
	}
	return span{readTime(v), readTime(v[timeLen:])}, true
}

// parseDate reads a FHIR date, dateTime or instant as the time that it covers; without a zone it is UTC. In a search the
// seconds may be left out, and a plus sign may have become a space. Digits finer than the millisecond are cut off.
func parseDate(text []byte) (s span, ok bool) {
	p := dateParser{text: text}
	year := p.number(4)
	if p.bad || year < 1 {
		return s, false
	}
	month, dayOfMonth := 1, 1
	switch {
	case p.done():
		return days(year, 1, 1, year+1, 1, 1), true
	case p.skip('-'):
		if month = p.number(2); p.bad || month < 1 || month > 12 {
			return s, false
		}
	default:
		return s, false
	}
	switch {
	case p.done():
		if month == 12 {
			return days(year, 12, 1, year+1, 1, 1), true
		}
		return days(year, month, 1, year, month+1, 1), true
	case p.skip('-'):
		if dayOfMonth = p.number(2); p.bad || dayOfMonth < 1 || dayOfMonth > daysIn(year, month) {
			return s, false
		}
	default:
		return s, false
	}
	from := int64(dayNumber(year, month, dayOfMonth)) * day
	if p.done() {
		return span{from, from + day}, true
	}
	return p.clock(from)
}

type dateParser struct {
	text []byte
	at   int
	bad  bool
}

func (p *dateParser) done() bool { return p.at == len(p.text) }

func (p *dateParser) skip(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *dateParser) number(digits int) (n int) {
	if len(p.text)-p.at < digits {
		p.bad = true
		return 0
	}
	for _, c := range p.text[p.at : p.at+digits] {
		if c < '0' || c > '9' {
			p.bad = true
			return 0
		}
		n = n*10 + int(c-'0')
	}
	p.at += digits
	return n
}

// clock reads the time behind a date that begins at from.
func (p *dateParser) clock(from int64) (s span, ok bool) {
	const minute = 60 * 1000
	if !p.skip('T') {
		return s, false
	}
	hour := p.number(2)
	if !p.skip(':') {
		return s, false
	}
	minutes, precision := p.number(2), int64(minute)
	if p.bad || hour > 23 || minutes > 59 {
		return s, false
	}
	from += int64(hour*60+minutes) * minute
	if p.skip(':') {
		second := p.number(2)
		if p.bad || second > 60 { // a leap second is the first one of the next minute
			return s, false
		}
		from += int64(second) * 1000
		precision = 1000
		if p.skip('.') {
			first := p.at
			for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
				if precision > 1 {
					precision /= 10
					from += int64(p.text[p.at]-'0') * precision
				}
				p.at++
			}
			if p.at == first {
				return s, false
			}
		}
	}
	if !p.done() && !p.skip('Z') {
		sign := int64(1)
		if p.skip('-') {
			sign = -1
		} else if !p.skip('+') && !p.skip(' ') {
			return s, false
		}
		h := p.number(2)
		if !p.skip(':') {
			return s, false
		}
		m := p.number(2)
		if p.bad || h > 14 || m > 59 {
			return s, false
		}
		from -= sign * int64(h*60+m) * minute
	}
	return span{from, from + precision}, p.done()
}

// dayNumber counts days since 0001-01-01 in the Gregorian calendar.
func dayNumber(year, month, dayOfMonth int) int {
	y := year - 1
	n := y*365 + y/4 - y/100 + y/400 + dayOfMonth - 1
	for m := 1; m < month; m++ {
		n += daysIn(year, m)
	}
	return n
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func days(year, month, d, toYear, toMonth, toDay int) span {
	return span{int64(dayNumber(year, month, d)) * day, int64(dayNumber(toYear, toMonth, toDay)) * day}
}

// periodOf is the time of a Period; ends that are absent or no dates are open.
func periodOf(n fhir.Node) (span, bool) {
	s, found := span{ever, never}, false
	if start, ok := dateOf(n.Member("start")); ok {
		s.from, found = start.from, true
	}
	if end, ok := dateOf(n.Member("end")); ok {
		s.to, found = end.to, true
	}
	s.to = max(s.to, s.from+1) // an end before the start breaks the standard
	return s, found
}

func dateOf(n fhir.Node) (span, bool) {
	if n.Kind() != fhir.String {
		return span{}, false
	}
	return parseDate(n.Text())
}

// timingOf is the time between the outer limits of a Timing: its events and bounds. What happens between is ignored.
func timingOf(n fhir.Node) (span, bool) {
	s, found := periodOf(n.Member("repeat").Member("boundsPeriod"))
	for e := n.Member("event").First(); e.Exists(); e = e.Next() {
		if event, ok := dateOf(e); ok {
			if !found {
				s, found = event, true
			}
			s.from, s.to = min(s.from, event.from), max(s.to, event.to)
		}
	}
	return s, found
}
