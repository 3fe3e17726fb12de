package index_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir/index"
	"tarn/fhir/r4"
)

func TestReference(t *testing.T) {
	t.Parallel()
	observation := func(subject string) string {
		return `{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}],"subject":` + subject + `}`
	}
	check(t, observation(`{"reference":"Patient/23"}`),
		[]string{"subject=Patient/23", "subject=23", "subject:Patient=23", "subject:Patient=Patient/23", "subject=" + base + "/Patient/23", "patient=Patient/23", "patient=23",
			"subject:missing=false", "patient:missing=false", "subject=Patient/1,Patient/23", "patient:Patient=23", "subject:Patient=" + base + "/Patient/23"},
		[]string{"subject=Patient/2", "subject=Group/23", "subject:Group=23", "subject=http://other.org/Patient/23", "subject=Patient/23/_history/1", "patient=Group/23",
			"subject:missing=true", "patient:missing=true", "subject=2"})
	check(t, observation(`{"reference":"Group/23"}`), []string{"subject=23", "patient:missing=true", "subject:missing=false"}, []string{"patient=23", "patient=Group/23", "patient:missing=false"})
	check(t, observation(`{"reference":"`+base+`/Patient/23"}`), []string{"subject=Patient/23", "subject=23", "subject=" + base + "/Patient/23", "patient=23"}, []string{"subject=Patient/2"})
	check(t, observation(`{"reference":"http://other.org/fhir/Patient/23"}`),
		[]string{"subject=http://other.org/fhir/Patient/23", "patient:missing=false", "patient=http://other.org/fhir/Patient/23", "subject:Patient=http://other.org/fhir/Patient/23"},
		[]string{"subject=Patient/23", "subject=23", "subject=http://other.org/Patient/23", "subject=http://other.org/fhir/Patient/23/_history/1"})
	check(t, observation(`{"reference":"Patient/23/_history/2"}`), []string{"subject=Patient/23", "subject=Patient/23/_history/2", "subject=23"}, []string{"subject=Patient/23/_history/1"})
	check(t, observation(`{"reference":"http://o.org/Patient/23/_history/2"}`), []string{"subject=http://o.org/Patient/23", "subject=http://o.org/Patient/23/_history/2"}, []string{"subject=http://o.org/Patient/23/_history/1"})
	check(t, observation(`{"reference":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0","type":"Patient"}`),
		[]string{"subject=urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "patient=urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}, []string{"subject=urn:uuid:0c3151bd"})
	check(t, observation(`{"reference":"#p"}`), []string{"subject:missing=false", "patient:missing=false"}, []string{"subject=p", "subject=Patient/p"})
	check(t, observation(`{"display":"somebody"}`), []string{"subject:missing=false", "patient:missing=true"}, []string{"subject=somebody"})
	check(t, observation(`{"identifier":{"system":"urn:mrn","value":"A1"},"type":"Patient"}`),
		[]string{"subject:identifier=urn:mrn|A1", "subject:identifier=A1", "subject:identifier=urn:mrn|", "patient:identifier=A1", "patient:missing=false"},
		[]string{"subject:identifier=urn:mrn|a1", "subject:identifier=|A1", "subject:identifier=urn:m|", "subject=A1"})
	check(t, observation(`{"identifier":{"value":"A1"}}`), []string{"subject:identifier=|A1", "subject:identifier=A1"}, []string{"patient:identifier=A1", "subject:identifier=urn:mrn|A1"})
	check(t, `{"resourceType":"QuestionnaireResponse","questionnaire":"http://q.org/Questionnaire/a|1.2.3"}`,
		[]string{"questionnaire=http://q.org/Questionnaire/a", "questionnaire=http://q.org/Questionnaire/a|1.2.3", "questionnaire:below=http://q.org/Questionnaire/a|1", "questionnaire:below=http://q.org/Questionnaire/a|1.2",
			"questionnaire:below=http://q.org", "questionnaire:above=http://q.org/Questionnaire/a|1.2.3.4"},
		[]string{"questionnaire=http://q.org/Questionnaire/a|1.2", "questionnaire:below=http://q.org/Questionnaire/a|1.", "questionnaire:below=http://q.org/Questionnaire/a|2", "questionnaire=http://q.org/Questionnaire", "questionnaire:above=http://q.org/Questionnaire/a|1.2"})
	check(t, `{"resourceType":"QuestionnaireResponse","questionnaire":"Questionnaire/a"}`, []string{"questionnaire=Questionnaire/a", "questionnaire=a"}, []string{"questionnaire=b"})
	check(t, `{"resourceType":"Library","relatedArtifact":[{"type":"predecessor","resource":"lib-a"}]}`, []string{"predecessor=lib-a"}, []string{"predecessor=lib", "predecessor=Library/lib-a"})
	check(t, `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Composition","id":"c"}},{"resource":{"resourceType":"Patient","id":"p"}}]}`,
		[]string{"composition=Composition/c", "composition=c"}, []string{"composition=Patient/p"})
	refused(t, "Observation", "subject=", "subject=#p", "subject=Patient?name=x", "subject=Patient/", "subject=Foo/1", "subject:Foo=1", "subject:Organization=1", "subject:Patient=Group/1", "subject:exact=1",
		"subject:identifier=|", "subject:identifier=a|b|c", "subject:below=http://a", "subject:text=a")
	refused(t, "QuestionnaireResponse", "questionnaire:below=x")
}

func TestTargets(t *testing.T) {
	t.Parallel()
	r := read(t, `{"resourceType":"Observation","subject":{"reference":"Patient/23"},"performer":[{"reference":"`+base+`/Practitioner/1/_history/3"},{"reference":"http://o.org/Practitioner/2"},{"reference":"#x"},{"reference":"urn:uuid:1"}]}`)
	patient, _ := r4.CodeOf("Patient")
	practitioner, _ := r4.CodeOf("Practitioner")
	for name, want := range map[string][]index.Target{
		"subject": {{Type: patient, ID: "23"}}, "patient": {{Type: patient, ID: "23"}}, "performer": {{Type: practitioner, ID: "1", Version: "3"}}, "encounter": nil,
	} {
		var got []index.Target
		for target := range index.Targets(r.typ, r.typ.Param(name), r.kept, base) {
			got = append(got, target)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestNear(t *testing.T) {
	t.Parallel()
	check(t, `{"resourceType":"Location","position":{"latitude":47.3769,"longitude":8.5417}}`, // Zurich; Berne is 95 km away
		[]string{"near=47.3769|8.5417|0|km", "near=46.948|7.4474|96|km", "near=46.948|7.4474|96000|m", "near=46.948|7.4474|60|[mi_i]", "near=47.3|8.5", "near=46.948|7.4474|96", "near=1|2|1,47.3|8.5"},
		[]string{"near=46.948|7.4474|94|km", "near=46.948|7.4474", "near=-47.3769|8.5417|100|km"})
	check(t, `{"resourceType":"Location","position":{"latitude":0,"longitude":179.99}}`, []string{"near=0|-179.99|3|km"}, []string{"near=0|-179.99|2|km"})
	refused(t, "Location", "near=", "near=1", "near=91|0", "near=0|181", "near=a|b", "near=0|0|-1", "near=0|0|x", "near=0|0|1|mg", "near=0|0|1|km|x", "near=NaN|0", "near:missing=x")
}

func TestComposite(t *testing.T) {
	t.Parallel()
	check(t, `{"resourceType":"Observation","component":[
		{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
		{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80}},
		{"code":{"coding":[{"code":"x"}]},"valueCodeableConcept":{"coding":[{"code":"y"},{"code":"z"}]}}]}`,
		[]string{"component-code-value-quantity=8480-6$gt100", "component-code-value-quantity=http://loinc.org|8462-4$80", "combo-code-value-quantity=8462-4$lt90", "component-code-value-concept=x$z",
			"component-code-value-quantity=8480-6$16||kPa,8480-6$gt15.9|http://unitsofmeasure.org|kPa", "combo-code-value-concept=|x$|y"},
		[]string{"component-code-value-quantity=8462-4$gt100", "code-value-quantity=8480-6$gt100", "component-code-value-concept=y$x", "component-code-value-quantity=8480$120"})
	check(t, `{"resourceType":"Observation","code":{"coding":[{"system":"http://l","code":"a"}]},"valueString":"Größer als","effectiveDateTime":"2020"}`,
		[]string{"code-value-string=a$gros", "code-value-string=http://l|a$größer als"}, []string{"code-value-string=a$als", "code-value-string=http://l|b$g"})
	check(t, `{"resourceType":"Observation","code":{"coding":[{"system":"http://l","code":"a"}]},"valueDateTime":"2020-05-01"}`,
		[]string{"code-value-date=a$2020", "code-value-date=http://l|a$ge2020-05-01"}, []string{"code-value-date=a$gt2020", "code-value-date=http://l|a$2021"})
	check(t, `{"resourceType":"MolecularSequence","variant":[{"start":5,"end":9},{"start":50,"end":60}],"referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"windowStart":100,"windowEnd":200,"referenceSeqId":{"coding":[{"code":"NC"}]}}}`,
		[]string{"chromosome-variant-coordinate=1$ge5$lt10", "chromosome-window-coordinate=1$100$200", "referenceseqid-variant-coordinate=NC$50$60"},
		[]string{"chromosome-variant-coordinate=2$5$9", "chromosome-variant-coordinate=1$5$60", "chromosome-window-coordinate=1$100$201"})
	check(t, `{"resourceType":"Group","characteristic":[{"code":{"coding":[{"code":"g"}]},"valueBoolean":true}]}`, []string{"characteristic-value=g$true"}, []string{"characteristic-value=g$false"})
	check(t, `{"resourceType":"DocumentReference","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/1"}}]}`,
		[]string{"relationship=replaces$DocumentReference/1", "relationship=replaces$1"}, []string{"relationship=replaces$DocumentReference/2", "relationship=appends$DocumentReference/1"})
}
