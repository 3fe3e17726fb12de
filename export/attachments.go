package export

import (
	"bytes"
	"net/url"
	"strings"

	"tarn/fhir"
	"tarn/fhir/rewrite"
	"tarn/store"
)

// absoluteURLs makes relative urls of attachments absolute: who fetches a file knows no base to resolve them against (Bulk
// Data Access 3.0.0, section "Attachments"). A relative url is meant below the data store (FHIR R4, Attachment.url). All
// other bytes stay.
type absoluteURLs struct {
	base   string // without a last slash
	root   string // scheme and host of it
	parser *fhir.Parser
	links  []rewrite.Link
	edits  []rewrite.Edit
	buf    []byte
}

func newAbsoluteURLs(base string) *absoluteURLs {
	a := &absoluteURLs{base: base, root: base, parser: fhir.NewParser(fhir.Limits{MaxBytes: 2 * store.MaxDocument, MaxDepth: 10_000})}
	if u, err := url.Parse(base); err == nil {
		a.root = u.Scheme + "://" + u.Host
	}
	return a
}

// of is the resource with absolute urls; it is valid until the next call. A nil receiver changes nothing.
func (a *absoluteURLs) of(body []byte) ([]byte, error) {
	if a == nil || !mayHoldRelative(body) {
		return body, nil
	}
	doc, err := a.parser.Scan(body)
	if err != nil {
		return nil, err
	}
	a.links, a.edits = rewrite.Links(a.links[:0], doc.Root(), isRelative), a.edits[:0]
	for _, l := range a.links {
		if l.Of != "Attachment" {
			continue
		}
		before := a.base + "/"
		if l.Text[0] == '/' {
			before = a.root
		}
		a.edits = append(a.edits, rewrite.Edit{Start: l.Start, End: l.Start, Text: before})
	}
	if len(a.edits) == 0 {
		return body, nil
	}
	out := rewrite.Splice(a.buf[:0], doc.Bytes(), 0, len(doc.Bytes()), a.edits)
	if a.buf = out; cap(out) > 1<<20 {
		a.buf = nil
	}
	return out, nil
}

// isRelative reports whether a URL is one that a base must be put before: without a scheme, and no bare fragment.
func isRelative(text []byte) bool {
	if len(text) == 0 || text[0] == '#' || bytes.HasPrefix(text, []byte("//")) {
		return false
	}
	for i, c := range text {
		switch {
		case c == ':':
			return i == 0
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && (c >= '0' && c <= '9' || strings.IndexByte("+-.", c) >= 0):
		default:
			return true
		}
	}
	return true
}

// mayHoldRelative looks quickly whether some member url may be relative, so that nearly all resources need not be parsed.
func mayHoldRelative(body []byte) bool {
	for {
		at := bytes.Index(body, urlKey)
		if at < 0 {
			return false
		}
		body = body[at+len(urlKey):]
		value := bytes.TrimLeft(body, " \t\r\n:")
		if !bytes.HasPrefix(value, []byte(`"http`)) && !bytes.HasPrefix(value, []byte(`"urn:`)) {
			return true
		}
	}
}

var urlKey = []byte(`"url"`)
