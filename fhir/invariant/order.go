package invariant

import (
	"bytes"
	"time"

	"tarn/fhir"
)

// order compares two items: -1, 0 or 1; known is false where the data cannot decide (other units, dates whose precision
// differs and that overlap).
func (v *Evaluator) order(a, b *value) (sign int, known bool) {
	ka, kb := a.kindOf(), b.kindOf()
	switch {
	case ka == fhir.Number && kb == fhir.Number:
		x, okX := a.numberOf()
		y, okY := b.numberOf()
		return compare(x, y), okX && okY
	case ka == fhir.String && kb == fhir.String:
		x, y := a.textOf(&v.left), b.textOf(&v.right)
		if p, ok := spanOf(x); ok {
			if q, ok := spanOf(y); ok {
				return p.order(q)
			}
		}
		return bytes.Compare(x, y), true
	case ka == fhir.Object && kb == fhir.Object:
		return v.orderQuantities(a.node, b.node)
	}
	return 0, false
}

func compare(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// orderQuantities compares values in one unit.
func (v *Evaluator) orderQuantities(a, b fhir.Node) (int, bool) {
	for _, name := range [...]string{"system", "code", "unit"} {
		x, y := a.Member(name), b.Member(name)
		if x.Exists() != y.Exists() || x.Exists() && !bytes.Equal(x.Raw(), y.Raw()) {
			return 0, false
		}
	}
	if a.Member("comparator").Exists() || b.Member("comparator").Exists() {
		return 0, false
	}
	x, y := nodeValue(a.Member("value")), nodeValue(b.Member("value"))
	if x.kindOf() != fhir.Number || y.kindOf() != fhir.Number {
		return 0, false
	}
	return v.order(&x, &y)
}

// period is the time that a date or dateTime leaves open: from the first to the last millisecond that it may be. A date
// without a zone may be of any zone.
type period struct {
	from, to int64 // milliseconds since 1970 in UTC
	zoned    bool
	width    int // of the text that has the precision: 4, 7, 10, 19
}

// Zones reach from 14 hours east to 12 hours west of UTC.
const (
	eastMost = 14 * 3600 * 1000
	westMost = 12 * 3600 * 1000
)

// OrderDates compares two dates or dateTimes of FHIR: -1, 0 or 1. known is false where one is malformed, or where they
// overlap at the precision that they have.
func OrderDates(a, b []byte) (sign int, known bool) {
	p, okP := spanOf(a)
	q, okQ := spanOf(b)
	if !okP || !okQ {
		return 0, false
	}
	return p.order(q)
}

func (p period) order(q period) (int, bool) {
	if p.zoned != q.zoned {
		for _, x := range []*period{&p, &q} {
			if !x.zoned {
				x.from -= eastMost
				x.to += westMost
			}
		}
	}
	switch {
	case p.to < q.from:
		return -1, true
	case p.from > q.to:
		return 1, true
	}
	return 0, p == q
}

// spanOf reads a date or dateTime.
func spanOf(text []byte) (p period, ok bool) {
	var year, month, day, hour, minute, second, milli int
	month, day = 1, 1
	take := func(at, n int) int {
		x := 0
		for _, c := range text[at : at+n] {
			if c < '0' || c > '9' {
				ok = false
			}
			x = x*10 + int(c-'0')
		}
		return x
	}
	ok = true
	switch n := len(text); {
	case n == 4 || n == 7 || n == 10 || n >= 20:
		p.width = min(n, 19)
	default:
		return p, false
	}
	year = take(0, 4)
	if p.width >= 7 {
		month, ok = take(5, 2), ok && text[4] == '-'
	}
	if p.width >= 10 {
		day, ok = take(8, 2), ok && text[7] == '-'
	}
	offset := 0
	if p.width == 19 {
		hour, minute, second = take(11, 2), take(14, 2), take(17, 2)
		ok = ok && text[10] == 'T' && text[13] == ':' && text[16] == ':'
		rest := text[19:]
		if rest[0] == '.' {
			scale := 100
			for rest = rest[1:]; len(rest) > 0 && isDigit(rest[0]); rest = rest[1:] {
				milli += int(rest[0]-'0') * scale
				scale /= 10
			}
		}
		switch {
		case len(rest) == 1 && rest[0] == 'Z':
		case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-'):
			text = rest
			offset = (take(1, 2)*60 + take(4, 2)) * 60 * 1000
			if rest[0] == '-' {
				offset = -offset
			}
		default:
			return p, false
		}
		p.zoned = true
	}
	if !ok || month < 1 || month > 12 || day < 1 || day > 31 {
		return p, false
	}
	p.from = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).UnixMilli() + int64(milli-offset)
	p.to = p.from
	switch p.width {
	case 4:
		p.to = time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() - 1
	case 7:
		p.to = time.Date(year, time.Month(month)+1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() - 1
	case 10:
		p.to += 24*3600*1000 - 1
	}
	return p, true
}
