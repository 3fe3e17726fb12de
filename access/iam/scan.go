package iam

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// node is one JSON value with its place in the document.
type node struct {
	at      int
	kind    byte   // '{', '[', '"', '0' number, 't' boolean, 'n' null
	text    string // of a string, decoded; of a number or boolean, as written
	members []member
	items   []node
}

type member struct {
	at    int
	name  string
	value node
}

var kindWords = map[byte]string{'{': "an object", '[': "an array", '"': "a string", '0': "a number", 't': "a boolean", 'n': "null"}

// maxDepth bounds nesting; a valid document has five levels.
const maxDepth = 16

// scanner reads JSON strictly: no duplicate names, no bad UTF-8, nothing after the value.
type scanner struct {
	doc []byte
	pos int
}

func scan(doc []byte) (node, error) {
	s := scanner{doc: doc}
	n, err := s.value(0)
	if err != nil {
		return node{}, err
	}
	s.blanks()
	if s.pos < len(doc) {
		return node{}, s.fail(s.pos, "expected the end of the document"+s.found())
	}
	return n, nil
}

func (s *scanner) fail(at int, problem string) error { return malformed(s.doc, at, problem) }

func (s *scanner) blanks() {
	for s.pos < len(s.doc) {
		switch s.doc[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.doc) {
		return s.doc[s.pos]
	}
	return 0
}

// found describes what stands at the position, for messages.
func (s *scanner) found() string {
	if s.pos >= len(s.doc) {
		return ", found the end of the document"
	}
	c, _ := utf8.DecodeRune(s.doc[s.pos:])
	return ", found " + strconv.QuoteRune(c)
}

func (s *scanner) value(depth int) (node, error) {
	s.blanks()
	n := node{at: s.pos}
	if depth > maxDepth {
		return n, s.fail(s.pos, "nested deeper than "+strconv.Itoa(maxDepth)+" levels")
	}
	var err error
	switch c := s.peek(); {
	case c == '{':
		n.kind = c
		n.members, err = s.object(depth)
	case c == '[':
		n.kind = c
		n.items, err = s.array(depth)
	case c == '"':
		n.kind = c
		n.text, err = s.str()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = '0'
		n.text, err = s.number()
	default:
		for _, word := range []string{"true", "false", "null"} {
			if strings.HasPrefix(string(s.doc[s.pos:min(s.pos+5, len(s.doc))]), word) {
				s.pos += len(word)
				n.kind, n.text = 't', word
				if word == "null" {
					n.kind = 'n'
				}
				return n, nil
			}
		}
		err = s.fail(s.pos, "expected a value"+s.found())
	}
	return n, err
}

func (s *scanner) object(depth int) ([]member, error) {
	var members []member
	seen := map[string]bool{}
	s.pos++
	s.blanks()
	if s.peek() == '}' {
		s.pos++
		return nil, nil
	}
	for {
		s.blanks()
		m := member{at: s.pos}
		if s.peek() != '"' {
			if len(members) > 0 && s.peek() == '}' {
				return nil, s.fail(s.pos, "expected another member after ',', found '}'")
			}
			return nil, s.fail(s.pos, "expected a name in double quotes"+s.found())
		}
		var err error
		if m.name, err = s.str(); err != nil {
			return nil, err
		}
		if seen[m.name] {
			return nil, s.fail(m.at, "duplicate name "+strconv.Quote(m.name))
		}
		seen[m.name] = true
		end := s.pos
		s.blanks()
		if s.peek() != ':' {
			return nil, s.fail(end, "expected ':' after the name "+strconv.Quote(m.name)+s.found())
		}
		s.pos++
		if m.value, err = s.value(depth + 1); err != nil {
			return nil, err
		}
		members = append(members, m)
		end = s.pos
		s.blanks()
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return members, nil
		default:
			return nil, s.fail(end, "expected ',' or '}' after a member"+s.found())
		}
	}
}

func (s *scanner) array(depth int) ([]node, error) {
	var items []node
	s.pos++
	s.blanks()
	if s.peek() == ']' {
		s.pos++
		return nil, nil
	}
	for {
		s.blanks()
		if len(items) > 0 && s.peek() == ']' {
			return nil, s.fail(s.pos, "expected another value after ',', found ']'")
		}
		n, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, n)
		end := s.pos
		s.blanks()
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return items, nil
		default:
			return nil, s.fail(end, "expected ',' or ']' after a value"+s.found())
		}
	}
}

// number reads -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() (string, error) {
	start := s.pos
	digits := func() bool {
		from := s.pos
		for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
			s.pos++
		}
		return s.pos > from
	}
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !digits() {
		return "", s.fail(start, "malformed number")
	}
	if s.peek() == '.' {
		s.pos++
		if !digits() {
			return "", s.fail(start, "malformed number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !digits() {
			return "", s.fail(start, "malformed number")
		}
	}
	return string(s.doc[start:s.pos]), nil
}

func (s *scanner) str() (string, error) {
	start := s.pos
	s.pos++
	var b []byte
	for {
		if s.pos >= len(s.doc) {
			return "", s.fail(start, "this string is not closed")
		}
		switch c := s.doc[s.pos]; {
		case c == '"':
			s.pos++
			return string(b), nil
		case c == '\n' || c == '\r':
			return "", s.fail(start, "this string is not closed on its line")
		case c < ' ':
			return "", s.fail(s.pos, "a control character in a string must be escaped")
		case c == '\\':
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
		default:
			r, size := utf8.DecodeRune(s.doc[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return "", s.fail(s.pos, "invalid UTF-8 in a string")
			}
			b = append(b, s.doc[s.pos:s.pos+size]...)
			s.pos += size
		}
	}
}

// escape reads one escape sequence.
func (s *scanner) escape() (rune, error) {
	at := s.pos
	s.pos++
	c := s.peek()
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, ok := s.hex4()
		if ok && utf16.IsSurrogate(r) {
			ok = false
			if s.peek() == '\\' && s.pos+1 < len(s.doc) && s.doc[s.pos+1] == 'u' {
				s.pos += 2
				low, isHex := s.hex4()
				r = utf16.DecodeRune(r, low)
				ok = isHex && r != utf8.RuneError
			}
		}
		if ok {
			return r, nil
		}
	}
	return 0, s.fail(at, "invalid escape sequence in a string")
}

func (s *scanner) hex4() (rune, bool) {
	if s.pos+4 > len(s.doc) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.doc[s.pos:s.pos+4]), 16, 16)
	s.pos += 4
	return rune(n), err == nil
}
