package search_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"tarn/fhir/r4"
)

// tok is a token of a resource.
type tok struct{ system, code, text string }

func str(v any) string { s, _ := v.(string); return s }

func tokens(x thing) (out []tok) {
	m, _ := x.v.(map[string]any)
	switch x.of.Name {
	case "CodeableConcept":
		codings, _ := m["coding"].([]any)
		for _, c := range codings {
			c, _ := c.(map[string]any)
			out = append(out, tok{str(c["system"]), str(c["code"]), str(c["display"])})
		}
		if s := str(m["text"]); s != "" {
			out = append(out, tok{text: s})
		}
	case "Coding":
		out = append(out, tok{str(m["system"]), str(m["code"]), str(m["display"])})
	case "Identifier":
		out = append(out, tok{str(m["system"]), str(m["value"]), ""})
	case "ContactPoint":
		out = append(out, tok{"", str(m["value"]), ""})
	default:
		switch v := x.v.(type) {
		case string:
			out = append(out, tok{"", v, ""})
		case bool:
			out = append(out, tok{"", map[bool]string{true: "true", false: "false"}[v], ""})
		}
	}
	return out
}

// strs are the strings of a thing.
func strs(x thing) (out []string) {
	m, isMap := x.v.(map[string]any)
	if !isMap {
		return []string{str(x.v)}
	}
	names := []string{"family", "given", "prefix", "suffix", "text"}
	if x.of.Name == "Address" {
		names = []string{"line", "city", "district", "state", "postalCode", "country", "text"}
	}
	for _, n := range names {
		switch v := m[n].(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, s := range v {
				if s, ok := s.(string); ok {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// fold takes case and accents away.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

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
	if !strings.ContainsAny(s[min(len(s), 11):], "Z+-") {
		s += "Z"
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return stretch{}, false
	}
	length := int64(1000)
	if strings.Contains(s, ".") {
		length = 1
	}
	return stretch{t.UnixMilli(), t.UnixMilli() + length}, true
}

func stretches(x thing) (out []stretch) {
	switch v := x.v.(type) {
	case string:
		if s, ok := stretchOf(v); ok && x.of.Name != "string" {
			out = append(out, s)
		}
	case map[string]any:
		if x.of.Name != "Period" {
			return nil // Timing is left to the tests of package index
		}
		s, ok := stretch{early, late}, false
		if start, is := stretchOf(str(v["start"])); is {
			s.lo, ok = start.lo, true
		}
		if end, is := stretchOf(str(v["end"])); is {
			s.hi, ok = end.hi, true
		}
		if ok {
			out = append(out, s)
		}
	}
	return out
}

// dateIs is the relation of a prefix between a resource's time and a value's (FHIR R4 section 3.1.1.4.7).
func dateIs(prefix string, got, want stretch) bool {
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
	}
	panic(prefix)
}

// numberIs compares a number with a value that has significant digits (FHIR R4 section 3.1.1.4.6).
func numberIs(prefix string, got *big.Rat, text string) bool {
	want, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	ulp := big.NewRat(1, 2)
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if _, fraction, ok := strings.Cut(mantissa, "."); ok {
		ulp.Quo(ulp, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction))), nil)))
	}
	if exponent != "" {
		scale, _ := new(big.Rat).SetString("1e" + exponent)
		ulp.Mul(ulp, scale)
	}
	within := got.Cmp(new(big.Rat).Sub(want, ulp)) >= 0 && got.Cmp(new(big.Rat).Add(want, ulp)) < 0
	switch prefix {
	case "", "eq":
		return within
	case "ne":
		return !within
	case "gt", "sa":
		return got.Cmp(want) > 0
	case "lt", "eb":
		return got.Cmp(want) < 0
	case "ge":
		return got.Cmp(want) >= 0
	case "le":
		return got.Cmp(want) <= 0
	}
	panic(prefix)
}

func rat(v any) *big.Rat {
	n, ok := v.(json.Number)
	if !ok {
		return nil
	}
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return nil
	}
	return r
}

// refs are the local references of a thing, as Type/id, and else the text.
func refs(x thing) (out []string) {
	ref := ""
	switch v := x.v.(type) {
	case string:
		ref = v
	case map[string]any:
		ref = str(v["reference"])
	}
	ref = strings.TrimPrefix(ref, base+"/")
	bare, _, _ := strings.Cut(ref, "/_history/")
	if typ, id, ok := strings.Cut(bare, "/"); ok && r4.IsType(typ) && !strings.Contains(id, "/") {
		return []string{bare}
	}
	if ref != "" && !strings.HasPrefix(ref, "#") {
		return []string{ref}
	}
	return nil
}
