package fhir

import (
	"time"

	"tarn/fault"
)

// Instant is a point in time in milliseconds since 1970-01-01T00:00:00Z: the precision of meta.lastUpdated here.
type Instant int64

const (
	minInstant Instant = -62135596800000 // 0001-01-01T00:00:00.000Z
	maxInstant Instant = 253402300799999 // 9999-12-31T23:59:59.999Z
	instantLen         = len("2006-01-02T15:04:05.000Z")
)

// InstantOf is t cut down to the millisecond.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMilli()) }

// Time is the instant in UTC.
func (at Instant) Time() time.Time { return time.UnixMilli(int64(at)).UTC() }

// String is the instant as FHIR writes it, in UTC with three digits of a second: 2006-01-02T15:04:05.000Z.
func (at Instant) String() string { return string(at.AppendTo(make([]byte, 0, instantLen))) }

// AppendTo appends String to dst: always 24 bytes. FHIR has the years 0001 to 9999 only; what lies outside becomes
// the nearest instant inside.
func (at Instant) AppendTo(dst []byte) []byte {
	t := min(max(at, minInstant), maxInstant).Time()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	milli := t.Nanosecond() / 1e6
	return append(dst,
		digit(year/1000), digit(year/100), digit(year/10), digit(year), '-',
		digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day), 'T',
		digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute), ':', digit(second/10), digit(second), '.',
		digit(milli/100), digit(milli/10), digit(milli), 'Z')
}

func digit(n int) byte { return '0' + byte(n%10) }

// MarshalText is String.
func (at Instant) MarshalText() ([]byte, error) { return at.AppendTo(nil), nil }

// UnmarshalText is ParseInstant.
func (at *Instant) UnmarshalText(text []byte) (err error) {
	*at, err = ParseInstant(string(text))
	return err
}

// ParseInstant reads a FHIR instant: date, time to the second or finer, and a time zone (Z or +hh:mm). Digits finer than
// the millisecond are cut off; a leap second is the first moment of the next minute. The error is fault.Invalid.
func ParseInstant(s string) (Instant, error) {
	if !looksLikeInstant(s) {
		return 0, badInstant()
	}
	leap := s[17] == '6'
	text := s
	if leap { // time.Parse knows no second 60
		text = s[:17] + "59" + s[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, badInstant()
	}
	if leap {
		t = t.Truncate(time.Second).Add(time.Second)
	}
	if at := InstantOf(t); at >= minInstant && at <= maxInstant {
		return at, nil
	}
	return 0, badInstant()
}

// looksLikeInstant holds the shape that time.Parse is too lenient about: the regular expression of FHIR's instant.
func looksLikeInstant(s string) bool {
	const shape = "0000-00-00T00:00:00"
	if len(s) <= len(shape) {
		return false
	}
	for i := range len(shape) {
		if shape[i] == '0' && !isDigit(s[i]) || shape[i] != '0' && shape[i] != s[i] {
			return false
		}
	}
	if s[:4] == "0000" || s[17] > '6' || s[17] == '6' && s[18] != '0' {
		return false
	}
	rest := s[len(shape):]
	if rest[0] == '.' {
		n := 1
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n == 1 {
			return false
		}
		rest = rest[n:]
	}
	if rest == "Z" {
		return true
	}
	if len(rest) != len("+00:00") || rest[0] != '+' && rest[0] != '-' || rest[3] != ':' ||
		!isDigit(rest[1]) || !isDigit(rest[2]) || !isDigit(rest[4]) || !isDigit(rest[5]) {
		return false
	}
	hours, minutes := rest[1:3], rest[4:]
	return hours < "14" && minutes < "60" || hours == "14" && minutes == "00"
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func badInstant() error {
	return fault.WithHint(fault.Errorf(fault.Invalid, "fhir.ParseInstant", "not an instant"),
		"write date, time and time zone, like 2026-01-31T13:45:00.000Z or 2026-01-31T14:45:00+01:00")
}
