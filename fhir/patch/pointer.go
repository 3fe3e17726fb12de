package patch

import (
	"strings"

	"tarn/fhir"
)

// pointer is a JSON Pointer (RFC 6901): its tokens, unescaped. The empty one is the whole document.
type pointer []string

// parsePointer reads a JSON Pointer; ok is false where it is none.
func parsePointer(s string) (p pointer, ok bool) {
	if s == "" {
		return nil, true
	}
	if s[0] != '/' {
		return nil, false
	}
	p = strings.Split(s[1:], "/")
	for i, token := range p {
		if !strings.Contains(token, "~") {
			continue
		}
		for rest := token; ; {
			at := strings.IndexByte(rest, '~')
			if at < 0 {
				break
			}
			if at+1 == len(rest) || rest[at+1] != '0' && rest[at+1] != '1' {
				return nil, false
			}
			rest = rest[at+2:]
		}
		p[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return p, true
}

// within reports whether p is below q.
func (p pointer) within(q pointer) bool {
	if len(p) <= len(q) {
		return false
	}
	for i, token := range q {
		if p[i] != token {
			return false
		}
	}
	return true
}

// index is the index that a token names in an array of n elements; end allows the place behind the last, also as "-".
func index(token string, n int, end bool) (int, error) {
	if token == "-" {
		if end {
			return n, nil
		}
		return 0, cannot("there is nothing behind the end of an array")
	}
	if token == "" || len(token) > 1 && token[0] == '0' || len(token) > 9 {
		return 0, cannot("an index of an array is a number without leading zeros")
	}
	i := 0
	for _, c := range []byte(token) {
		if c < '0' || c > '9' {
			return 0, cannot("an index of an array is a number without leading zeros")
		}
		i = 10*i + int(c-'0')
	}
	if i > n || i == n && !end {
		return 0, cannot("the array has %d elements", n)
	}
	return i, nil
}

// walk is the value at a pointer.
func (e *editor) walk(p pointer) (*value, error) {
	v := e.root
	for _, token := range p {
		m, err := e.open(v)
		if err != nil {
			return nil, err
		}
		switch m.kind {
		case fhir.Object:
			if v = m.member(token); v == nil {
				return nil, cannot("there is nothing at that path")
			}
		case fhir.Array:
			i, err := index(token, len(m.kids), false)
			if err != nil {
				return nil, err
			}
			v = m.kids[i]
		default:
			return nil, cannot("there is nothing at that path")
		}
	}
	return v, nil
}
