package search_test

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"tarn/fhir/r4"
)

// tok is a token of a resource.
type tok struct {
	system, code, text string
	exact              bool      // the case of the code matters: FHIR's own codes and identifiers
	bound              *r4.Codes // of a code without a system of its own: where the definitions say it is from
	boolean            bool
	types              []tok // of an Identifier
}

func str(v any) string { s, _ := v.(string); return s }

func list(v any) []any { l, _ := v.([]any); return l }

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

func coding(v any) tok {
	c := object(v)
	return tok{system: str(c["system"]), code: str(c["code"]), text: str(c["display"])}
}

func concept(v any) (out []tok) {
	m := object(v)
	for _, c := range list(m["coding"]) {
		out = append(out, coding(c))
	}
	if s := str(m["text"]); s != "" {
		out = append(out, tok{text: s})
	}
	return out
}

func tokens(x thing) (out []tok) {
	m := object(x.v)
	switch x.of.Name {
	case "CodeableConcept":
		return concept(m)
	case "Coding":
		return []tok{coding(m)}
	case "Identifier":
		return []tok{identifier(m)}
	case "ContactPoint":
		return []tok{{code: str(m["value"])}}
	}
	switch v := x.v.(type) {
	case string:
		out = append(out, tok{code: v, exact: x.of.Primitive == r4.CodeValue, bound: x.bound})
	case bool:
		out = append(out, tok{code: map[bool]string{true: "true", false: "false"}[v], exact: true, boolean: true})
	}
	return out
}

func identifier(m map[string]any) tok {
	t := tok{system: str(m["system"]), code: str(m["value"]), exact: true, text: str(object(m["type"])["text"])}
	for _, c := range list(object(m["type"])["coding"]) {
		t.types = append(t.types, coding(c))
	}
	return t
}

// is reports whether the token has the code. Where the standard leaves a doubt, the case does not matter.
func (t tok) is(code string) bool {
	if t.exact || t.code == "" {
		return t.code == code && code != ""
	}
	return strings.EqualFold(t.code, code)
}

// from reports whether the code is from the system.
func (t tok) from(system string) bool {
	switch {
	case t.boolean:
		return system == "http://hl7.org/fhir/special-values"
	case t.bound != nil:
		return t.bound.Has([]byte(system), []byte(t.code))
	}
	return t.system == system && system != ""
}

// systemOf is a system that the token's code is from, or empty.
func (t tok) systemOf() (system string) {
	switch {
	case t.boolean:
		return "http://hl7.org/fhir/special-values"
	case t.bound == nil:
		return t.system
	}
	t.bound.Each(func(of, code string) bool {
		if code == t.code {
			system = of
		}
		return system == ""
	})
	return system
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

// hasValue reports whether there is more to a thing than ids and extensions.
func hasValue(x thing) bool {
	m, ok := x.v.(map[string]any)
	if !ok {
		return true
	}
	for name, v := range m {
		if name != "id" && name != "extension" && name[0] != '_' && v != nil {
			return true
		}
	}
	return false
}
