package search

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"tarn/fault"
)

// Pair is one parameter as it was given, with its modifiers in the name.
type Pair struct{ Name, Value string }

// ParseQuery takes the query of a URL, or the body of a form, apart, in its order. What is no such thing, or not UTF-8,
// is fault.Invalid.
func ParseQuery(raw string) ([]Pair, error) {
	var pairs []Pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		if err != nil || !utf8.ValidString(n) {
			return nil, fault.Errorf(fault.Invalid, "search", "The name of the parameter %q is not well escaped.", clip(name))
		}
		v, err := url.QueryUnescape(value)
		if err != nil || !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 {
			return nil, refuse(n, "its value is not well escaped, or not UTF-8")
		}
		if n == "" {
			return nil, fault.Errorf(fault.Invalid, "search", "A parameter has no name before the =.")
		}
		if len(pairs) == MaxParameters {
			return nil, refuseAs(codeTooCostly, n, "there are more than %d parameters", MaxParameters)
		}
		pairs = append(pairs, Pair{n, v})
	}
	return pairs, nil
}

// encode is the query that gives the pairs again.
func encode(pairs []Pair) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escapeQuery(p.Name))
		b.WriteByte('=')
		b.WriteString(escapeQuery(p.Value))
	}
	return b.String()
}

// escapeQuery leaves what FHIR writes often (colons, commas, bars, slashes) readable.
func escapeQuery(s string) string {
	e := url.QueryEscape(s)
	if strings.IndexByte(e, '%') < 0 {
		return e
	}
	return readable.Replace(e)
}

var readable = strings.NewReplacer("%3A", ":", "%2C", ",", "%2F", "/", "%24", "$", "%2A", "*")

// splitValues divides a value at its commas that no backslash escapes; the parts stay escaped (FHIR R4 section
// 3.1.1.4.0).
func splitValues(value string) []string {
	var parts []string
	from := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case ',':
			parts = append(parts, value[from:i])
			from = i + 1
		}
	}
	return append(parts, value[from:])
}

// unescape takes the backslashes away that FHIR's escapes of , | $ and \ have.
func unescape(value string) string {
	if strings.IndexByte(value, '\\') < 0 {
		return value
	}
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) && strings.IndexByte(`,|$\`, value[i+1]) >= 0 {
			i++
		}
		b.WriteByte(value[i])
	}
	return b.String()
}
