package index_test

import (
	"errors"
	"testing"

	"tarn/fhir/index"
	"tarn/fhir/r4"
)

func TestToken(t *testing.T) {
	t.Parallel()
	check(t, `{"resourceType":"Observation","status":"final","code":{"coding":[
		{"system":"http://loinc.org","code":"8302-2","display":"Body Height"},{"code":"LOCAL"}],"text":"Größe  des Körpers"}}`,
		[]string{"code=8302-2", "code=http://loinc.org|8302-2", "code=http://loinc.org|", "code=local", "code=|LOCAL", "code=x,8302-2",
			"code:text=body", "code:text=GROSSE des", "code:not=http://loinc.org|1", "code:not=1,2", "code:missing=false",
			"combo-code=8302-2", "combo-code:missing=false", "component-code:missing=true", "status=final", "status=|final",
			"status=http://hl7.org/fhir/observation-status|final", "status=http://hl7.org/fhir/observation-status|", "status:not=registered",
			"category:missing=true", "category:not=laboratory"},
		[]string{"code=8302", "code=http://loinc.org|8302", "code=http://snomed.info/sct|8302-2", "code=|8302-2", "code=http://snomed.info/sct|",
			"code=http://loinc.org|LOCAL", "code:text=height", "code:not=8302-2", "code:not=1,local", "code:missing=true", "component-code=8302-2",
			"status=FINAL", "status=http://example.org|final", "status=http://example.org|", "status:not=final", "category:missing=false",
			"combo-code:missing=true"})
	check(t, `{"resourceType":"Patient","active":true,"gender":"male","identifier":[
		{"system":"urn:mrn","value":"AbC","type":{"text":"Medical Record","coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]}},
		{"value":"nosys"}],"telecom":[{"system":"phone","value":"555"},{"system":"email","value":"A@b.org"}]}`,
		[]string{"identifier=AbC", "identifier=urn:mrn|AbC", "identifier=urn:mrn|", "identifier=|nosys", "identifier:text=medical",
			"identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|AbC", "active=true", "gender=male", "gender:not=female",
			"email=a@b.org", "phone=555", "telecom=a@b.org", "deceased=false", "deceased:not=true", "active=http://hl7.org/fhir/special-values|true"},
		[]string{"identifier=abc", "identifier=urn:mrn|abc", "identifier=|AbC", "identifier=urn:other|", "identifier:text=record",
			"identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|abc", "active=false", "gender=female", "email=555", "phone=a@b.org", "deceased=true"})
	check(t, `{"resourceType":"Patient","deceasedDateTime":"2020"}`, []string{"deceased=true", "death-date=2020"}, []string{"deceased=false"})
	check(t, `{"resourceType":"Observation","code":{"coding":[{"system":"a|b","code":"c,d\\e$f"}]}}`,
		[]string{`code=a\|b|c\,d\\e\$f`, `code=c\,d\\e$f`, `code=a\|b|`}, []string{`code=c`, `code=d\\e`})
	refused(t, "Observation", "code=", "code=|", "code=a|b|c", "code:exact=x", "code:foo=x", "code:missing=maybe", "code:of-type=a|b|c",
		"code:in=http://v", "code:not-in=http://v", "code:above=x", "code:below=x")
	refused(t, "Patient", "identifier:of-type=a|b", "identifier:of-type=|b|c")
}

type terminology struct{}

func (terminology) ValueSet(url string) ([]index.Coding, error) {
	if url != "http://v" {
		return nil, errors.New("the value set is not known")
	}
	return []index.Coding{{System: "http://loinc.org", Code: "1"}, {System: "http://loinc.org", Code: "2"}}, nil
}

func (terminology) Below(of index.Coding) ([]index.Coding, error) {
	return []index.Coding{of, {System: of.System, Code: of.Code + ".1"}}, nil
}

func (terminology) Above(of index.Coding) ([]index.Coding, error) { return []index.Coding{of}, nil }

func TestToken_asksTheResolver(t *testing.T) {
	t.Parallel()
	env := env
	env.Resolver = terminology{}
	r := read(t, `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"2"}]}}`)
	sub := read(t, `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"2.1"}]}}`)
	for query, want := range map[string][2]bool{
		"code:in=http://v": {true, false}, "code:not-in=http://v": {false, true},
		"code:below=http://loinc.org|2": {true, true}, "code:below=2": {true, true}, "code:above=http://loinc.org|2.1": {false, true},
	} {
		f, err := compile(r.typ, query, env)
		if err != nil {
			t.Fatal(query, err)
		}
		if got := [2]bool{verdict(t, f, r), verdict(t, f, sub)}; got != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	if _, err := compile(r.typ, "code:in=http://other", env); err == nil {
		t.Error("an unknown value set is taken")
	}
}

// Equality on a coding is a single value, whose hits come in the order of resources.
func TestFilter_isOneRange(t *testing.T) {
	t.Parallel()
	for query, typ := range map[string]string{"code=http://loinc.org|1": "Observation", "identifier=a|b": "Patient",
		"gender=http://hl7.org/fhir/administrative-gender|male": "Patient", "url=http://a": "ValueSet"} {
		code, _ := r4.CodeOf(typ)
		f, err := compile(code, query, env)
		if err != nil || len(f.Ranges()) != 1 || !f.Ranges()[0].One() || !f.Exact() || f.String() == "" {
			t.Errorf("%s: %v, %v", query, f, err)
		}
	}
}
