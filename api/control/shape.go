package control

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the JSON type of a shape.
type kind uint8

const (
	text kind = iota
	integer
	boolean
	timestamp
	structure
	union // a structure with exactly one member
	list
)

// shape is what HealthLake's model says of a value. Bounds are of characters, items, or the number itself.
type shape struct {
	kind     kind
	bounded  bool // max holds
	min, max int
	pattern  string         // as the model writes it, for messages
	matches  *regexp.Regexp // the same, for whole values; nil: any
	values   []string       // the enum; nil: any
	members  []member       // of a structure, in the model's order
	item     *shape         // of a list
}

// member is one member of a structure.
type member struct {
	name     string
	required bool
	*shape
}

// ascii is the one pattern that the regexp package cannot read; NextTokens are checked otherwise.
const ascii = `\p{ASCII}{0,8192}`

// words is a text of min to max characters that matches pattern as a whole.
func words(min, max int, pattern string) *shape {
	s := &shape{kind: text, bounded: true, min: min, max: max, pattern: pattern}
	if pattern != "" && pattern != ascii {
		s.matches = regexp.MustCompile(`\A(?:` + pattern + `)\z`)
	}
	return s
}

func oneOf(values ...string) *shape   { return &shape{kind: text, values: values} }
func object(members ...member) *shape { return &shape{kind: structure, members: members} }
func either(members ...member) *shape { return &shape{kind: union, members: members} }
func listOf(item *shape, max int) *shape {
	return &shape{kind: list, bounded: true, max: max, item: item}
}
func number(min, max int) *shape            { return &shape{kind: integer, bounded: true, min: min, max: max} }
func need(name string, of *shape) member    { return member{name, true, of} }
func allowed(name string, of *shape) member { return member{name, false, of} }

// violations collects what is wrong with an input, in HealthLake's words.
type violations []string

// maxEcho bounds how much of a refused value is repeated in a message, and maxTold how many violations are.
const (
	maxEcho = 256
	maxTold = 20
)

func (v *violations) add(value, path, constraint string) {
	*v = append(*v, "Value "+value+" at '"+path+"' failed to satisfy constraint: "+constraint)
}

// String is the sentence of a ValidationException.
func (v violations) String() string {
	noun := " validation errors detected: "
	if len(v) == 1 {
		noun = " validation error detected: "
	}
	told := v[:min(len(v), maxTold)]
	s := strconv.Itoa(len(v)) + noun + strings.Join(told, "; ")
	if more := len(v) - len(told); more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

func quote(s string) string {
	if utf8.RuneCountInString(s) > maxEcho {
		s = string([]rune(s)[:maxEcho]) + "..."
	}
	return "'" + s + "'"
}

// lower is how paths in messages write a member: lower camel case, all of a leading abbreviation ("ResourceARN" is
// resourceARN).
func lower(name string) string {
	r := []rune(name)
	r[0] = unicode.ToLower(r[0])
	return string(r)
}

// check adds what a value, of the right JSON type already, breaks.
func (s *shape) check(v *violations, path string, value any) {
	switch s.kind {
	case text:
		s.checkText(v, path, value.(string))
	case integer:
		n := value.(int)
		if s.bounded && n > s.max {
			v.add(quote(strconv.Itoa(n)), path, fmt.Sprintf("Member must have value less than or equal to %d", s.max))
		}
		if s.bounded && n < s.min {
			v.add(quote(strconv.Itoa(n)), path, fmt.Sprintf("Member must have value greater than or equal to %d", s.min))
		}
	case list:
		items := value.([]any)
		if s.bounded && len(items) > s.max {
			v.add("'["+strconv.Itoa(len(items))+" items]'", path, fmt.Sprintf("Member must have length less than or equal to %d", s.max))
			return
		}
		for i, item := range items {
			at := fmt.Sprintf("%s.%d.member", path, i+1)
			if item == nil {
				v.add("null", at, "Member must not be null")
				continue
			}
			s.item.check(v, at, item)
		}
	case structure, union:
		in := value.(input)
		set := 0
		for _, m := range s.members {
			at := lower(m.name)
			if path != "" {
				at = path + "." + at
			}
			value, ok := in[m.name]
			switch {
			case ok:
				set++
				m.check(v, at, value)
			case m.required:
				v.add("null", at, "Member must not be null")
			}
		}
		if s.kind == union && set != 1 {
			v.add("null", path, "Exactly one member must be set of: ["+strings.Join(s.names(), ", ")+"]")
		}
	}
}

func (s *shape) checkText(v *violations, path, value string) {
	n := utf8.RuneCountInString(value)
	if s.bounded && n > s.max {
		v.add(quote(value), path, fmt.Sprintf("Member must have length less than or equal to %d", s.max))
	}
	if s.bounded && n < s.min {
		v.add(quote(value), path, fmt.Sprintf("Member must have length greater than or equal to %d", s.min))
	}
	if s.matches != nil && (!s.bounded || n <= s.max) && !s.matches.MatchString(value) {
		v.add(quote(value), path, "Member must satisfy regular expression pattern: "+s.pattern)
	}
	if s.values != nil && !slices.Contains(s.values, value) {
		v.add(quote(value), path, "Member must satisfy enum value set: ["+strings.Join(s.values, ", ")+"]")
	}
}

func (s *shape) names() []string {
	var names []string
	for _, m := range s.members {
		names = append(names, m.name)
	}
	return names
}
