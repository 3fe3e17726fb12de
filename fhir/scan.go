package fhir

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// frame is an open container.
type frame struct {
	node   uint32 // its entry on the tape
	base   uint32 // where its names begin in Parser.names
	seen   uint64 // one bit for each name that it may have
	object bool
}

// scan reads one JSON text (RFC 8259, names unique, UTF-8 sound) and writes the tape. White space between tokens is
// left out on the way: runs between it go to p.buf, and offsets on the tape count without it. p.seg is the start of the
// run under way, p.shift the white space passed over so far. The result is nil or what is wrong.
func (p *Parser) scan(src []byte) *Issue {
	nodes, names, frames := p.doc.nodes[:0], p.names[:0], p.frames[:0]
	p.buf, p.seg, p.shift = p.buf[:0], 0, 0
	var (
		pos, shift int
		key        uint32 // of the member whose value comes next
		top        frame  // the innermost open container
		expected   = "a value"
	)
	fail := func(code, sentence string) *Issue {
		p.doc.nodes, p.names, p.frames = nodes, names, frames
		return p.flaw(src, pos, code, sentence, lastToken(src, pos) != ',')
	}
	want := func(token string) *Issue { return fail(CodeStructure, wanted(src, pos, token)) }
	twice := func(twin name) *Issue {
		p.doc.nodes, p.names, p.frames = nodes, append(names[:top.base], twin), frames
		issue := p.flaw(src, pos, CodeStructure, duplicate, true)
		issue.at(src, int(twin.start)-1)
		return issue
	}

value:
	if pos < len(src) && src[pos] <= ' ' {
		pos = p.skip(src, pos)
		shift = p.shift
	}
	if pos >= len(src) {
		return want("")
	}
	switch c := src[pos]; c {
	case '"':
		end, tag := stringEnd(src, pos+1)
		if end < 0 {
			pos = ^end
			return fail(CodeStructure, stringFlaw(src, pos))
		}
		nodes = append(nodes, entry{key, uint32(pos - shift), uint32(end + 1 - shift),
			uint32(len(nodes)+1) | uint32(String)<<kindShift | tag})
		pos = end + 1
	case '{', '[':
		if len(frames) >= p.limits.MaxDepth {
			return fail(CodeTooLong, tooDeep)
		}
		if len(frames) > 0 {
			frames[len(frames)-1] = top
		}
		top = frame{node: uint32(len(nodes)), base: uint32(len(names)), object: c == '{'}
		frames = append(frames, top)
		kind := Array
		if top.object {
			kind = Object
		}
		nodes = append(nodes, entry{key: key, off: uint32(pos - shift), next: uint32(kind) << kindShift})
		pos++
		if pos < len(src) && src[pos] <= ' ' {
			pos = p.skip(src, pos)
			shift = p.shift
		}
		key = 0
		if pos < len(src) && src[pos] == c+2 { // '}' or ']'
			goto closing
		}
		if top.object {
			expected = "a member name in double quotes, or }"
			goto member
		}
		expected = "a value, or ]"
		goto value
	case 't', 'f', 'n':
		word, kind := "null", Null
		if c == 't' {
			word, kind = "true", True
		} else if c == 'f' {
			word, kind = "false", False
		}
		if len(src)-pos < len(word) || string(src[pos:pos+len(word)]) != word {
			return want(expected)
		}
		nodes = append(nodes, entry{key, uint32(pos - shift), uint32(pos + len(word) - shift),
			uint32(len(nodes)+1) | uint32(kind)<<kindShift})
		pos += len(word)
	default:
		if c != '-' && !isDigit(c) {
			return want(expected)
		}
		end := numberEnd(src, pos)
		if end < 0 {
			pos = ^end
			return want("a digit")
		}
		nodes = append(nodes, entry{key, uint32(pos - shift), uint32(end - shift),
			uint32(len(nodes)+1) | uint32(Number)<<kindShift})
		pos = end
	}

after:
	if len(frames) == 0 {
		goto done
	}
	if pos < len(src) && src[pos] <= ' ' {
		pos = p.skip(src, pos)
		shift = p.shift
	}
	if pos >= len(src) {
		return want("")
	}
	if top.object {
		switch src[pos] {
		case ',':
			pos++
			if pos < len(src) && src[pos] <= ' ' {
				pos = p.skip(src, pos)
				shift = p.shift
			}
			expected = "a member name in double quotes"
			goto member
		case '}':
			goto closing
		}
		return want("a comma or }")
	}
	switch src[pos] {
	case ',':
		pos++
		key = 0
		expected = "a value"
		goto value
	case ']':
		goto closing
	}
	return want("a comma or ]")

member:
	if pos >= len(src) {
		return want("")
	}
	if src[pos] != '"' {
		return want(expected)
	}
	{
		end, tag := stringEnd(src, pos+1)
		if end < 0 {
			pos = ^end
			return fail(CodeStructure, stringFlaw(src, pos))
		}
		name := name{start: uint32(pos + 1), end: uint32(end) | tag}
		name.print = p.print(src, name)
		bit := uint64(1) << (name.print * mixer >> 58)
		if top.seen&bit != 0 && len(names)-int(top.base) <= fewNames && p.among(src, names[top.base:], name) {
			return twice(name)
		}
		top.seen |= bit
		names = append(names, name)
		key = uint32(pos+1-shift) | tag
		pos = end + 1
	}
	if pos < len(src) && src[pos] <= ' ' {
		pos = p.skip(src, pos)
		shift = p.shift
	}
	if pos >= len(src) {
		return want("")
	}
	if src[pos] != ':' {
		return want("a colon")
	}
	pos++
	expected = "a value"
	goto value

closing:
	pos++
	if len(names)-int(top.base) > fewNames {
		if twin, ok := p.twin(src, names[top.base:]); ok {
			return twice(twin)
		}
	}
	nodes[top.node].end = uint32(pos - shift)
	nodes[top.node].next |= uint32(len(nodes))
	names = names[:top.base]
	frames = frames[:len(frames)-1]
	if len(frames) > 0 {
		top = frames[len(frames)-1]
	}
	goto after

done:
	end := pos
	for pos < len(src) && isSpace(src[pos]) {
		pos++
	}
	if pos < len(src) {
		return want("the end of the text")
	}
	p.doc.nodes, p.names, p.frames = nodes, names, frames
	if p.shift == p.seg { // no white space but before the text
		p.doc.data = src[p.seg:end]
	} else {
		p.buf = append(p.buf, src[p.seg:end]...)
		p.doc.data = p.buf
	}
	return nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// skip passes over the white space at pos and puts the run before it into p.buf.
func (p *Parser) skip(src []byte, pos int) int {
	start := pos
	for pos < len(src) && isSpace(src[pos]) {
		pos++
	}
	if pos > start {
		p.buf = append(p.buf, src[p.seg:start]...)
		p.seg = pos
		p.shift += pos - start
	}
	return pos
}

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
