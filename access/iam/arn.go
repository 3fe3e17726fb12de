package iam

import (
	"strings"

	"tarn/access"
)

// matchARN compares by the rules of ArnLike and ArnEquals, which are the same: each of the six segments for itself,
// with wildcards that keep to their segment. A pattern of fewer segments fits where it ends with a star.
func (p *pattern) matchARN(s string, r *access.Request) bool {
	if p.shape == all {
		return true
	}
	codes := p.codes
	if p.shape == dynamic {
		var room [192]code
		var ok bool
		if codes, ok = p.expand(room[:0], r); !ok {
			return false
		}
	}
	for range 5 {
		end := indexColon(codes)
		if end < 0 {
			n := len(codes)
			return n > 0 && codes[n-1] == star && matchCodes(codes, s, false)
		}
		segment, rest, found := strings.Cut(s, ":")
		if !found || !matchCodes(codes[:end], segment, false) {
			return false
		}
		codes, s = codes[end+1:], rest
	}
	return matchCodes(codes, s, false)
}

func indexColon(codes []code) int {
	for i, c := range codes {
		if c == ':' {
			return i
		}
	}
	return -1
}

// compileARN makes a pattern for matchARN.
func compileARN(s string, variables bool) pattern {
	p := compile(s, dialect{wildcards: true, variables: variables})
	if p.shape == exact || p.shape == prefix {
		for i := range len(p.text) {
			p.codes = append(p.codes, code(p.text[i]))
		}
		if p.shape == prefix {
			p.codes = append(p.codes, star)
		}
		p.shape = wild
	}
	return p
}

// isARNPattern reports whether a policy's string may stand for an ARN: "*", or arn: and six segments, or fewer where a
// star at a segment's end stands for the others. Colons of variables do not count.
func isARNPattern(s string, variables bool) bool {
	if s == "*" {
		return true
	}
	if !strings.HasPrefix(s, "arn:") {
		return false
	}
	p := compileARN(s, variables)
	codes := p.codes
	for _, part := range p.parts {
		codes = append(codes, part.codes...)
		if part.variable != "" {
			codes = append(codes, quoted|'x')
		}
	}
	colons := 0
	for i, c := range codes {
		if c == ':' {
			colons++
		}
		if c == star && (i+1 == len(codes) || codes[i+1] == ':') {
			return true
		}
	}
	return colons >= 5
}
