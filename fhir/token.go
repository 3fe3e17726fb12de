package fhir

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stringEnd finds the closing quote of a string whose text begins at i, and whether it has escapes (as the tag of the
// tape). A negative result is the complement of the offset of the byte that is wrong.
func stringEnd(src []byte, i int) (end int, tag uint32) {
	for {
		for i+8 <= len(src) {
			w := binary.LittleEndian.Uint64(src[i:])
			// The lowest byte flagged is a quote, a backslash, below 0x20 or above 0x7f; higher flags may be borrows.
			flagged := ((w - ' '*ones) | ((w ^ '"'*ones) - ones) | ((w ^ '\\'*ones) - ones) | w) & highs
			if flagged != 0 {
				i += bits.TrailingZeros64(flagged) >> 3
				break
			}
			i += 8
		}
		for i < len(src) && plain[src[i]] {
			i++
		}
		if i >= len(src) {
			return ^i, 0
		}
		switch c := src[i]; {
		case c == '"':
			return i, tag
		case c == '\\':
			n := escapeLen(src, i)
			if n == 0 {
				return ^i, 0
			}
			i += n
			tag = escaped
		case c >= utf8.RuneSelf:
			from := i
			i = pastForeign(src, i)
			if !utf8.Valid(src[from:i]) {
				return ^badUTF8(src, from), 0
			}
		default:
			return ^i, 0
		}
	}
}

// plain are the bytes that stand for themselves in a string.
var plain = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// pastForeign is the offset of the first byte at or after i that is a quote, a backslash, a control character or the
// end: what comes before may be of any script.
func pastForeign(src []byte, i int) int {
	for i < len(src) && (src[i] >= utf8.RuneSelf || plain[src[i]]) {
		i++
	}
	return i
}

// badUTF8 is the offset of the first byte from i on that is no UTF-8.
func badUTF8(src []byte, i int) int {
	for i < len(src) {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		i += size
	}
	return i
}

// escapeLen is the length of the escape at i, both halves of a surrogate pair included; 0 if it is no escape.
func escapeLen(src []byte, i int) int {
	if i+1 >= len(src) {
		return 0
	}
	switch src[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, ok := hex4(src, i+2)
		switch {
		case !ok || r >= 0xdc00 && r < 0xe000:
			return 0
		case r < 0xd800 || r >= 0xe000:
			return 6
		}
		if i+7 >= len(src) || src[i+6] != '\\' || src[i+7] != 'u' {
			return 0
		}
		low, ok := hex4(src, i+8)
		if !ok || low < 0xdc00 || low >= 0xe000 {
			return 0
		}
		return 12
	}
	return 0
}

// numberEnd is the offset after the number at i; negative is the complement of the offset where a digit is missing.
func numberEnd(src []byte, i int) int {
	if src[i] == '-' {
		i++
	}
	if i < len(src) && src[i] == '0' {
		i++
	} else if i = digits(src, i); i < 0 {
		return i
	}
	if i < len(src) && src[i] == '.' {
		if i = digits(src, i+1); i < 0 {
			return i
		}
	}
	if i < len(src) && src[i]|0x20 == 'e' {
		i++
		if i < len(src) && (src[i] == '+' || src[i] == '-') {
			i++
		}
		i = digits(src, i)
	}
	return i
}

// digits is the offset after one or more digits at i; negative is the complement of i if there is none.
func digits(src []byte, i int) int {
	start := i
	for i < len(src) && isDigit(src[i]) {
		i++
	}
	if i == start {
		return ^i
	}
	return i
}
