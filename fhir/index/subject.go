package index

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// subject is what a value of a search is compared with: a parameter, or a part of a composite.
type subject struct {
	param    *r4.SearchParam
	typ      r4.ParamType // mostly that of param
	name     string       // as the client wrote it, with the modifier
	modifier string
	kinds    []kind
	env      Env
}

// has reports whether values of one of these structures occur.
func (s *subject) has(names ...string) bool {
	return slices.ContainsFunc(s.kinds, func(k kind) bool { return slices.Contains(names, k.name) })
}

// pieces compiles one value, still escaped.
func (s *subject) pieces(value string) ([]piece, error) {
	if value == "" {
		return nil, s.refuse(fhir.CodeValue, "has no value")
	}
	switch s.typ {
	case r4.ParamToken:
		return s.token(value)
	case r4.ParamString:
		return s.text(value)
	case r4.ParamDate:
		return s.date(value)
	case r4.ParamNumber:
		return s.number(value)
	case r4.ParamQuantity:
		return s.quantity(value)
	case r4.ParamReference:
		return s.reference(value)
	case r4.ParamURI:
		return s.uri(value)
	case r4.ParamSpecial:
		return s.near(value)
	}
	return nil, s.refuse(codeNotSupported, "is not supported")
}

// modifiers are those that a type of parameter has, beside missing. A reference has those of resource types too.
var modifiers = map[r4.ParamType][]string{
	r4.ParamString:    {"exact", "contains"},
	r4.ParamToken:     {"text", "not", "in", "not-in", "above", "below", "of-type"},
	r4.ParamReference: {"identifier", "above", "below"},
	r4.ParamURI:       {"above", "below"},
}

// known reports whether the modifier is one of the parameter's.
func (s *subject) known() bool {
	switch {
	case s.modifier == "", slices.Contains(modifiers[s.typ], s.modifier):
		return s.modifier != "of-type" || s.has("Identifier")
	case s.typ == r4.ParamReference && r4.IsType(s.modifier):
		return len(s.param.Targets) == 0 || slices.Contains(s.param.Targets, s.modifier)
	}
	return false
}

const (
	codeNotSupported = "not-supported" // http://hl7.org/fhir/issue-type
	maxQuoted        = 60              // characters of a value that an error repeats
)

// refuse is the error that says what is wrong with the parameter.
func (s *subject) refuse(code, format string, args ...any) error {
	return fhir.NewOutcomeError(fault.Invalid, "index.Compile", fhir.Issue{Severity: fhir.SeverityError, Code: code,
		Details: "the parameter " + quote(s.name) + " " + fmt.Sprintf(format, args...)})
}

// quote puts a text into quotation marks, cut where it is long.
func quote(text string) string {
	if utf8.RuneCountInString(text) > maxQuoted {
		text = string([]rune(text)[:maxQuoted]) + "..."
	}
	return `"` + text + `"`
}

// divide cuts a value at each unescaped separator and leaves the pieces escaped.
func divide(value string, at byte) []string {
	var all []string
	from := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case at:
			all, from = append(all, value[from:i]), i+1
		}
	}
	return append(all, value[from:])
}

// unescape takes the backslash from \, \$ \| and \\ (http://hl7.org/fhir/R4/search.html#escaping).
func unescape(value string) string {
	if !strings.Contains(value, `\`) {
		return value
	}
	out := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) && strings.IndexByte(`,$|\`, value[i+1]) >= 0 {
			i++
		}
		out = append(out, value[i])
	}
	return string(out)
}

// comparator is a prefix of a value (http://hl7.org/fhir/R4/search.html#prefix).
type comparator string

// The comparators.
const (
	equal    comparator = "eq"
	unequal  comparator = "ne"
	greater  comparator = "gt"
	less     comparator = "lt"
	atLeast  comparator = "ge"
	atMost   comparator = "le"
	startsAt comparator = "sa" // starts after
	endsAt   comparator = "eb" // ends before
	about    comparator = "ap"
)

// compared takes the prefix off a value.
func (s *subject) compared(value string) (comparator, string, error) {
	if len(value) < 2 || value[0] < 'a' || value[0] > 'z' {
		return equal, value, nil
	}
	switch c := comparator(value[:2]); c {
	case equal, unequal, greater, less, atLeast, atMost, startsAt, endsAt, about:
		return c, value[2:], nil
	}
	return "", "", s.refuse(fhir.CodeValue, "has the value %s, whose prefix is none of eq, ne, gt, lt, ge, le, sa, eb and ap", quote(value))
}
