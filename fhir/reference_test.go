package fhir_test

import (
	"testing"

	"tarn/fhir"
)

func TestParseReference_takesItApart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fhir.Reference{
		"Patient/1":             {Kind: fhir.RelativeReference, Type: "Patient", ID: "1"},
		"Patient/a-1.B":         {Kind: fhir.RelativeReference, Type: "Patient", ID: "a-1.B"},
		"Patient/1/_history/22": {Kind: fhir.RelativeReference, Type: "Patient", ID: "1", Version: "22"},
		"http://h/Patient/1":    {Kind: fhir.AbsoluteReference, Base: "http://h", Type: "Patient", ID: "1"},
		"https://h:8/a/r4/Encounter/x/_history/3": {Kind: fhir.AbsoluteReference, Base: "https://h:8/a/r4", Type: "Encounter",
			ID: "x", Version: "3"},
		"#p1": {Kind: fhir.FragmentReference, ID: "p1"},
		"#":   {Kind: fhir.FragmentReference},
		"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7": {Kind: fhir.URNReference, ID: "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"},
		"urn:oid:1.2.3":           {Kind: fhir.URNReference, ID: "urn:oid:1.2.3"},
		"Patient?identifier=s|1":  {Kind: fhir.ConditionalReference, Type: "Patient", Query: "identifier=s|1"},
		"Patient?":                {Kind: fhir.ConditionalReference, Type: "Patient"},
		"":                        {},
		"Patient":                 {},
		"Patient/":                {},
		"/1":                      {},
		"/Patient/1":              {},
		"Patients/1":              {},
		"DomainResource/1":        {},
		"Patient/a_b":             {},
		"Patient/1/2":             {},
		"Patient/1/_history/":     {},
		"Patient/1/_history/a_b":  {},
		"Foo?x=y":                 {},
		"http://Patient/1":        {},
		"http:///Patient/1":       {},
		"ftp://h/Patient/1":       {},
		"http://h/Patient/1?x=y":  {},
		"https://example.org/ext": {},
		"../Patient/1":            {},
	} {
		got := fhir.ParseReference(text)
		if got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
		if got.Kind != fhir.OtherReference && got.String() != text {
			t.Errorf("%q together again is %q", text, got.String())
		}
	}
	if (fhir.Reference{}).String() != "" {
		t.Error("an unknown reference has a text")
	}
}

func TestParseReference_doesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { fhir.ParseReference("https://h/r4/Patient/1/_history/2") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseReference(f *testing.F) {
	f.Add("https://h:8/a/r4/Encounter/x/_history/3")
	f.Add("Patient?identifier=s|1")
	f.Fuzz(func(t *testing.T, text string) {
		r := fhir.ParseReference(text)
		if r.Kind != fhir.OtherReference && (r.String() != text || fhir.ParseReference(r.String()) != r) {
			t.Fatalf("%q is %+v, together again %q", text, r, r.String())
		}
	})
}

func TestValidID_takesWhatFHIRTakes(t *testing.T) {
	t.Parallel()
	long := "0123456789012345678901234567890123456789012345678901234567890123"
	for id, want := range map[string]bool{"a": true, "-": true, ".": true, "aZ09-.": true, long: true, long + "4": false, "": false,
		"a_b": false, "a b": false, "é": false, "a\n": false, "@": false, "[": false, "`": false, "{": false, "/": false, ":": false} {
		if fhir.ValidID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}
