package fhir

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
		code       = CodeStructure
		sentence   string
		double     name // a name that stands twice
		last       int  // the end of the text
	)

value:
	if pos < len(src) && src[pos] <= ' ' {
		pos = p.skip(src, pos)
		shift = p.shift
	}
	if pos >= len(src) {
		goto wanted
	}
	switch c := src[pos]; c {
	case '"':
		end, tag := stringEnd(src, pos+1)
		if end < 0 {
			pos = ^end
			sentence = stringFlaw(src, pos)
			goto failed
		}
		nodes = append(nodes, entry{key, uint32(pos - shift), uint32(end + 1 - shift),
			uint32(len(nodes)+1) | uint32(String)<<kindShift | tag})
		pos = end + 1
	case '{', '[':
		if len(frames) >= p.limits.MaxDepth {
			code, sentence = CodeTooLong, tooDeep
			goto failed
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
			goto wanted
		}
		nodes = append(nodes, entry{key, uint32(pos - shift), uint32(pos + len(word) - shift),
			uint32(len(nodes)+1) | uint32(kind)<<kindShift})
		pos += len(word)
	default:
		if c != '-' && !isDigit(c) {
			goto wanted
		}
		end := numberEnd(src, pos)
		if end < 0 {
			pos = ^end
			expected = "a digit"
			goto wanted
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
		goto wanted
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
		expected = "a comma or }"
		goto wanted
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
	expected = "a comma or ]"
	goto wanted

member:
	if pos >= len(src) {
		goto wanted
	}
	if src[pos] != '"' {
		goto wanted
	}
	{
		end, tag := stringEnd(src, pos+1)
		if end < 0 {
			pos = ^end
			sentence = stringFlaw(src, pos)
			goto failed
		}
		name := name{start: uint32(pos + 1), end: uint32(end) | tag}
		if tag == 0 {
			name.print = fingerprint(src, pos+1, end)
		} else {
			name.print = p.printEscaped(src[pos+1 : end])
		}
		bit := uint64(1) << (name.print * mixer >> 58)
		if top.seen&bit != 0 && len(names)-int(top.base) <= fewNames && p.among(src, names[top.base:], name) {
			double = name
			goto twice
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
		goto wanted
	}
	if src[pos] != ':' {
		expected = "a colon"
		goto wanted
	}
	pos++
	expected = "a value"
	goto value

closing:
	pos++
	if len(names)-int(top.base) > fewNames {
		if twin, ok := p.twin(src, names[top.base:]); ok {
			double = twin
			goto twice
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
	last = pos
	for pos < len(src) && isSpace(src[pos]) {
		pos++
	}
	if pos < len(src) {
		expected = "the end of the text"
		goto wanted
	}
	p.doc.nodes, p.names, p.frames = nodes, names, frames
	if p.shift == p.seg { // no white space but before the text
		p.doc.data = src[p.seg:last]
	} else {
		p.buf = append(p.buf, src[p.seg:last]...)
		p.doc.data = p.buf
	}
	return nil

wanted:
	sentence = wanted(src, pos, expected)
failed:
	p.doc.nodes, p.names, p.frames = nodes, names, frames
	return p.flaw(src, pos, code, sentence, lastToken(src, pos) != ',')

twice:
	p.doc.nodes, p.names, p.frames = nodes, append(names[:top.base], double), frames
	issue := p.flaw(src, pos, code, duplicate, true)
	issue.at(src, int(double.start)-1)
	return issue
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
