package iam

import (
	"strings"
	"unicode/utf8"

	"tarn/access"
)

// pattern is a compiled string of a policy: literal text, wildcards, policy variables.
type pattern struct {
	shape shape
	fold  bool   // compares without regard to case
	text  string // of exact and prefix
	codes []code // of wild
	parts []part // of dynamic
	arn   bool   // wildcards keep to the segments of an ARN, see narrow
}

type shape uint8

const (
	exact   shape = iota
	prefix        // text and then anything
	all           // anything
	wild          // codes
	dynamic       // parts, which become codes at each evaluation
)

// code is one position of a wild pattern: a byte, a byte that came from a variable or an escape, or a wildcard.
type code uint16

const (
	one    code = 0x100 + iota // any one character
	star                       // any characters
	within                     // any characters but ':'
	quoted code = 0x200        // + byte: the byte, and never a divider of segments
)

// part of a dynamic pattern: codes, or a variable.
type part struct {
	codes      []code
	variable   string // condition key in lower case; empty for codes
	fallback   string
	hasDefault bool
}

// dialect says what is special in a string.
type dialect struct {
	wildcards bool // * and ?
	variables bool // ${key}; only since version 2012-10-17
	fold      bool
	arn       bool // a resource: wildcards keep to segments
}

// compile makes a pattern of a policy's string. A variable that is malformed stays as it is written, as AWS does it.
func compile(s string, d dialect) pattern {
	p := pattern{fold: d.fold, arn: d.arn}
	var codes []code
	for i := 0; i < len(s); {
		c := s[i]
		if c == '$' && d.variables && strings.HasPrefix(s[i:], "${") {
			if v, size, ok := variable(s[i:]); ok {
				i += size
				if v.codes != nil {
					codes = append(codes, v.codes...)
					continue
				}
				if codes != nil {
					p.parts = append(p.parts, part{codes: codes})
					codes = nil
				}
				p.parts = append(p.parts, v)
				continue
			}
		}
		i++
		switch {
		case c == '*' && d.wildcards:
			if n := len(codes); n == 0 || codes[n-1] != star {
				codes = append(codes, star)
			}
		case c == '?' && d.wildcards:
			codes = append(codes, one)
		default:
			codes = append(codes, code(c))
		}
	}
	if p.parts != nil {
		p.shape = dynamic
		if codes != nil {
			p.parts = append(p.parts, part{codes: codes})
		}
		return p
	}
	p.settle(codes)
	return p
}

// settle picks the simplest shape for codes.
func (p *pattern) settle(codes []code) {
	text := make([]byte, 0, len(codes))
	for i, c := range codes {
		switch {
		case c == star && i == len(codes)-1:
			p.shape, p.text = prefix, string(text)
			if i == 0 {
				p.shape = all
			}
			return
		case c == one || c == star:
			if p.arn {
				narrow(codes)
			}
			p.shape, p.codes = wild, codes
			return
		}
		text = append(text, byte(c))
	}
	p.text = string(text)
}

// variable reads ${key}, ${key, 'default'}, ${*}, ${?} or ${$} at the start of s.
func variable(s string) (p part, size int, ok bool) {
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return part{}, 0, false
	}
	name, fallback, hasDefault := strings.Cut(s[2:end], ",")
	if hasDefault {
		// A default may hold a brace.
		rest := strings.TrimLeft(s[2+len(name)+1:], " ")
		if rest == "" || rest[0] != '\'' {
			return part{}, 0, false
		}
		closing := strings.IndexByte(rest[1:], '\'')
		if closing < 0 {
			return part{}, 0, false
		}
		fallback = rest[1 : 1+closing]
		tail := strings.TrimLeft(rest[closing+2:], " ")
		if tail == "" || tail[0] != '}' {
			return part{}, 0, false
		}
		end = len(s) - len(tail)
	}
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "*", "?", "$":
		if hasDefault {
			return part{}, 0, false
		}
		return part{codes: []code{quoted | code(name[0])}}, end + 1, true
	}
	if !strings.Contains(name, ":") {
		return part{}, 0, false
	}
	return part{variable: name, fallback: fallback, hasDefault: hasDefault}, end + 1, true
}

// expand makes the codes of a dynamic pattern. It is false where a variable has no value, or several: then nothing
// matches. Values stand for themselves, wildcards and colons in them too.
func (p *pattern) expand(dst []code, r *access.Request) ([]code, bool) {
	var room [1]string
	for i := range p.parts {
		part := &p.parts[i]
		if part.variable == "" {
			dst = append(dst, part.codes...)
			continue
		}
		values := r.Values(part.variable, &room)
		value := part.fallback
		switch {
		case len(values) == 1:
			value = values[0]
		case len(values) > 1 || !part.hasDefault:
			return nil, false
		}
		for j := range len(value) {
			dst = append(dst, quoted|code(value[j]))
		}
	}
	if p.arn {
		narrow(dst)
	}
	return dst, true
}

// match reports whether s fits the pattern, with variables from r.
func (p *pattern) match(s string, r *access.Request) bool {
	switch p.shape {
	case all:
		return true
	case exact:
		if p.fold {
			return strings.EqualFold(s, p.text)
		}
		return s == p.text
	case prefix:
		if p.fold {
			return len(s) >= len(p.text) && strings.EqualFold(s[:len(p.text)], p.text)
		}
		return strings.HasPrefix(s, p.text)
	case wild:
		return matchCodes(p.codes, s, p.fold)
	}
	var room [192]code
	codes, ok := p.expand(room[:0], r)
	return ok && matchCodes(codes, s, p.fold)
}

// narrow applies the rule for wildcards in ARNs: within the first five segments a star keeps to its segment, unless it
// is the last character of it; the last segment, where keys with colons live, is free.
func narrow(codes []code) {
	colons := 0
	for i, c := range codes {
		switch {
		case c == ':':
			colons++
		case c == star && colons < 5 && i+1 < len(codes) && codes[i+1] != ':':
			codes[i] = within
		}
	}
}

// matchCodes matches by going back to the last star, which is right as long as all stars are alike; where some keep to
// their segment, all ways are followed at once.
func matchCodes(codes []code, s string, fold bool) bool {
	for _, c := range codes {
		if c == within {
			return matchAllWays(codes, s, fold)
		}
	}
	i, j := 0, 0
	starAt, from := -1, 0
	for j < len(s) {
		if i < len(codes) {
			if codes[i] == star {
				starAt, from = i, j
				i++
				continue
			}
			if n := step(codes[i], s[j:], fold); n > 0 {
				i, j = i+1, j+n
				continue
			}
		}
		if starAt < 0 {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[from:])
		from += n
		i, j = starAt+1, from
	}
	for i < len(codes) && codes[i] == star {
		i++
	}
	return i == len(codes)
}

// step is how many bytes of s the code takes, or 0 where it does not fit. s is not empty.
func step(c code, s string, fold bool) int {
	if c == one {
		_, n := utf8.DecodeRuneInString(s)
		return n
	}
	b := byte(c)
	if c != star && c != within && (b == s[0] || fold && lower(b) == lower(s[0])) {
		return 1
	}
	return 0
}

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// matchAllWays simulates all positions that the pattern may be in, one character of s after the other.
func matchAllWays(codes []code, s string, fold bool) bool {
	var rooms [2][257]bool
	now, next := rooms[0][:], rooms[1][:]
	if len(codes) >= len(now) {
		now, next = make([]bool, len(codes)+1), make([]bool, len(codes)+1)
	}
	// A star may also stand for nothing.
	mark := func(set []bool, i int) {
		for set[i] = true; i < len(codes) && (codes[i] == star || codes[i] == within); {
			i++
			set[i] = true
		}
	}
	mark(now, 0)
	for j := 0; j < len(s); {
		_, n := utf8.DecodeRuneInString(s[j:])
		clear(next)
		for i, c := range codes {
			switch {
			case !now[i]:
			case c == star || c == within && s[j] != ':':
				mark(next, i)
			case c == one:
				mark(next, i+1)
			case n == 1 && step(c, s[j:], fold) > 0:
				mark(next, i+1)
			case n > 1 && literal(codes[i:], s[j:j+n]):
				mark(next, i+n)
			}
		}
		now, next = next, now
		j += n
	}
	return now[len(codes)]
}

// literal reports whether codes begin with these bytes, one character of several.
func literal(codes []code, s string) bool {
	if len(codes) < len(s) {
		return false
	}
	for i := range len(s) {
		if c := codes[i]; c == one || c == star || c == within || byte(c) != s[i] {
			return false
		}
	}
	return true
}
