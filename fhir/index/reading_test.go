package index_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
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
