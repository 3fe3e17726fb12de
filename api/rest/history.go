package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"tarn/fault"
	"tarn/fhir"
	"tarn/interaction"
	"tarn/store"
)

// Page sizes of a history.
const (
	defaultHistory = 50
	maxHistory     = 1000
)

// history is GET {type}/{id}/_history (FHIR R4 section 3.1.0.10) with _count and _since.
func (f *Face) history(r *request) error {
	q, err := historyQuery(r.URL.Query())
	if err != nil {
		return err
	}
	page, more, err := f.o.Interactions.History(r.Context(), r.target, q)
	if err != nil {
		return err
	}
	self := fmt.Sprintf("%s%s/%s/_history", r.call.Base, r.target.Type, r.target.ID)
	links := []fhir.BundleLink{{Relation: "self", URL: self + query(r.URL.Query())}}
	if more {
		next := r.URL.Query()
		next.Set("_before", strconv.FormatUint(uint64(page[len(page)-1].Tx), 10))
		links = append(links, fhir.BundleLink{Relation: "next", URL: self + query(next)})
	}
	var out bytes.Buffer
	b := fhir.NewBundleWriter(&out, fhir.BundleHead{Type: "history", Links: links})
	for _, v := range page {
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

// historyEntry tells of one version how it came about.
func historyEntry(base string, v store.Version) fhir.BundleEntry {
	at := fmt.Sprintf("%s/%s", v.Type, v.ID)
	e := fhir.BundleEntry{FullURL: base + at, Resource: v.Body,
		Request:  fhir.BundleRequest{Method: http.MethodPut, URL: at},
		Response: fhir.BundleResponse{Status: "200", ETag: etag(v.Number), LastModified: v.Instant}}
	switch {
	case v.Deleted:
		e.Request.Method, e.Response.Status = http.MethodDelete, "204"
	case v.Number == 1:
		e.Response.Status = "201"
	}
	return e
}

func historyQuery(v url.Values) (q interaction.HistoryQuery, err error) {
	q.Count = defaultHistory
	for name, values := range v {
		value := values[len(values)-1]
		bad := func(why string) error {
			return fhir.NewOutcomeError(fault.Invalid, "rest.history", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeValue,
				Diagnostics: fmt.Sprintf("The parameter %s cannot be used: %s.", name, why)})
		}
		switch name {
		case "_count":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return q, bad("it is no number above 0")
			}
			q.Count = min(n, maxHistory)
		case "_since":
			if q.Since, err = fhir.ParseInstant(value); err != nil {
				return q, bad("it is no instant such as 2026-01-31T12:00:00Z")
			}
		case "_before":
			n, err := strconv.ParseUint(value, 10, 63)
			if err != nil || n == 0 {
				return q, bad("it is not from a link of ours")
			}
			q.Before = store.TxID(n)
		case "_format", "_pretty":
		default:
			return q, bad("a history knows _count and _since")
		}
	}
	return q, nil
}
