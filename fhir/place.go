package fhir

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"tarn/fault"
	"tarn/fhir/r4"
)

const (
	tooDeep   = "objects and arrays nest too deep"
	duplicate = "the object has a member of this name already"
)

func tooLarge(size, limit int) error {
	return NewOutcomeError(fault.TooLarge, "fhir.Parse", Issue{Severity: SeverityError, Code: CodeTooLong,
		Details: fmt.Sprintf("%d bytes are over the limit of %d", size, limit)})
}

// Locate gives line and column, both from 1 and the column in characters, and the byte offset in source of the byte that
// stands at offset compact in the compact bytes that a Parser made of source.
func Locate(source []byte, compact int) (line, column, offset int) {
	var issue Issue
	issue.locate(source, compact)
	return issue.Line, issue.Column, issue.Offset
}

// locate sets the place from an offset in the compact bytes.
func (i *Issue) locate(source []byte, compact int) {
	at, quoted := 0, false
	for ; at < len(source); at++ {
		c := source[at]
		if !quoted && isSpace(c) {
			continue
		}
		if compact == 0 {
			break
		}
		compact--
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted && compact > 0: // what is escaped is no quote
			at++
			compact--
		}
	}
	i.at(source, at)
}

// at sets the place from an offset in the source.
func (i *Issue) at(source []byte, offset int) {
	offset = min(offset, len(source))
	before := source[:offset]
	lineStart := bytes.LastIndexByte(before, '\n') + 1
	i.Line = bytes.Count(before, []byte{'\n'}) + 1
	i.Column = utf8.RuneCount(before[lineStart:]) + 1
	i.Offset = offset
}

// flaw is the issue of a text that breaks off at pos of the source; named tells whether that is within the last named
// member of the innermost object.
func (p *Parser) flaw(src []byte, pos int, code, sentence string, named bool) *Issue {
	issue := &Issue{Severity: SeverityError, Code: code, Details: sentence}
	issue.at(src, pos)
	if path := p.openPath(src, pos, named); path != "" {
		issue.Expression = []string{path}
	}
	return issue
}

// openPath is the expression of the place at which a scan stopped, from the containers that are open.
func (p *Parser) openPath(src []byte, pos int, named bool) string {
	if len(p.frames) == 0 || !p.frames[0].object {
		return ""
	}
	d := Doc{data: append(p.buf, src[min(p.seg, pos):pos]...), nodes: p.doc.nodes}
	path := d.rootName(nil)
	for level, f := range p.frames {
		child := uint32(len(d.nodes)) // the value that is missing
		if level+1 < len(p.frames) {
			child = p.frames[level+1].node
		}
		if f.object {
			base, names := int(f.base), p.names
			if level+1 < len(p.frames) {
				names = names[:p.frames[level+1].base]
			}
			if len(names) == base || !named && level+1 == len(p.frames) {
				break
			}
			last := names[len(names)-1]
			path = appendMember(path, appendUnescaped(nil, src[last.start:last.end&^escaped]))
			continue
		}
		index := 0
		for i := f.node + 1; i < child; i = d.nodes[i].next & indexMask {
			index++
		}
		path = appendIndex(path, index)
	}
	return string(path)
}

// Path is the expression of a node in FHIRPath: Patient.name[1].given[0]. The names are those of the JSON.
func (d *Doc) Path(n Node) string {
	path := d.rootName(nil)
	for at := d.Root(); at.i < n.i; {
		index, object := 0, at.Kind() == Object
		at = at.First()
		for at.Exists() && at.doc.nodes[at.i].next&indexMask <= n.i {
			at = at.Next()
			index++
		}
		if !at.Exists() {
			break
		}
		if object {
			path = appendMember(path, at.AppendKey(nil))
		} else {
			path = appendIndex(path, index)
		}
	}
	return string(path)
}

// rootName appends the resourceType as far as the tape tells it, or Resource.
func (d *Doc) rootName(path []byte) []byte {
	for i := uint32(1); i > 0 && int(i) < len(d.nodes); i = d.nodes[i].next & indexMask {
		n := Node{d, i, i + 1}
		if n.IsMember() && n.End() > 0 && n.KeyIs("resourceType") {
			if code, ok := r4.CodeOfBytes(n.Text()); ok {
				return append(path, code.String()...)
			}
		}
	}
	return append(path, "Resource"...)
}

func appendIndex(path []byte, index int) []byte {
	return append(strconv.AppendInt(append(path, '['), int64(index), 10), ']')
}

// appendMember appends .name, or .`name` if it is no identifier of FHIRPath.
func appendMember(path, name []byte) []byte {
	path = append(path, '.')
	plain := len(name) > 0 && len(name) <= 64 && !isDigit(name[0])
	for _, c := range name {
		plain = plain && (c == '_' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z')
	}
	if plain {
		return append(path, name...)
	}
	if len(name) > 64 {
		name = append(bytes.ToValidUTF8(name[:64:64], nil), "..."...)
	}
	quoted := appendQuoted(nil, name)
	quoted = bytes.ReplaceAll(quoted[1:len(quoted)-1], []byte("`"), []byte("\\`"))
	return append(append(append(path, '`'), quoted...), '`')
}

// wanted says what stands at pos in place of the token that the grammar wants.
func wanted(src []byte, pos int, token string) string {
	if pos >= len(src) {
		return "the text ends too early"
	}
	switch c := src[pos]; {
	case pos == 0 && bytes.HasPrefix(src, []byte("\xef\xbb\xbf")):
		return "the text begins with a byte order mark, which JSON does not allow"
	case c == '\'':
		return "expected " + token + ", found a single quote: JSON strings stand in double quotes"
	case c == '/':
		return "expected " + token + ", found '/': JSON has no comments"
	case (c == '}' || c == ']') && lastToken(src, pos) == ',':
		return "a comma must not stand before " + string(c)
	case isDigit(c) && pos > 0 && src[pos-1] == '0':
		return "a number must not begin with 0"
	case c > ' ' && c < 0x7f:
		return "expected " + token + ", found '" + string(c) + "'"
	default:
		return "expected " + token + ", found " + charName(src, pos)
	}
}

func lastToken(src []byte, pos int) byte {
	for pos--; pos >= 0; pos-- {
		if !isSpace(src[pos]) {
			return src[pos]
		}
	}
	return 0
}

// stringFlaw says what is wrong in a string at pos.
func stringFlaw(src []byte, pos int) string {
	switch {
	case pos >= len(src):
		return "the text ends within a string"
	case src[pos] >= utf8.RuneSelf:
		return "a string holds bytes that are not UTF-8"
	case src[pos] == '\\':
		if r, ok := hex4(src, pos+2); ok && src[pos+1] == 'u' && isSurrogate(r) {
			return "an escape names one half of a surrogate pair without the other"
		}
		return "a backslash begins no escape of JSON"
	case src[pos] == '\n' || src[pos] == '\r':
		return "a string is not closed on its line"
	default:
		return "a string holds the control character " + charName(src, pos) + ", which must be escaped"
	}
}

func charName(src []byte, pos int) string {
	r, size := utf8.DecodeRune(src[pos:])
	if r == utf8.RuneError && size <= 1 {
		return fmt.Sprintf("the byte 0x%02X", src[pos])
	}
	return fmt.Sprintf("U+%04X", r)
}
