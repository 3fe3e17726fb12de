package index_test

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// stretch is the time that a date covers.
func stretch(s string) (from, to time.Time, ok bool) {
	for _, l := range []struct {
		layout              string
		years, months, days int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {"2006-01-02", 0, 0, 1}} {
		if t, err := time.Parse(l.layout, s); err == nil {
			return t, t.AddDate(l.years, l.months, l.days), true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05", s); err != nil {
			return t, t, false
		}
	}
	precision := time.Second
	if fraction := regexp.MustCompile(`\.(\d+)`).FindStringSubmatch(s); fraction != nil {
		for range min(3, len(fraction[1])) {
			precision /= 10
		}
	}
	t = t.Truncate(time.Millisecond)
	return t, t.Add(precision), true
}

var dawn = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func (r *reading) span(from, to string, hasFrom, hasTo bool) {
	f, t := int64(-1), int64(-1)
	end := base255(70110209207109374, 7) // 255 to the power of 7, less 1
	if hasFrom {
		a, _, ok := stretch(from)
		if !ok {
			return
		}
		f = a.UnixMilli() - dawn
	}
	if hasTo {
		_, b, ok := stretch(to)
		if !ok {
			return
		}
		t = max(b.UnixMilli()-dawn, f+1)
		end = base255(t+1, 7)
	}
	form := byte(0x33)
	for i, days := range []int64{1, 31, 366} {
		if hasTo && t-f <= days*86400000 {
			form = 0x30 + byte(i)
			break
		}
	}
	r.out = append(r.out, string(form)+base255(f+1, 7)+end)
}

func (r *reading) period(o object) {
	from, hasFrom := o["start"].(string)
	to, hasTo := o["end"].(string)
	if hasFrom || hasTo {
		r.span(from, to, hasFrom, hasTo)
	}
}

func (r *reading) date(typ string, v any) {
	switch typ {
	case "date", "dateTime", "instant":
		r.span(v.(string), v.(string), true, true)
	case "Period":
		r.period(v.(object))
	case "Timing":
		repeat, _ := v.(object)["repeat"].(object)
		bounds, _ := repeat["boundsPeriod"].(object)
		events := list(v.(object)["event"])
		if len(events) == 0 {
			r.period(bounds)
			return
		}
		slices.SortFunc(events, func(a, b any) int {
			from, _, _ := stretch(a.(string))
			other, _, _ := stretch(b.(string))
			return from.Compare(other)
		})
		if bounds == nil { // no example has both
			r.span(events[0].(string), events[len(events)-1].(string), true, true)
		}
	}
}

// decimal encodes a number, digit by digit.
func decimal(text string) string {
	negative := strings.HasPrefix(text, "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(text, "-")), "e")
	exponent := 0
	fmt.Sscan(power, &exponent)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent += len(whole)
	digits := whole + fraction
	for strings.HasPrefix(digits, "0") {
		digits = digits[1:]
		exponent--
	}
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return "\x20\x02"
	}
	if len(digits)%2 == 1 {
		digits += "0"
	}
	b := []byte{byte(0x80 + exponent)}
	if exponent > 60 {
		b = []byte{0xf0, byte(exponent/250 + 4), byte(exponent%250 + 4)}
	} else if exponent < -60 {
		b = []byte{0x10, byte((exponent+30000)/250 + 4), byte((exponent+30000)%250 + 4)}
	}
	for i := 0; i < len(digits); i += 2 {
		b = append(b, (digits[i]-'0')*10+digits[i+1]-'0'+4)
	}
	b = append(b, 2)
	if !negative {
		return "\x30" + string(b)
	}
	for i := range b {
		b[i] = 255 - b[i]
	}
	return "\x10" + string(b)
}

func unit(o object) string {
	s := str(o["system"]) + "\x01" + str(o["code"]) + "\x01"
	if u := str(o["unit"]); u != str(o["code"]) {
		s += u
	}
	return s
}

// beside is an encoded number whose end says that it is just below (-1) or above (1).
func beside(number string, side int) string {
	return number[:len(number)-1] + string([]byte{byte(int(number[len(number)-1]) + side)})
}

func (r *reading) number(typ string, v any) {
	o, _ := v.(object)
	switch typ {
	case "decimal", "integer", "positiveInt", "unsignedInt":
		r.out = append(r.out, "\x40"+decimal(literal(v)))
	case "Quantity", "Age", "Duration", "Count", "Distance":
		if o["value"] == nil {
			return
		}
		n := decimal(literal(o["value"]))
		switch str(o["comparator"]) {
		case "":
			r.out = append(r.out, "\x40"+n+unit(o))
		case "<":
			r.out = append(r.out, "\x41\x08"+beside(n, -1)+unit(o))
		case "<=":
			r.out = append(r.out, "\x41\x08"+n+unit(o))
		case ">":
			r.out = append(r.out, "\x41"+beside(n, 1)+"\x40"+unit(o))
		case ">=":
			r.out = append(r.out, "\x41"+n+"\x40"+unit(o))
		}
	case "Money":
		system := ""
		if o["currency"] != nil {
			system = "urn:iso:std:iso:4217"
		}
		if o["value"] != nil {
			r.out = append(r.out, "\x40"+decimal(literal(o["value"]))+system+"\x01"+str(o["currency"])+"\x01")
		}
	case "Range":
		low, _ := o["low"].(object)
		high, _ := o["high"].(object)
		from, to, of := "\x08", "\x40", low
		if low["value"] != nil {
			from = decimal(literal(low["value"]))
		} else {
			of = high
		}
		if high["value"] != nil {
			to = decimal(literal(high["value"]))
		}
		if low["value"] != nil || high["value"] != nil {
			r.out = append(r.out, "\x41"+from+to+unit(of))
		}
	case "SampledData":
		origin, _ := o["origin"].(object)
		value := func(v any) *big.Rat { n, _ := new(big.Rat).SetString(literal(v)); return n }
		var low, high *big.Rat
		for _, f := range strings.Fields(str(o["data"])) {
			n, ok := new(big.Rat).SetString(f)
			if !ok {
				continue
			}
			if o["factor"] != nil {
				n.Mul(n, value(o["factor"]))
			}
			if origin["value"] != nil {
				n.Add(n, value(origin["value"]))
			}
			if low == nil || n.Cmp(low) < 0 {
				low = n
			}
			if high == nil || n.Cmp(high) > 0 {
				high = n
			}
		}
		if low != nil {
			r.out = append(r.out, "\x41"+decimal(low.FloatString(20))+decimal(high.FloatString(20))+unit(origin))
		}
	}
}
