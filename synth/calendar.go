package synth

// stamp is a time in whole seconds since 1970, UTC.
type stamp int64

const (
	minute stamp = 60
	hour         = 60 * minute
	day          = 24 * hour
	year         = 31556952 * stamp(1) // a mean Gregorian year; a month is a twelfth

	month = year / 12

	minYear = 1900
	maxYear = 9999
)

// stampOf is midnight of a date of the proleptic Gregorian calendar.
func stampOf(y, m, d int) stamp {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return stamp(era*146097+doe-719468) * day
}

// date is the year, month and day on which s falls; s is not before the year 1.
func (s stamp) date() (y, m, d int) {
	z := int((s + 719468*day) / day)
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	y, m, d = yoe+era*400, mp+3, doy-(153*mp+2)/5+1
	if m > 12 {
		m -= 12
		y++
	}
	return y, m, d
}

// clock is the second of the day.
func (s stamp) clock() int { return int((s + 719468*day) % day) }

// midnight is the start of the day on which s falls.
func (s stamp) midnight() stamp { return s - stamp(s.clock()) }

// years is the age in completed years, to within a day, of who was born at birth.
func (s stamp) years(birth stamp) int { return int((s - birth) / year) }

func (s stamp) appendDate(b []byte) []byte {
	y, m, d := s.date()
	b = append2(append2(b, y/100), y%100)
	b = append2(append(b, '-'), m)
	return append2(append(b, '-'), d)
}

// appendSecond appends the local date and time without an offset.
func (s stamp) appendSecond(b []byte) []byte {
	b = append(s.appendDate(b), 'T')
	c := s.clock()
	b = append2(b, c/3600)
	b = append2(append(b, ':'), c/60%60)
	return append2(append(b, ':'), c%60)
}

func append2(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// date appends a member with a day.
func (j *json) date(name string, s stamp) {
	j.key(name)
	j.buf = append(j.buf, '"')
	j.buf = s.appendDate(j.buf)
	j.buf = append(j.buf, '"')
}

// dateTime appends a member with a second of universal time.
func (j *json) dateTime(name string, s stamp) {
	j.key(name)
	j.buf = append(j.buf, '"')
	j.buf = s.appendSecond(j.buf)
	j.buf = append(j.buf, "+00:00\""...)
}

// instant appends a member with a millisecond of universal time.
func (j *json) instant(name string, s stamp, ms int) {
	j.key(name)
	j.buf = append(j.buf, '"')
	j.buf = s.appendSecond(j.buf)
	j.buf = append(j.buf, '.', byte('0'+ms/100))
	j.buf = append2(j.buf, ms%100)
	j.buf = append(j.buf, "+00:00\""...)
}

// localTime appends a member with a second as an American clock shows it: an hour later in summer.
func (j *json) localTime(name string, s stamp, zone int) {
	if _, m, _ := s.date(); m >= 4 && m <= 10 {
		zone++
	}
	j.key(name)
	j.buf = append(j.buf, '"')
	j.buf = (s + stamp(zone)*hour).appendSecond(j.buf)
	j.buf = append(j.buf, '-')
	j.buf = append2(j.buf, -zone)
	j.buf = append(j.buf, ":00\""...)
}
