package validate

import (
	"bytes"
	"html"
	"strconv"
	"unicode/utf8"
)

// The XHTML that a narrative may have (http://hl7.org/fhir/R4/narrative.html): basic formatting, no scripts, forms,
// frames, objects or events. txt-1 is what xhtmlFlaw holds but for the last sentence, which is txt-2.
var xhtmlElements = words(`p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote
	hr address bdo kbd sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody th td code samp img map
	area`)

// xhtmlAttributes are those of any element, and those of some as element.attribute.
var xhtmlAttributes = words(`title style class id lang xml:lang xml:space dir accesskey tabindex xmlns
	span width align valign char charoff abbr axis headers scope rowspan colspan nowrap border
	blockquote.cite q.cite
	a.charset a.type a.name a.href a.hreflang a.rel a.rev a.shape a.coords a.target
	img.src img.alt img.longdesc img.height img.width img.usemap img.ismap
	map.name area.shape area.coords area.href area.nohref area.alt
	table.summary table.frame table.rules table.cellspacing table.cellpadding table.bgcolor tr.bgcolor td.bgcolor th.bgcolor
	td.height th.height tr.height pre.space ol.start ol.type ul.type li.value`)

const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range bytes.Fields([]byte(list)) {
		set[string(w)] = true
	}
	return set
}

// xhtml reads the text of a Narrative.div.
type xhtml struct {
	text []byte
	at   int
	open []span // names of the open elements
	name [64]byte
	told bool // there is text or an image
}

type span struct{ from, to int }

// flaw is what is wrong with the narrative, and whether that is the rule txt-2.
func (x *xhtml) flaw(text []byte) (why flaw, empty bool) {
	x.text, x.at, x.open, x.told = text, 0, x.open[:0], false
	x.skipSpace()
	if why := x.startTag(); why != "" {
		return why, false
	}
	for len(x.open) > 0 {
		if why := x.content(); why != "" {
			return why, false
		}
	}
	x.skipSpace()
	if x.at < len(text) {
		return "must end with its div element", false
	}
	if !x.told {
		return "must have some text or an image", true
	}
	return "", false
}

func (x *xhtml) skipSpace() {
	for x.at < len(x.text) && isSpace(x.text[x.at]) {
		x.at++
	}
}

// content reads what comes up to and with the next tag, comment or reference.
func (x *xhtml) content() flaw {
	for x.at < len(x.text) {
		switch c := x.text[x.at]; {
		case c == '<':
			return x.tag()
		case c == '&':
			x.told = true
			return x.reference()
		default:
			if !isSpace(c) {
				x.told = true
			}
			x.at++
		}
	}
	return "breaks off: an element is not closed"
}

func (x *xhtml) tag() flaw {
	rest := x.text[x.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		n := bytes.Index(rest[4:], []byte("-->"))
		if n < 0 {
			return "has a comment that is not closed"
		}
		x.at += 4 + n + 3
		return ""
	case bytes.HasPrefix(rest, []byte("<!")) || bytes.HasPrefix(rest, []byte("<?")):
		return "must not have declarations, CDATA or processing instructions"
	case bytes.HasPrefix(rest, []byte("</")):
		x.at += 2
		name := x.readName()
		x.skipSpace()
		if x.at >= len(x.text) || x.text[x.at] != '>' {
			return "has an end tag that is not closed"
		}
		x.at++
		last := x.open[len(x.open)-1]
		if !bytes.Equal(x.text[last.from:last.to], x.text[name.from:name.to]) {
			return "is no well-formed XHTML: an end tag does not match its start tag"
		}
		x.open = x.open[:len(x.open)-1]
		return ""
	}
	return x.startTag()
}

func (x *xhtml) readName() span {
	from := x.at
	for x.at < len(x.text) {
		c := x.text[x.at]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != ':' && c != '-' && c != '_' && c != '.' {
			break
		}
		x.at++
	}
	return span{from, x.at}
}

// startTag reads a start tag, or an element without content; the first one must be the div.
func (x *xhtml) startTag() flaw {
	if x.at >= len(x.text) || x.text[x.at] != '<' {
		return "must begin with a div element"
	}
	x.at++
	name := x.readName()
	element := x.text[name.from:name.to]
	if len(x.open) == 0 && string(element) != "div" {
		return "must begin with a div element"
	}
	if len(element) == 0 {
		return "is no well-formed XHTML: a < begins no tag; write &lt;"
	}
	if !xhtmlElements[string(element)] {
		return "has an element that a narrative must not have (scripts, forms, frames, objects and the like)"
	}
	if string(element) == "img" {
		x.told = true
	}
	first := x.at
	for {
		space := x.at
		x.skipSpace()
		if x.at >= len(x.text) {
			return "breaks off within a tag"
		}
		switch {
		case x.text[x.at] == '>':
			x.at++
			x.open = append(x.open, name)
			return ""
		case bytes.HasPrefix(x.text[x.at:], []byte("/>")):
			x.at += 2
			return ""
		case space == x.at:
			return "is no well-formed XHTML: attributes need white space between them"
		}
		if why := x.attribute(element, first); why != "" {
			return why
		}
	}
}

// attribute reads one; first is where the attributes of the tag begin.
func (x *xhtml) attribute(element []byte, first int) flaw {
	name := x.readName()
	attribute := x.text[name.from:name.to]
	x.skipSpace()
	if len(attribute) == 0 || x.at+1 >= len(x.text) || x.text[x.at] != '=' {
		return "is no well-formed XHTML: an attribute has no value"
	}
	x.at++
	x.skipSpace()
	if x.at >= len(x.text) || x.text[x.at] != '"' && x.text[x.at] != '\'' {
		return "is no well-formed XHTML: the value of an attribute has no quotes"
	}
	n := bytes.IndexByte(x.text[x.at+1:], x.text[x.at])
	if n < 0 {
		return "breaks off within the value of an attribute"
	}
	value := x.text[x.at+1 : x.at+1+n]
	x.at += n + 2
	if bytes.IndexByte(value, '<') >= 0 {
		return "is no well-formed XHTML: the value of an attribute has a <"
	}
	if !xhtmlAttributes[string(attribute)] {
		full := append(append(append(x.name[:0], element...), '.'), attribute...)
		if !xhtmlAttributes[string(full)] {
			return "has an attribute that a narrative must not have (events and the like)"
		}
	}
	switch string(attribute) {
	case "xmlns":
		if string(value) != xhtmlNamespace {
			return "has another namespace than " + xhtmlNamespace
		}
	case "href", "src", "cite", "longdesc", "usemap":
		if isScript(value) {
			return "has a link that runs a script"
		}
	}
	return x.twice(first, name)
}

// twice finds an attribute that the tag has already.
func (x *xhtml) twice(first int, name span) flaw {
	at := x.at
	defer func() { x.at = at }()
	for x.at = first; ; {
		x.skipSpace()
		other := x.readName()
		if other.from >= name.from {
			return ""
		}
		if bytes.Equal(x.text[other.from:other.to], x.text[name.from:name.to]) {
			return "is no well-formed XHTML: an attribute stands twice"
		}
		x.skipSpace()
		x.at++
		x.skipSpace()
		x.at += bytes.IndexByte(x.text[x.at+1:], x.text[x.at]) + 2
	}
}

// isScript reports whether a link would run a script: as browsers read it, with character references decoded and white
// space in the scheme passed over.
func isScript(link []byte) bool {
	if bytes.IndexByte(link, '&') >= 0 {
		link = []byte(html.UnescapeString(string(link)))
	}
	scheme, _, ok := bytes.Cut(link, []byte(":"))
	if !ok || bytes.ContainsAny(scheme, "/?#") {
		return false
	}
	at := 0
	var plain [16]byte
	for _, c := range scheme {
		if c > ' ' && at < len(plain) {
			plain[at] = c | 0x20
			at++
		}
	}
	name := string(plain[:at])
	return name == "javascript" || name == "vbscript"
}

// reference reads &name; or &#1; or &#x1; and wants those of XML and HTML.
func (x *xhtml) reference() flaw {
	const wrong flaw = "is no well-formed XHTML: a & begins no reference; write &amp;"
	n := bytes.IndexByte(x.text[x.at:min(x.at+34, len(x.text))], ';')
	if n < 2 {
		return wrong
	}
	whole := x.text[x.at : x.at+n+1]
	x.at += n + 1
	switch name := whole[1:n]; string(name) {
	case "amp", "lt", "gt", "quot", "apos", "nbsp":
		return ""
	default:
		if name[0] == '#' {
			return number(name[1:])
		}
		if text := html.UnescapeString(string(whole)); text == string(whole) || text[len(text)-1] == ';' {
			return "has a character reference that HTML does not know"
		}
		return ""
	}
}

// number is what is wrong with the digits of a reference by number.
func number(digits []byte) flaw {
	base := 10
	if len(digits) > 0 && digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(string(digits), base, 21)
	if err != nil || n < ' ' && n != '\t' && n != '\n' && n != '\r' || n >= 0xd800 && n < 0xe000 || n == 0xfffe || n == 0xffff || n > utf8.MaxRune {
		return "has a reference to what is no character"
	}
	return ""
}
