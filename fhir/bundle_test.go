package fhir_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir"
)

func TestBundleWriter_writesABundle(t *testing.T) {
	t.Parallel()
	total := 0
	cases := []struct {
		name    string
		head    fhir.BundleHead
		entries []fhir.BundleEntry
		want    string
	}{
		{"empty", fhir.BundleHead{Type: "searchset", Total: &total}, nil, `{"resourceType":"Bundle","type":"searchset","total":0}`},
		{"head", fhir.BundleHead{ID: "b", Type: "history", LastUpdated: when, Timestamp: when,
			Links: []fhir.BundleLink{{"self", "http://h/?a=\"b\""}, {"next", "n"}}}, nil,
			`{"resourceType":"Bundle","id":"b","meta":{"lastUpdated":"2026-01-01T00:00:00.123Z"},"type":"history",` +
				`"timestamp":"2026-01-01T00:00:00.123Z","link":[{"relation":"self","url":"http://h/?a=\"b\""},{"relation":"next","url":"n"}]}`},
		{"history", fhir.BundleHead{Type: "history"}, []fhir.BundleEntry{
			{FullURL: "http://h/Patient/1", Resource: []byte(`{"resourceType":"Patient","x":1.0}`),
				Request:  fhir.BundleRequest{Method: "PUT", URL: "Patient/1", IfMatch: `W/"1"`},
				Response: fhir.BundleResponse{Status: "200 OK", Location: "l", ETag: `W/"2"`, LastModified: when}},
			{Request: fhir.BundleRequest{Method: "DELETE", URL: "Patient/1"}, Response: fhir.BundleResponse{Status: "204 No Content"}}},
			`{"resourceType":"Bundle","type":"history","entry":[{"fullUrl":"http://h/Patient/1",` +
				`"resource":{"resourceType":"Patient","x":1.0},"request":{"method":"PUT","url":"Patient/1","ifMatch":"W/\"1\""},` +
				`"response":{"status":"200 OK","location":"l","etag":"W/\"2\"","lastModified":"2026-01-01T00:00:00.123Z"}},` +
				`{"request":{"method":"DELETE","url":"Patient/1"},"response":{"status":"204 No Content"}}]}`},
		{"search and others", fhir.BundleHead{Type: "searchset"}, []fhir.BundleEntry{
			{Search: fhir.BundleSearch{Mode: "match", Score: "0.50"}},
			{Request: fhir.BundleRequest{Method: "POST", URL: "Patient", IfNoneMatch: "*", IfModifiedSince: "then", IfNoneExist: "a=b"}},
			{Response: fhir.BundleResponse{Status: "404", Outcome: []byte(`{"resourceType":"OperationOutcome"}`)}},
			{}},
			`{"resourceType":"Bundle","type":"searchset","entry":[{"search":{"mode":"match","score":0.50}},` +
				`{"request":{"method":"POST","url":"Patient","ifNoneMatch":"*","ifModifiedSince":"then","ifNoneExist":"a=b"}},` +
				`{"response":{"status":"404","outcome":{"resourceType":"OperationOutcome"}}},{}]}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			w := fhir.NewBundleWriter(&out, c.head)
			for _, e := range c.entries {
				if err := w.Add(e); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil || w.Entries() != len(c.entries) {
				t.Fatal(w.Entries(), err)
			}
			if out.String() != c.want {
				t.Errorf("\ngot  %s\nwant %s", out.String(), c.want)
			}
			if _, err := fhir.NewParser(fhir.Limits{}).Parse(out.Bytes()); err != nil {
				t.Error(err)
			}
			if w.Add(fhir.BundleEntry{}) == nil || w.Close() == nil {
				t.Error("the Bundle goes on behind its end")
			}
		})
	}
}

// failing takes some bytes, then fails.
type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestBundleWriter_writesInPiecesAndKeepsTheFirstError(t *testing.T) {
	t.Parallel()
	entry := fhir.BundleEntry{Resource: []byte(`{"resourceType":"Binary","data":"` + strings.Repeat("A", 20_000) + `"}`)}
	var out bytes.Buffer
	w := fhir.NewBundleWriter(&out, fhir.BundleHead{Type: "collection"})
	for range 100 {
		if err := w.Add(entry); err != nil {
			t.Fatal(err)
		}
	}
	if out.Len() < 1_900_000 {
		t.Errorf("only %d bytes are written before the end", out.Len())
	}
	if err := w.Close(); err != nil || bytes.Count(out.Bytes(), entry.Resource) != 100 {
		t.Error(err)
	}
	broken := fhir.NewBundleWriter(&failing{100_000}, fhir.BundleHead{Type: "collection"})
	var err error
	for range 100 {
		if err = broken.Add(entry); err != nil {
			break
		}
	}
	if !errors.Is(err, errFull) || !errors.Is(broken.Add(entry), errFull) || !errors.Is(broken.Close(), errFull) || fault.KindOf(err) != fault.Internal {
		t.Errorf("error %v", err)
	}
}
