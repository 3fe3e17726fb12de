package search_test

import (
	"slices"
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/search"
)

// searchSeeds are queries in every form of the grammar, by resource type; none is the whole system.
var searchSeeds = map[string][]string{
	"Patient": {"name=x&_count=1", "_has:Observation:patient:code=a|b&_sort=-birthdate,_id", "general-practitioner:Practitioner.name=y",
		"birthdate=ge2000,ap2001-01&_include=*&_revinclude=Observation:subject&_total=estimate", "_id=a,b\\,c&_elements=name&_summary=true",
		"organization.partof.partof.name:exact=%C3%A9", "_lastUpdated=sa2000-01-01T00:00:00.000%2B01:00", "active:not=true&name:missing=false", "_cursor=AAAA",
		"link:Patient.link:Patient._has:Observation:subject:value-quantity=gt5|http://unitsofmeasure.org|mg", "gender:in=ValueSet/x", "_explain=true",
		"identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|V-1", "organization:identifier=http://invented.test/a|V-1", "organization:identifier=|V-1",
		"general-practitioner:Organization=i1", "gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", "_has:Observation:subject:_has:Encounter:x:y=z",
		"_has:Encounter:subject:location.near=48|11|5|km", "_tag=a|,|b&_profile:below=http://x&_security:not=c&_source:above=urn:x", "deathdate:missing=true&family:contains=%C3%89",
		"_include:iterate=Patient:general-practitioner&_include=Patient:organization:Organization&_count=1", "_summary=count", "_elements=Patient.name,id", "_filter=name eq x", "_query=x", "_text=y"},
	"Observation": {"date=ap2020", "date=eb2021-01-01T10:00,sa2022-01-01T10:00:00.5-05:00", "value-quantity=ap5.4e0|http://unitsofmeasure.org|[lb_av]", "value-quantity=le37||Cel",
		"value-quantity=ne1,gt2,lt3,ge4,eb-5,sa6|http://unitsofmeasure.org|", "code-value-quantity=http://loinc.org|1$gt5.4|http://unitsofmeasure.org|mg", "code:above=http://invented.test/animals|dog",
		"code:below=http://invented.test/animals|mammal", "code:not-in=http://invented.test/vs/nested&code:text=an", "combo-code-value-quantity=a$ap1,b\\$c$2||d", "subject:Patient.name=x&date=2020",
		"subject.organization.partof:identifier=a|b", "_sort=-value-quantity,subject,date,_lastUpdated&_count=2", "_sort=code,-_id&_count=1&_total=accurate", "status=|final,http://hl7.org/fhir/observation-status|"},
	"Location":              {"near=48.1|11.6|5|km", "near=-17.7|180|1e3|[mi_i],0|0", "near=90|-180||", "near:missing=true&organization.name=x", "partof:below=Location/i1"},
	"ServiceRequest":        {"occurrence=ge2020-02&requester:identifier=V-1", "occurrence=ap2021-05-05&_sort=-occurrence&_count=1", "_include=ServiceRequest:*&_include:iterate=*"},
	"RiskAssessment":        {"probability=ap0.1,ge5e-1", "probability=sa.5", "probability=1e1001"},
	"QuestionnaireResponse": {"questionnaire=http://invented.test/q/1|1.0", "questionnaire:below=http://invented.test/q/1|1", "questionnaire:above=http://invented.test/q", "questionnaire.title=x"},
	"Library":               {"url:above=http://invented.test/lib/a/b/1/x&url:below=http://invented.test/lib", "depends-on=http://invented.test/lib/a/1|1", "url=urn:x:y"},
	"":                      {"_type=Patient,Observation&_sort=-_lastUpdated&_count=1", "_lastUpdated=ap2020", "_id:not=a&_type=Patient,Patient", "_type=X", "_profile=http://x|1&_include=Patient:organization"},
}

// FuzzSearch holds that no query of a URL is an internal error, and that every link leads to a page.
func FuzzSearch(f *testing.F) {
	for name, queries := range searchSeeds {
		code, ok := r4.CodeOf(name)
		if !ok && name != "" {
			f.Fatalf("%s is no type", name)
		}
		for _, query := range queries {
			f.Add(uint8(code), query)
		}
	}
	w := newWorld(f)
	for _, body := range people(1) {
		w.put(body)
	}
	for i, body := range inventedDocuments() {
		if i < 12 || strings.Contains(body[:60], `"id":"i1"`) || strings.Contains(body[:60], `"id":"i2"`) {
			w.put(body)
		}
	}
	f.Fuzz(func(t *testing.T, typ uint8, query string) {
		if len(query) > search.MaxQuery {
			return
		}
		pairs, err := search.ParseQuery(query)
		if err != nil {
			return
		}
		req := search.Request{Datastore: "d", Base: base + "/", Type: r4.Code(int(typ) % (r4.Count + 1)), Pairs: pairs}
		page, err := w.service.Search(t.Context(), req)
		if err != nil {
			if fault.Is(err, fault.Internal) {
				t.Fatalf("%q: %v", query, err)
			}
			return
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
	})
}

// FuzzCursor holds that what was not sealed here is refused, and what was sealed is read safely whatever is in it.
func FuzzCursor(f *testing.F) {
	w := newWorld(f)
	w.put(`{"resourceType":"Patient","id":"a","birthDate":"2000","managingOrganization":{"reference":"Organization/o"}}`)
	w.put(`{"resourceType":"Patient","id":"b","name":[{"family":"B"}]}`, `{"resourceType":"Patient","id":"c","birthDate":"1990-05","managingOrganization":{"reference":"Organization/o"}}`,
		`{"resourceType":"Organization","id":"o","name":"O"}`)
	patient, _ := r4.CodeOf("Patient")
	var cursors []string
	for _, pairs := range [][]search.Pair{{{Name: "_sort", Value: "-_id"}}, {{Name: "_sort", Value: "family,-birthdate,_lastUpdated"}, {Name: "_total", Value: "accurate"}},
		{{Name: "birthdate", Value: "ap2000,ne1000"}, {Name: "_sort", Value: "birthdate"}}, {{Name: "birthdate:missing", Value: "false"}}, {{Name: "_include", Value: "*"}},
		{{Name: "organization.name:missing", Value: "false"}, {Name: "_summary", Value: "true"}}} {
		page, err := w.service.Search(f.Context(), search.Request{Datastore: "d", Base: base + "/", Type: patient, Pairs: append(pairs, search.Pair{Name: "_count", Value: "1"})})
		must(f, err)
		if _, cursor, ok := strings.Cut(linkOf(page, "next"), "_cursor="); ok {
			cursors = append(cursors, cursor)
			f.Add([]byte(cursor), false)
			f.Add(search.OpenCursor(w.service, "d", cursor), true)
		}
	}
	if len(cursors) != 6 {
		f.Fatalf("%d searches have a second page, want 6", len(cursors))
	}
	f.Fuzz(func(t *testing.T, text []byte, seal bool) {
		value := string(text)
		if seal {
			value = search.SealCursor(w.service, "d", text)
		}
		_, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: patient, Pairs: []search.Pair{{Name: "_cursor", Value: value}}})
		if fault.Is(err, fault.Internal) {
			t.Fatal(err)
		}
		if err == nil && !slices.Contains(cursors, value) && value != "" && !seal {
			t.Fatalf("%q was never given out", value)
		}
	})
}
