package fhir

import (
	"io"
	"strconv"

	"tarn/fault"
)

// BundleHead is what stands in a Bundle before its entries. Empty fields are left out.
type BundleHead struct {
	ID          string
	Type        string  // history, searchset, batch-response, ... (http://hl7.org/fhir/R4/valueset-bundle-type.html)
	LastUpdated Instant // meta.lastUpdated; 0: none
	Timestamp   Instant // 0: none
	Total       *int    // nil where unknown, or where the type of Bundle has none
	Links       []BundleLink
}

// BundleLink is one Bundle.link.
type BundleLink struct{ Relation, URL string }

// BundleEntry is one Bundle.entry. Empty fields are left out.
type BundleEntry struct {
	FullURL  string
	Resource []byte // final compact bytes of a resource, copied as they are
	Search   BundleSearch
	Request  BundleRequest
	Response BundleResponse
}

// BundleSearch is Bundle.entry.search. Score is a decimal as text, like 0.5.
type BundleSearch struct{ Mode, Score string }

// BundleRequest is Bundle.entry.request.
type BundleRequest struct{ Method, URL, IfNoneMatch, IfModifiedSince, IfMatch, IfNoneExist string }

// BundleResponse is Bundle.entry.response. Outcome are the bytes of a resource, usually an OperationOutcome.
type BundleResponse struct {
	Status, Location, ETag string
	LastModified           Instant // 0: none
	Outcome                []byte
}

// BundleWriter writes a Bundle to w, entry by entry, holding one piece of about 32 KiB in memory. The zero BundleWriter
// is of no use; it is for one goroutine.
type BundleWriter struct {
	w       io.Writer
	buf     []byte
	entries int
	err     error
}

const bundlePiece = 32 << 10

// NewBundleWriter begins a Bundle. Nothing is written to w before a piece is full or Close.
func NewBundleWriter(w io.Writer, head BundleHead) *BundleWriter {
	return &BundleWriter{w: w, buf: head.appendJSON(make([]byte, 0, bundlePiece+4096))}
}

// Add appends one entry. The first error of w is returned by every later call.
func (b *BundleWriter) Add(e BundleEntry) error {
	if b.err != nil {
		return b.err
	}
	if b.entries == 0 {
		b.buf = append(b.buf, `,"entry":[`...)
	} else {
		b.buf = append(b.buf, ',')
	}
	b.entries++
	b.buf = e.appendJSON(b.buf)
	if len(b.buf) >= bundlePiece {
		return b.flush()
	}
	return nil
}

// Entries is the number of entries added.
func (b *BundleWriter) Entries() int { return b.entries }

// Close ends the Bundle and writes what is left; it does not close w. Without Close the Bundle is no JSON.
func (b *BundleWriter) Close() error {
	if b.err != nil {
		return b.err
	}
	if b.entries > 0 {
		b.buf = append(b.buf, ']')
	}
	b.buf = append(b.buf, '}')
	if err := b.flush(); err != nil {
		return err
	}
	b.err = fault.Errorf(fault.Internal, "fhir.BundleWriter", "the Bundle is closed")
	return nil
}

func (b *BundleWriter) flush() error {
	if _, err := b.w.Write(b.buf); err != nil {
		b.err = fault.Wrap("fhir.BundleWriter", err)
	}
	b.buf = b.buf[:0]
	if cap(b.buf) > 16*bundlePiece { // a large resource passed through
		b.buf = make([]byte, 0, bundlePiece+4096)
	}
	return b.err
}

func (h *BundleHead) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"resourceType":"Bundle"`...)
	dst = appendText(dst, `,"id":`, h.ID)
	if h.LastUpdated != 0 {
		dst = append(dst, `,"meta":{"lastUpdated":`...)
		dst = append(appendUpdated(dst, h.LastUpdated), '}')
	}
	dst = appendText(dst, `,"type":`, h.Type)
	if h.Timestamp != 0 {
		dst = appendUpdated(append(dst, `,"timestamp":`...), h.Timestamp)
	}
	if h.Total != nil {
		dst = strconv.AppendInt(append(dst, `,"total":`...), int64(*h.Total), 10)
	}
	for i, link := range h.Links {
		if i == 0 {
			dst = append(dst, `,"link":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = appendText(dst, `{"relation":`, link.Relation)
		dst = append(appendText(dst, `,"url":`, link.URL), '}')
	}
	if len(h.Links) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

func (e *BundleEntry) appendJSON(dst []byte) []byte {
	start := len(dst)
	dst = appendText(dst, `,"fullUrl":`, e.FullURL)
	if len(e.Resource) > 0 {
		dst = append(append(dst, `,"resource":`...), e.Resource...)
	}
	if s := e.Search; s != (BundleSearch{}) {
		at := len(dst) + len(`,"search":`)
		dst = appendText(append(dst, `,"search":`...), `,"mode":`, s.Mode)
		if s.Score != "" {
			dst = append(append(dst, `,"score":`...), s.Score...)
		}
		dst = closeObject(dst, at)
	}
	if r := e.Request; r != (BundleRequest{}) {
		at := len(dst) + len(`,"request":`)
		dst = appendText(append(dst, `,"request":`...), `,"method":`, r.Method)
		dst = appendText(dst, `,"url":`, r.URL)
		dst = appendText(dst, `,"ifNoneMatch":`, r.IfNoneMatch)
		dst = appendText(dst, `,"ifModifiedSince":`, r.IfModifiedSince)
		dst = appendText(dst, `,"ifMatch":`, r.IfMatch)
		dst = closeObject(appendText(dst, `,"ifNoneExist":`, r.IfNoneExist), at)
	}
	if r := &e.Response; r.Status != "" {
		at := len(dst) + len(`,"response":`)
		dst = appendText(append(dst, `,"response":`...), `,"status":`, r.Status)
		dst = appendText(dst, `,"location":`, r.Location)
		dst = appendText(dst, `,"etag":`, r.ETag)
		if r.LastModified != 0 {
			dst = appendUpdated(append(dst, `,"lastModified":`...), r.LastModified)
		}
		if len(r.Outcome) > 0 {
			dst = append(append(dst, `,"outcome":`...), r.Outcome...)
		}
		dst = closeObject(dst, at)
	}
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	return closeObject(dst, start)
}

// closeObject makes an object of the members from at on, each of which begins with a comma.
func closeObject(dst []byte, at int) []byte {
	dst[at] = '{'
	return append(dst, '}')
}

// appendText appends a member of which key is the text up to its value; nothing for an empty text.
func appendText(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	return appendQuoted(append(dst, key...), text)
}
