package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/store"
)

// Page sizes of a history.
const (
	defaultHistory = 50
	maxHistory     = 1000
)

// history is GET {type}/{id}/_history (FHIR R4 section 3.1.0.10) with _count, _since and _at.
func (f *Face) history(r *request) error {
	q, err := historyQuery(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := f.o.Interactions.History(r.Context(), r.target, q)
	if err != nil {
		return err
	}
	return r.historyPage(fmt.Sprintf("%s%s/%s/_history", r.call.Base, r.target.Type, r.target.ID), page)
}

// historyOfAll is GET {type}/_history and GET _history, likewise.
func (f *Face) historyOfAll(r *request) error {
	q, err := historyQuery(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := f.o.Interactions.HistoryOfAll(r.Context(), r.target, q)
	if err != nil {
		return err
	}
	self := r.call.Base
	if r.target.Type != 0 {
		self += r.target.Type.String() + "/"
	}
	return r.historyPage(self+"_history", page)
}

// historyPage answers with a page.
func (r *request) historyPage(self string, page interaction.HistoryPage) error {
	links := []fhir.BundleLink{{Relation: "self", URL: self + query(r.URL.Query())}}
	if page.More {
		next := r.URL.Query()
		next.Set("_before", markText(page.Next))
		links = append(links, fhir.BundleLink{Relation: "next", URL: self + query(next)})
	}
	var out bytes.Buffer
	b := fhir.NewBundleWriter(&out, fhir.BundleHead{Type: "history", Links: links})
	for _, v := range page.Versions {
		if err := b.Add(historyEntry(r.call.Base, v)); err != nil {
			return fault.Wrap("rest.history", err)
		}
	}
	if err := b.Close(); err != nil {
		return fault.Wrap("rest.history", err)
	}
	return r.write(http.StatusOK, out.Bytes())
}

func query(v url.Values) string {
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// markText is a place in a history as links carry it.
func markText(m store.Mark) string { return fmt.Sprintf("%d.%d.%d", m.Tx, m.Type, m.Ordinal) }

func parseMark(s string) (m store.Mark, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return m, false
	}
	var n [3]uint64
	for i, bits := range []int{63, 16, 32} {
		var err error
		if n[i], err = strconv.ParseUint(parts[i], 10, bits); err != nil {
			return m, false
		}
	}
	m = store.Mark{Tx: store.TxID(n[0]), Type: r4.Code(n[1]), Ordinal: store.Ordinal(n[2])}
	return m, m.Tx > 0 && m.Type.Valid()
}

// historyEntry tells of one version how it came about.
func historyEntry(base string, v interaction.Historic) fhir.BundleEntry {
	at := fmt.Sprintf("%s/%s", v.Type, v.ID)
	e := fhir.BundleEntry{FullURL: base + at, Resource: v.Body,
		Request:  fhir.BundleRequest{Method: http.MethodPut, URL: at},
		Response: fhir.BundleResponse{Status: "200", ETag: etag(v.Number), LastModified: v.Instant}}
	switch {
	case v.Deleted:
		e.Request.Method, e.Response.Status = http.MethodDelete, "204"
	case v.Number == 1 || v.Change == store.Created:
		e.Response.Status = "201"
	}
	return e
}

func historyQuery(v url.Values) (q interaction.HistoryQuery, err error) {
	q.Count = defaultHistory
	for name, values := range v {
		value := values[len(values)-1]
		switch name {
		case "_count":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return q, badParameter(name, "it is no number above 0")
			}
			q.Count = min(n, maxHistory)
		case "_since":
			p, ok := parsePeriod(value)
			if !ok {
				return q, badParameter(name, "it is no date or instant such as 2026-01-31T12:00:00Z")
			}
			q.Since = p.From
		case "_at":
			var ok bool
			if q.At, ok = parsePeriod(value); !ok {
				return q, badParameter(name, "it is no date or instant such as 2026, 2026-01-31 or 2026-01-31T12:00:00Z")
			}
		case "_before":
			var ok bool
			if q.Before, ok = parseMark(value); !ok {
				return q, badParameter(name, "it is not from a link of ours")
			}
		case "_format", "_pretty":
		default:
			return q, badParameter(name, "a history knows _count, _since and _at")
		}
	}
	return q, nil
}
