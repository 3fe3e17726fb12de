package profile_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir"
	"tarn/fhir/profile"
)

// The definitions here follow those of US Core and CARIN in their forms: what they slice, and by what.

const (
	uscore = "http://hl7.org/fhir/us/core/StructureDefinition/"
	cdcrec = "urn:oid:2.16.840.1.113883.6.238"
	absent = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
)

func usCore() []string {
	var all []string
	for _, d := range []string{
		define("us-core-race", "Extension", "", `extension:ombCategory|"min":0,"max":"5"`, `extension:ombCategory.url|"fixedUri":"ombCategory"`,
			`extension:ombCategory.value[x]|"min":1,"type":[{"code":"Coding"}],"binding":{"strength":"required","valueSet":"http://hl7.org/fhir/us/core/ValueSet/omb-race-category"}`,
			`extension:text|"min":1,"max":"1"`, `extension:text.url|"fixedUri":"text"`, `extension:text.value[x]|"min":1,"type":[{"code":"string"}]`,
			`url|"fixedUri":"`+uscore+`us-core-race"`, `value[x]|"max":"0"`),
		define("us-core-birthsex", "Extension", "", `extension|"max":"0"`, `url|"fixedUri":"`+uscore+`us-core-birthsex"`, `value[x]|"min":1,"type":[{"code":"code"}]`),
		define("us-core-patient", "Patient", "", `extension:race|"min":0,"max":"1","type":[{"code":"Extension","profile":["`+uscore+`us-core-race"]}],"mustSupport":true`,
			`extension:birthsex|"max":"1","type":[{"code":"Extension","profile":["`+uscore+`us-core-birthsex"]}]`,
			`identifier|"min":1,"mustSupport":true`, `identifier.system|"min":1`, `identifier.value|"min":1`,
			`name|"min":1,"constraint":[{"key":"us-core-6","severity":"error","human":"A name has a part, or says why it has none","expression":"(family.exists() or given.exists()) xor extension.where(url='`+absent+`').exists()"}],"mustSupport":true`,
			`name.family|"mustSupport":true`, `telecom.system|"min":1`, `telecom.value|"min":1`, `gender|"min":1,"mustSupport":true`, `birthDate|"mustSupport":true`),
		define("us-core-vital-signs", "Observation", "", `category|`+by("value", "coding.code", "open")+`,"min":1`, `category:VSCat|"min":1,"max":"1"`, `category:VSCat.coding|"min":1`,
			`category:VSCat.coding.system|"min":1,"fixedUri":"http://terminology.hl7.org/CodeSystem/observation-category"`, `category:VSCat.coding.code|"min":1,"fixedCode":"vital-signs"`,
			`subject|"min":1,"type":[{"code":"Reference","targetProfile":["`+uscore+`us-core-patient"]}]`, `effective[x]|"min":1,"type":[{"code":"dateTime"},{"code":"Period"}]`),
		define("us-core-blood-pressure", "Observation", uscore+"us-core-vital-signs", `code|"patternCodeableConcept":`+concept("http://loinc.org", "85354-9"),
			`component|`+by("pattern", "code", "open")+`,"min":2`, `component:systolic|"min":1,"max":"1","mustSupport":true`, `component:systolic.code|"patternCodeableConcept":`+concept("http://loinc.org", "8480-6"),
			`component:systolic.valueQuantity|"mustSupport":true`, `component:systolic.valueQuantity.value|"min":1`, `component:systolic.valueQuantity.unit|"min":1`,
			`component:systolic.valueQuantity.system|"min":1,"fixedUri":"http://unitsofmeasure.org"`, `component:systolic.valueQuantity.code|"min":1,"fixedCode":"mm[Hg]"`,
			`component:diastolic|"min":1,"max":"1"`, `component:diastolic.code|"patternCodeableConcept":`+concept("http://loinc.org", "8462-4")),
	} {
		all = append(all, strings.ReplaceAll(d, example, uscore))
	}
	return append(all, `{"resourceType":"ValueSet","url":"http://hl7.org/fhir/us/core/ValueSet/omb-race-category","compose":{"include":[{"system":"`+cdcrec+`","concept":[{"code":"1002-5"},{"code":"2028-9"},{"code":"2054-5"},{"code":"2076-8"},{"code":"2106-3"}]},{"system":"http://terminology.hl7.org/CodeSystem/v3-NullFlavor","concept":[{"code":"ASKU"},{"code":"UNK"}]}]}}`)
}

const usPatient = `{"resourceType":"Patient","extension":[{"url":"` + uscore + `us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"` + cdcrec + `","code":"2106-3"}},{"url":"text","valueString":"White"}]},{"url":"` + uscore + `us-core-birthsex","valueCode":"F"}],"identifier":[{"system":"http://mrn","value":"1"}],"name":[{"family":"Day","given":["Ann"]}],"telecom":[{"system":"phone","value":"555"}],"gender":"female"}`

func TestUSCore_patient(t *testing.T) {
	t.Parallel()
	set := setOf(t, usCore()...)
	for name, test := range map[string]struct{ old, new, want string }{
		"as it should be": {"", "", ""},
		"race of another system": {`"system":"` + cdcrec + `"`, `"system":"http://x"`,
			"error code-invalid Patient.extension[0].extension[0].valueCoding: us-core-race, Extension.extension:ombCategory.value[x]: it must be out of the value set http://hl7.org/fhir/us/core/ValueSet/omb-race-category"},
		"race without text":         {`,{"url":"text","valueString":"White"}`, ``, "error required Patient.extension[0].extension: us-core-race, Extension.extension:text: it must be there"},
		"race with a value":         {`us-core-race","extension":[{"url":"ombCategory"`, `us-core-race","valueString":"x","extension":[{"url":"ombCategory"`, "error structure Patient.extension[0].value: us-core-race, Extension.value[x]: it must not be there"},
		"birth sex of a string":     {`"valueCode":"F"`, `"valueString":"F"`, "error structure Patient.extension[1].valueString: us-core-birthsex, Extension.value[x]: the profile does not allow this type here"},
		"birth sex twice":           {`"extension":[{`, `"extension":[{"url":"` + uscore + `us-core-birthsex","valueCode":"M"},{`, "error structure Patient.extension: us-core-patient, Patient.extension:birthsex: it may be there at most 1 times, and is 2"},
		"no identifier":             {`"identifier":[{"system":"http://mrn","value":"1"}],`, ``, "error required Patient.identifier: us-core-patient, Patient.identifier: it must be there"},
		"a name of nothing":         {`{"family":"Day","given":["Ann"]}`, `{"text":"Ann Day"}`, "error invariant Patient.name[0]: us-core-patient, Patient.name: A name has a part, or says why it has none (us-core-6)"},
		"a name that says why":      {`{"family":"Day","given":["Ann"]}`, `{"extension":[{"url":"` + absent + `","valueCode":"masked"}]}`, ""},
		"the gender's extension":    {`"gender":"female"`, `"_gender":{"extension":[{"url":"` + absent + `","valueCode":"unknown"}]}`, ""},
		"an extension out of place": {`"name":[{`, `"name":[{"extension":[{"url":"` + uscore + `us-core-birthsex","valueCode":"F"}],`, "error extension Patient.name[0].extension[0]: the extension us-core-birthsex may not stand here, but in: Patient"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if diff := cmp.Diff(want, check(t, set, strings.Replace(usPatient, test.old, test.new, 1), uscore+"us-core-patient|1.0.0")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const usPressure = `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/1"},"effectiveDateTime":"2020-01-01","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}`

func TestUSCore_bloodPressure(t *testing.T) {
	t.Parallel()
	set := setOf(t, usCore()...)
	for name, test := range map[string]struct {
		old, new string
		want     []string
	}{
		"as it should be":   {"", "", nil},
		"no systolic":       {`8480-6`, `8478-0`, []string{"error required Observation.component: us-core-blood-pressure, Observation.component:systolic: it must be there"}},
		"another code":      {`85354-9`, `1-2`, []string{`error value Observation.code: us-core-blood-pressure, Observation.code: it must have at least {coding: [{system: "http://loinc.org", code: "85354-9"}]}`}},
		"of a group":        {`Patient/1`, `Group/1`, []string{"error value Observation.subject.reference: us-core-blood-pressure, Observation.subject: it points to Group, and may point to Patient only"}},
		"from the base":     {`"effectiveDateTime":"2020-01-01"`, `"effectiveInstant":"2020-01-01T00:00:00Z"`, []string{"error structure Observation.effectiveInstant: us-core-blood-pressure, Observation.effective[x]: the profile does not allow this type here"}},
		"the slice's inner": {`"value":120,"unit":"mmHg",`, ``, []string{"error required Observation.component[1].valueQuantity.value: us-core-blood-pressure, Observation.component:systolic.value[x]:valueQuantity.value: it must be there", "error required Observation.component[1].valueQuantity.unit: us-core-blood-pressure, Observation.component:systolic.value[x]:valueQuantity.unit: it must be there"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, check(t, set, strings.Replace(usPressure, test.old, test.new, 1), uscore+"us-core-blood-pressure")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Old tools give elements no ids: then their order tells.
func TestUSCore_withoutIds(t *testing.T) {
	t.Parallel()
	definitions := usCore()
	for i := range definitions {
		definitions[i] = regexp.MustCompile(`{"id":"[^"]*",`).ReplaceAllString(definitions[i], "{")
	}
	set := setOf(t, definitions...)
	if got := check(t, set, usPressure, uscore+"us-core-blood-pressure"); got != nil {
		t.Errorf("%q", got)
	}
	want := []string{"error required Observation.component[1].valueQuantity.unit: us-core-blood-pressure, Observation.component:systolic.value[x]:valueQuantity.unit: it must be there"}
	if diff := cmp.Diff(want, check(t, set, strings.Replace(usPressure, `"value":120,"unit":"mmHg"`, `"value":120`, 1), uscore+"us-core-blood-pressure")); diff != "" {
		t.Error(diff)
	}
	if got := check(t, set, usPatient, uscore+"us-core-patient"); got != nil {
		t.Errorf("%q", got)
	}
	if got := check(t, set, strings.Replace(usPatient, `,{"url":"text","valueString":"White"}`, ``, 1), uscore+"us-core-patient"); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestExplaining_tellsWhatIsAbsentAndWhatCannotBeTold(t *testing.T) {
	t.Parallel()
	set := setOf(t, usCore()...)
	want := []string{
		"information informational Patient.extension: us-core-patient, Patient.extension:race: it must be supported, and is not there",
		"information informational Patient.name[0].family: us-core-patient, Patient.name.family: it must be supported, and is not there",
		"information informational Patient.birthDate: us-core-patient, Patient.birthDate: it must be supported, and is not there",
	}
	resource := `{"resourceType":"Patient","extension":[{"url":"` + uscore + `us-core-birthsex","valueCode":"F"}],"identifier":[{"system":"http://mrn","value":"1"}],"name":[{"given":["Ann"]}],"gender":"female"}`
	if diff := cmp.Diff(want, check(t, set.Explaining(), resource, uscore+"us-core-patient")); diff != "" {
		t.Error(diff)
	}
	if got := check(t, set, resource, uscore+"us-core-patient"); got != nil {
		t.Errorf("a write is told %v", got)
	}
	var none *profile.Set
	if none.Check(new(fhir.Doc), fhir.Node{}, "http://x", nil) || none.Explaining().Check(new(fhir.Doc), fhir.Node{}, "http://x", nil) {
		t.Error("the empty set knows a profile")
	}
	none.Extensions(new(fhir.Doc), nil)
}

// A claim's adjudications are sliced by category: some by a pattern, one by what a value set holds, and none else.
func TestCARIN_explanationOfBenefit(t *testing.T) {
	t.Parallel()
	const adjudication, discriminator = "http://terminology.hl7.org/CodeSystem/adjudication", "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBAdjudicationDiscriminator"
	definitions := []string{
		define("P", "ExplanationOfBenefit", "", `meta|"min":1`, `meta.profile|`+by("pattern", "$this", "open"), `meta.profile:supportedProfile|"min":1,"max":"1","patternCanonical":"`+example+`P|1.0.0"`,
			`type|"patternCodeableConcept":`+concept("http://terminology.hl7.org/CodeSystem/claim-type", "institutional"),
			`identifier|`+by("pattern", "type", "open")+`,"min":1`, `identifier:uniqueclaimid|"min":1,"max":"1"`, `identifier:uniqueclaimid.type|"min":1,"patternCodeableConcept":{"coding":[{"code":"uc"}]}`, `identifier:uniqueclaimid.value|"min":1`,
			`supportingInfo|`+by("pattern", "category", "open"), `supportingInfo:admissionperiod|"min":1,"max":"1"`, `supportingInfo:admissionperiod.category|"patternCodeableConcept":{"coding":[{"code":"admissionperiod"}]}`,
			`supportingInfo:admissionperiod.timing[x]|"min":1,"type":[{"code":"Period"}]`, `supportingInfo:admissionperiod.code|"max":"0"`,
			`item.adjudication|`+by("pattern", "category", "closed"), `item.adjudication:amount|"min":1`, `item.adjudication:amount.category|`+bind("required", "amounts"), `item.adjudication:amount.amount|"min":1`,
			`item.adjudication:denialreason|"max":"*"`, `item.adjudication:denialreason.category|"patternCodeableConcept":`+concept(discriminator, "denialreason"), `item.adjudication:denialreason.reason|"min":1`),
		valueSet("amounts", `{"include":[{"system":"`+adjudication+`","concept":[{"code":"submitted"},{"code":"benefit"}]}]}`),
	}
	const good = `{"resourceType":"ExplanationOfBenefit","meta":{"profile":["` + example + `P|1.0.0"]},"identifier":[{"type":{"coding":[{"code":"uc"}]},"value":"1"},{"value":"2"}],
"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claim-type","code":"institutional"}]},
"supportingInfo":[{"sequence":1,"category":{"coding":[{"code":"admissionperiod"}]},"timingPeriod":{"start":"2020-01-01"}},{"sequence":2,"category":{"coding":[{"code":"other"}]},"timingDate":"2020-01-01"}],
"item":[{"sequence":1,"adjudication":[{"category":{"coding":[{"system":"` + adjudication + `","code":"submitted"}]},"amount":{"value":1}},{"category":{"coding":[{"system":"` + discriminator + `","code":"denialreason"}]},"reason":{"text":"late"}}]}]}`
	trials := map[string]trial{}
	for name, test := range map[string]struct {
		old, new string
		want     []string
	}{
		"as it should be":       {"", "", nil},
		"profile of no version": {`P|1.0.0"`, `P"`, []string{"error required ExplanationOfBenefit.meta.profile: P, ExplanationOfBenefit.meta.profile:supportedProfile: it must be there"}},
		"no unique id":          {`"uc"`, `"mr"`, []string{"error required ExplanationOfBenefit.identifier: P, ExplanationOfBenefit.identifier:uniqueclaimid: it must be there"}},
		"a date for a period":   {`"timingPeriod":{"start":"2020-01-01"}`, `"timingDate":"2020-01-01"`, []string{"error structure ExplanationOfBenefit.supportingInfo[0].timingDate: P, ExplanationOfBenefit.supportingInfo:admissionperiod.timing[x]: the profile does not allow this type here"}},
		"no amount":             {`"amount":{"value":1}`, `"value":1`, []string{"error required ExplanationOfBenefit.item[0].adjudication[0].amount: P, ExplanationOfBenefit.item.adjudication:amount.amount: it must be there"}},
		"a denial of no reason": {`,"reason":{"text":"late"}`, ``, []string{"error required ExplanationOfBenefit.item[0].adjudication[1].reason: P, ExplanationOfBenefit.item.adjudication:denialreason.reason: it must be there"}},
		"a category of its own": {`"denialreason"`, `"whim"`, []string{"error structure ExplanationOfBenefit.item[0].adjudication[1]: P, ExplanationOfBenefit.item.adjudication: this belongs to no slice, and the profile allows none else"}},
	} {
		trials[name] = trial{definitions, strings.ReplaceAll(strings.Replace(good, test.old, test.new, 1), "\n", ""), test.want}
	}
	try(t, trials)
}

// Synthea's patients say that they keep to US Core, and do.
func TestUSCore_syntheaPatientsFit(t *testing.T) {
	t.Parallel()
	set, count := setOf(t, usCore()...), 0
	lines(t, shared(t, "synthea-v3/Patient.ndjson.gz"), func(line []byte) {
		count++
		for _, issue := range check(t, set, string(line), profilesOf(line)...) {
			t.Error(issue)
		}
	})
	if count < 1000 {
		t.Errorf("only %d patients", count)
	}
}
