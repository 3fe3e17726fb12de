package search_test

import (
	"slices"
	"strings"
	"tarn/fault"
	"testing"

	"tarn/fhir/r4"
	"tarn/search"
)

func TestScope_hidesWhatLiesOutside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(`{"resourceType":"Practitioner","id":"doc","name":[{"family":"Doctor"}]}`,
		`{"resourceType":"Patient","id":"a","name":[{"family":"Miller"}],"generalPractitioner":[{"reference":"Practitioner/doc"}]}`,
		`{"resourceType":"Patient","id":"b","name":[{"family":"Miller"}],"generalPractitioner":[{"reference":"Practitioner/doc"}]}`,
		`{"resourceType":"Observation","id":"oa","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/a"}}`,
		`{"resourceType":"Observation","id":"ob","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/b"},"hasMember":[{"reference":"Observation/oa"}]}`)
	own := search.Scope{Compartment: &search.Compartment{Type: mustCode("Patient"), ID: "a"}}
	observations := search.Scope{Types: []r4.Code{mustCode("Observation"), mustCode("Patient")}}
	for _, c := range []struct {
		scope search.Scope
		query string
		want  string
	}{
		{search.Scope{}, "Patient?name=miller", "Patient/a Patient/b"},
		{own, "Patient?name=miller", "Patient/a"},
		{own, "Observation?", "Observation/oa"},
		{own, "Observation?subject:Patient.name=miller", "Observation/oa"},
		{own, "Observation?_id=ob", ""},
		{own, "Patient?_has:Observation:subject:status=final", "Patient/a"},
		{own, "Patient?_revinclude=Observation:subject", "Observation/oa Patient/a"},
		{own, "Observation?_revinclude=Observation:has-member", "Observation/oa"},
		{own, "Practitioner?name=doctor", "Practitioner/doc"}, // in no compartment of a patient
		{own, "Patient?_include=Patient:general-practitioner", "Patient/a Practitioner/doc"},
		{own, "?_type=Patient,Observation", "Observation/oa Patient/a"},
		{observations, "Practitioner?", ""},
		{observations, "Patient?_include=Patient:general-practitioner", "Patient/a Patient/b"},
		{observations, "Patient?general-practitioner:Practitioner.name=doctor", ""},
		{observations, "?", "Observation/oa Observation/ob Patient/a Patient/b"},
	} {
		name, raw, _ := strings.Cut(c.query, "?")
		typ, _ := r4.CodeOf(name)
		pairs, err := search.ParseQuery(raw)
		must(t, err)
		page, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: typ, Pairs: pairs, Scope: c.scope})
		must(t, err)
		var got []string
		for _, v := range append(page.Matches, page.Included...) {
			got = append(got, v.Type.String()+"/"+v.ID)
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s with %+v shows %q, want %q", c.query, c.scope, text, c.want)
		}
	}
}

func TestSearch_warnsWhileTheIndexIsOlder(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, 0)
	w.put(`{"resourceType":"Patient","id":"a","name":[{"family":"Miller"}]}`)
	page, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: mustCode("Patient")})
	must(t, err)
	if len(page.Warnings) != 1 || !strings.Contains(page.Warnings[0].Diagnostics, "indexed anew") {
		t.Errorf("warnings %v", page.Warnings)
	}
	v := w.view()
	defer func() { must(t, v.Close()) }()
	if _, err := w.service.MatchAt(t.Context(), v, "", mustCode("Patient"), "name=miller", 2); err == nil || !strings.Contains(err.Error(), "indexed anew") {
		t.Errorf("criteria: %v", err)
	}
	for _, err := range w.service.Select(t.Context(), v, base, mustCode("Patient"), "name=miller") {
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("selected: %v", err)
		}
	}
	if err := w.service.CheckSelect(t.Context(), v, base, mustCode("Patient"), "name=miller"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a query to select by: %v", err)
	}
	if found, err := w.service.MatchAt(t.Context(), v, "", mustCode("Patient"), "_id=a", 2); err != nil || len(found) != 1 {
		t.Errorf("by id: %v, %v", found, err)
	}
}
