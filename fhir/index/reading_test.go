package index_test

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"tarn/fhir/r4"
)

// reading writes down by the tables of docs/design/index-values.md, plainly and apart from the package's own code, what
// the index should hold for a value that fhirpath.js has selected. Numbers are strings that begin with U+0001.
type reading struct {
	resource map[string]any
	alone    bool // within a tuple
	out      []string
}

type object = map[string]any

func (r *reading) add(format string, args ...any) {
	r.out = append(r.out, fmt.Sprintf(format, args...))
}

// values are the entries of one selected value; presence alone if it has none.
func (r *reading) values(t r4.ParamType, typ string, v any) []string {
	r.out = nil
	switch t {
	case r4.ParamToken:
		r.token(typ, v)
	case r4.ParamString:
		r.text(typ, v)
	case r4.ParamDate:
		r.date(typ, v)
	case r4.ParamNumber, r4.ParamQuantity:
		r.number(typ, v)
	case r4.ParamReference:
		r.reference(typ, v)
	case r4.ParamURI:
		switch typ {
		case "canonical":
			url, version, _ := cutLast(v.(string))
			r.add("\x60%s\x01%s", url, version)
		case "uri", "url":
			r.add("\x60%s\x01", v)
		}
	case r4.ParamSpecial:
		o := v.(object)
		r.add("\x70%s%s", angle(o["latitude"]), angle(o["longitude"]))
	}
	if len(r.out) == 0 && !r.alone {
		r.add("\x01")
	}
	return r.out
}

func angle(v any) string {
	var f float64
	fmt.Sscan(literal(v), &f)
	return base255(int64(math.Round(f*1e7))+3600000000, 5)
}

// literal is the number that a marked string stands for.
func literal(v any) string { s, _ := v.(string); return strings.TrimPrefix(s, "\x01") }

func str(v any) string { s, _ := v.(string); return s }

func cutLast(s string) (before, after string, found bool) {
	if i := strings.LastIndex(s, "|"); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// base255 writes a number in digits from 1 to 255.
func base255(i int64, n int) string {
	b := make([]byte, n)
	for k := n - 1; k >= 0; k-- {
		b[k] = byte(i%255) + 1
		i /= 255
	}
	return string(b)
}

func fold(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return c
	}, norm.NFKD.String(s))
	return strings.Join(strings.Fields(cases.Fold().String(s)), " ")
}

func list(v any) []any { l, _ := v.([]any); return l }

func (r *reading) saying(v any) {
	if s, ok := v.(string); ok && !r.alone {
		r.add("\x11%s", fold(s))
	}
}

func (r *reading) token(typ string, v any) {
	o, _ := v.(object)
	switch typ {
	case "Coding":
		code, hasCode := o["code"].(string)
		system, hasSystem := o["system"].(string)
		if hasSystem {
			r.add("\x10%s\x01\x04%s", strings.ToLower(code), system)
		} else if hasCode {
			r.add("\x10%s\x01\x02", strings.ToLower(code))
		}
		r.saying(o["display"])
	case "CodeableConcept":
		for _, c := range list(o["coding"]) {
			r.token("Coding", c)
		}
		r.saying(o["text"])
	case "Identifier":
		value, hasValue := o["value"].(string)
		system, hasSystem := o["system"].(string)
		if hasSystem {
			r.add("\x10%s\x01\x06%s", value, system)
		} else if hasValue {
			r.add("\x10%s\x01\x05", value)
		}
		of, _ := o["type"].(object)
		r.saying(of["text"])
		for _, c := range list(of["coding"]) {
			coding := c.(object)
			if hasValue && coding["system"] != nil && coding["code"] != nil && !r.alone {
				r.add("\x12%s\x01%s\x01%s", value, coding["system"], strings.ToLower(str(coding["code"])))
			}
		}
	case "ContactPoint":
		if s, ok := o["value"].(string); ok {
			r.add("\x10%s\x01\x02", strings.ToLower(s))
		}
	case "code":
		r.add("\x10%s\x01\x03", v)
	case "boolean", "Boolean":
		r.add("\x10%v\x01\x03", v)
	case "string", "id", "uri":
		r.add("\x10%s\x01\x02", strings.ToLower(v.(string)))
	}
}

func (r *reading) text(typ string, v any) {
	one := func(v any) {
		if s, ok := v.(string); ok {
			if original := s; original == fold(s) {
				r.add("\x20%s\x01", s)
			} else {
				r.add("\x20%s\x01%s", fold(s), original)
			}
		}
	}
	switch typ {
	case "string", "markdown":
		one(v)
	case "HumanName", "Address":
		for _, name := range []string{"text", "family", "city", "district", "state", "postalCode", "country"} {
			one(v.(object)[name])
		}
		for _, name := range []string{"given", "prefix", "suffix", "line"} {
			for _, s := range list(v.(object)[name]) {
				one(s)
			}
		}
	}
}

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

var (
	literalForm = regexp.MustCompile(`^(?:(https?://[^/].*)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?$`)
	askedForm   = regexp.MustCompile(`^([A-Z][A-Za-z]+)\?`)
)

func typeMark(name string) string {
	if code, ok := r4.CodeOf(name); ok {
		return string([]byte{byte(code) + 8})
	}
	return "\xff"
}

func (r *reading) reference(typ string, v any) {
	switch typ {
	case "Reference":
		o := v.(object)
		text := str(o["reference"])
		target := str(o["type"])
		switch m := literalForm.FindStringSubmatch(text); {
		case m != nil && r4.IsType(m[2]):
			target = m[2]
			r.located(m)
		case strings.HasPrefix(text, "#"):
			for _, c := range list(r.resource["contained"]) {
				if "#"+str(c.(object)["id"]) == text {
					target = str(c.(object)["resourceType"])
				}
			}
			if text == "#" {
				target = str(r.resource["resourceType"])
			}
			r.add("\x53\x01%s", typeMark(target))
		case text != "":
			if m := askedForm.FindStringSubmatch(text); m != nil && r4.IsType(m[1]) {
				target = m[1]
			}
			r.add("\x51%s\x01%s", text, typeMark(target))
		default:
			r.add("\x53\x01%s", typeMark(target))
		}
		if identifier, ok := o["identifier"].(object); ok && identifier["value"] != nil && !r.alone {
			whose := "\x05"
			if identifier["system"] != nil {
				whose = "\x06"
			}
			r.add("\x54%s\x01%s%s\x01%s", identifier["value"], whose, str(identifier["system"]), typeMark(target))
		}
	case "canonical", "uri":
		if m := literalForm.FindStringSubmatch(v.(string)); m != nil && m[1] == "" && r4.IsType(m[2]) {
			r.located(m)
			return
		}
		url, version, _ := cutLast(v.(string))
		r.add("\x52%s\x01%s", url, version)
	default:
		if o, ok := v.(object); ok && o["resourceType"] != nil && o["id"] != nil {
			r.add("\x50%s\x01%s", o["id"], typeMark(str(o["resourceType"])))
		}
	}
}

func (r *reading) located(m []string) {
	version := ""
	if m[4] != "" {
		version = "\x01" + m[4]
	}
	r.add("\x50%s\x01%s%s%s", m[3], typeMark(m[2]), m[1], version)
}

// tuples are the entries of one element of a composite; parts are the values of each part.
func tuples(parts [][]string) []string {
	all := []string{"\x80"}
	for i, values := range parts {
		var next []string
		for _, begun := range all {
			for _, v := range values {
				if i < len(parts)-1 {
					v = strings.ReplaceAll(v, "\x01", "\x01\xff") + "\x01\x01"
				}
				next = append(next, begun+v)
			}
		}
		all = next
	}
	return all
}
