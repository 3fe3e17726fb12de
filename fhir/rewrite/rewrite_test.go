package rewrite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/rewrite"
)

// links are those of a resource whose text begins with urn:, as KIND TEXT.
func links(t testing.TB, resource string) (found []string) {
	t.Helper()
	p := fhir.NewParser(fhir.Limits{})
	if _, err := p.Parse([]byte(resource)); err != nil {
		t.Fatal(err)
	}
	doc := p.Doc()
	for _, l := range rewrite.Links(nil, doc.Root(), urn) {
		found = append(found, fmt.Sprintf("%d %s", l.Kind, l.Text))
	}
	return found
}

func urn(text []byte) bool { return bytes.HasPrefix(text, []byte("urn:")) }

func TestLinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resource string
		want     string
	}{
		"reference":            {`{"resourceType":"Patient","generalPractitioner":[{"reference":"urn:a"},{"reference":"b"},{"reference":"urn:c"}]}`, "1 urn:a, 1 urn:c"},
		"escaped":              {`{"resourceType":"Patient","managingOrganization":{"referenc\u0065":"\u0075rn:a"}}`, "1 urn:a"},
		"display":              {`{"resourceType":"Patient","managingOrganization":{"display":"urn:a"}}`, ""},
		"type of reference":    {`{"resourceType":"Patient","managingOrganization":{"type":"urn:a"}}`, "2 urn:a"},
		"identifier":           {`{"resourceType":"Patient","identifier":[{"system":"urn:a","value":"urn:b"}]}`, "2 urn:a"},
		"extension":            {`{"resourceType":"Patient","extension":[{"url":"urn:a","valueUri":"urn:b"},{"url":"x","valueCanonical":"urn:c"},{"url":"x","valueUrl":"urn:d"},{"url":"x","valueOid":"urn:e"},{"url":"x","valueUuid":"urn:f"},{"url":"x","valueString":"urn:g"},{"url":"x","valueReference":{"reference":"urn:h"}},{"url":"x","valueCode":"urn:i"}]}`, "2 urn:a, 2 urn:b, 2 urn:d, 2 urn:e, 2 urn:f, 1 urn:h"},
		"canonical":            {`{"resourceType":"Questionnaire","derivedFrom":["urn:a"],"url":"urn:b","meta":{"profile":["urn:c"]}}`, "2 urn:b"},
		"of a primitive":       {`{"resourceType":"Patient","_birthDate":{"extension":[{"url":"x","valueReference":{"reference":"urn:a"}}]}}`, "1 urn:a"},
		"contained":            {`{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","photo":[{"url":"urn:a"}],"qualification":[{"issuer":{"reference":"urn:b"}}]}]}`, "2 urn:a, 1 urn:b"},
		"contained of no type": {`{"resourceType":"Patient","contained":[{"managingOrganization":{"reference":"urn:b"}},{"resourceType":"Nothing","x":{"reference":"urn:c"}}]}`, ""},
		"nested":               {`{"resourceType":"Patient","contact":[{"organization":{"reference":"urn:a","extension":[{"url":"urn:b"}]}}]}`, "1 urn:a, 2 urn:b"},
		"entry":                {`{"resourceType":"Bundle","entry":[{"fullUrl":"urn:a","resource":{"resourceType":"Basic","subject":{"reference":"urn:b"}}}]}`, "2 urn:a, 1 urn:b"},
		"parameters":           {`{"resourceType":"Parameters","parameter":[{"name":"urn:x","part":[{"name":"value","valueReference":{"reference":"urn:a"}}],"resource":{"resourceType":"Basic","author":{"reference":"urn:b"}}}]}`, "1 urn:a, 1 urn:b"},
		"unknown":              {`{"resourceType":"Patient","unknown":{"reference":"urn:a"},"reference":"urn:b","gender":"urn:c"}`, ""},
		"wrong kinds":          {`{"resourceType":"Patient","name":"urn:a","managingOrganization":["urn:b"],"text":{"div":["urn:c"]}}`, ""},
		"content reference":    {`{"resourceType":"Questionnaire","item":[{"item":[{"item":[{"definition":"urn:a"}]}]}]}`, "2 urn:a"},
		"narrative":            {`{"resourceType":"Patient","text":{"div":"<div xmlns=\"urn:x\"><a class='q' href=\"urn:a\">urn:y</a><img alt=\"urn:z\" src='urn:b'/><p href=\"urn:n\"/><a\n href = \"urn:c\"/><abbr href=\"urn:m\"/><!-- <a href=\"urn:o\"> --><a name=\"k\"/></div>"}}`, "3 urn:a, 3 urn:b, 3 urn:c"},
		"narrative entities":   {`{"resourceType":"Patient","text":{"div":"<div><a href=\"urn:a&amp;b\"/><a href=\u0022urn:c\u0022/><a href=\"\u0075rn:d\"/><a href=urn:e><a href=\"urn:f</div>"}}`, "3 urn:a&b, 3 urn:c, 3 urn:d"},
		"div elsewhere":        {`{"resourceType":"Patient","name":[{"div":"<a href=\"urn:a\"/>"}]}`, ""},
	} {
		if got := strings.Join(links(t, c.resource), ", "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Only the links change, and each place in the result is found again.
func TestSplice_changesNothingElse(t *testing.T) {
	t.Parallel()
	const source = `{"resourceType":"Patient","extension":[{"url":"http://x","valueDecimal":1.00}],"generalPractitioner":[{"reference":"urn:a"},{"reference":"urn:bbbbbbbbbbbbbb"}],"name":[{"family":"Zo\u00eb \/"}]}`
	p := fhir.NewParser(fhir.Limits{})
	if _, err := p.Parse([]byte(source)); err != nil {
		t.Fatal(err)
	}
	doc := p.Doc()
	var edits []rewrite.Edit
	for i, l := range rewrite.Links(nil, doc.Root(), urn) {
		edits = append(edits, rewrite.Edit{Start: l.Start, End: l.End, Text: fmt.Sprintf("Practitioner/%d", i)})
	}
	got := string(rewrite.Splice(nil, doc.Bytes(), 0, len(doc.Bytes()), edits))
	want := strings.NewReplacer("urn:a", "Practitioner/0", "urn:bbbbbbbbbbbbbb", "Practitioner/1").Replace(source)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, mark := range []string{"resourceType", "1.00", `"},{`, "name", "family", "/\"}]}"} {
		at := rewrite.Origin(strings.Index(got, mark), 0, edits)
		if at != strings.Index(source, mark) {
			t.Errorf("%s is said to come from %d, not %d", mark, at, strings.Index(source, mark))
		}
	}
	if at := rewrite.Origin(strings.Index(got, "Practitioner/1")+5, 0, edits); at != strings.Index(source, "urn:bb") {
		t.Errorf("the inside of an edit is said to come from %d", at)
	}
}

// Whatever the resource, links lie in order within strings, and a splice of what stands there is the same resource.
func FuzzLinks(f *testing.F) {
	f.Add(`{"resourceType":"Patient","generalPractitioner":[{"reference":"urn:a"}],"text":{"div":"<div><a href=\"urn:a\"/></div>"}}`)
	f.Add(`{"resourceType":"Patient","text":{"div":"<a href=\"\\\">"}}`)
	f.Add(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","subject":{"reference":"\u0075rn:b"}}}]}`)
	f.Fuzz(func(t *testing.T, source string) {
		p := fhir.NewParser(fhir.Limits{})
		res, err := p.Parse([]byte(source))
		if err != nil {
			return
		}
		doc, at := p.Doc(), 0
		var edits []rewrite.Edit
		for _, l := range rewrite.Links(nil, doc.Root(), func([]byte) bool { return true }) {
			if l.Start < at || l.End < l.Start || l.End > len(doc.Bytes()) {
				t.Fatalf("a link lies at %d to %d, behind one that ends at %d", l.Start, l.End, at)
			}
			at = l.End
			edits = append(edits, rewrite.Edit{Start: l.Start, End: l.End, Text: "Patient/1"})
		}
		out := rewrite.Splice(nil, doc.Bytes(), 0, len(doc.Bytes()), edits)
		if !json.Valid(out) {
			t.Fatalf("%s becomes %s", res.Bytes(), out)
		}
	})
}

func BenchmarkLinks(b *testing.B) {
	resource := []byte(`{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"2339-0","display":"Glucose"}],"text":"Glucose"},"subject":{"reference":"urn:uuid:1"},"encounter":{"reference":"urn:uuid:2"},"effectiveDateTime":"2011-04-07T12:54:11-04:00","issued":"2011-04-07T12:54:11.277-04:00","valueQuantity":{"value":82.04,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}}`)
	p := fhir.NewParser(fhir.Limits{})
	if _, err := p.Parse(resource); err != nil {
		b.Fatal(err)
	}
	var links []rewrite.Link
	b.SetBytes(int64(len(resource)))
	b.ReportAllocs()
	for b.Loop() {
		links = rewrite.Links(links[:0], p.Doc().Root(), urn)
	}
	if len(links) != 2 {
		b.Fatal(len(links))
	}
}
