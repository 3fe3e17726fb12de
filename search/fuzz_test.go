package search_test

import (
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/search"
)

// FuzzSearch holds that no query of a URL is an internal error, and that every link leads to a page.
func FuzzSearch(f *testing.F) {
	for _, query := range []string{"name=x&_count=1", "_has:Observation:patient:code=a|b&_sort=-birthdate,_id", "general-practitioner:Practitioner.name=y",
		"birthdate=ge2000,ap2001-01&_include=*&_revinclude=Observation:subject&_total=estimate", "_id=a,b\\,c&_elements=name&_summary=true",
		"organization.partof.partof.name:exact=%C3%A9", "_lastUpdated=sa2000-01-01T00:00:00.000%2B01:00", "active:not=true&name:missing=false", "_cursor=AAAA",
		"link:Patient.link:Patient._has:Observation:subject:value-quantity=gt5|http://unitsofmeasure.org|mg", "gender:in=ValueSet/x", "_explain=true"} {
		f.Add(query)
	}
	w := newWorld(f)
	for _, body := range people(1) {
		w.put(body)
	}
	patient, _ := r4.CodeOf("Patient")
	f.Fuzz(func(t *testing.T, query string) {
		if len(query) > search.MaxQuery {
			return
		}
		pairs, err := search.ParseQuery(query)
		if err != nil {
			return
		}
		for _, typ := range []r4.Code{patient, 0} {
			req := search.Request{Datastore: "d", Base: base + "/", Type: typ, Pairs: pairs}
			page, err := w.service.Search(t.Context(), req)
			if err != nil {
				if fault.Is(err, fault.Internal) {
					t.Fatalf("%q: %v", query, err)
				}
				continue
			}
			if err := w.service.Write(&strings.Builder{}, page); err != nil {
				t.Fatalf("%q: %v", query, err)
			}
			for _, l := range page.Links {
				_, query, _ := strings.Cut(l.URL, "?")
				if req.Pairs, err = search.ParseQuery(query); err != nil {
					t.Fatalf("%s is no query: %v", l.URL, err)
				}
				if _, err := w.service.Search(t.Context(), req); err != nil {
					t.Fatalf("%s leads nowhere: %v", l.URL, err)
				}
			}
		}
	})
}

// FuzzCursor holds that what was not sealed here is refused, and what was sealed is read safely whatever is in it.
func FuzzCursor(f *testing.F) {
	w := newWorld(f)
	w.put(`{"resourceType":"Patient","id":"a"}`)
	w.put(`{"resourceType":"Patient","id":"b"}`)
	patient, _ := r4.CodeOf("Patient")
	page, err := w.service.Search(f.Context(), search.Request{Datastore: "d", Base: base + "/", Type: patient, Pairs: []search.Pair{{Name: "_count", Value: "1"}, {Name: "_sort", Value: "-_id"}}})
	must(f, err)
	_, cursor, _ := strings.Cut(linkOf(page, "next"), "_cursor=")
	f.Add([]byte(cursor), false)
	f.Add(search.OpenCursor(w.service, "d", cursor), true)
	f.Fuzz(func(t *testing.T, text []byte, seal bool) {
		value := string(text)
		if seal {
			value = search.SealCursor(w.service, "d", text)
		}
		_, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: patient, Pairs: []search.Pair{{Name: "_cursor", Value: value}}})
		if fault.Is(err, fault.Internal) {
			t.Fatal(err)
		}
		if err == nil && value != cursor && value != "" && !seal {
			t.Fatalf("%q was never given out", value)
		}
	})
}
