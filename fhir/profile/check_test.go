package profile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// trial is a resource, the profile P that is defined for it, and what must be said of it.
type trial struct {
	definitions []string
	resource    string
	want        []string
}

func try(t *testing.T, trials map[string]trial) {
	t.Helper()
	for name, one := range trials {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(one.want, check(t, setOf(t, one.definitions...), one.resource, example+"P")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheck_valuesOfElements(t *testing.T) {
	t.Parallel()
	patient := func(elements ...string) []string { return []string{define("P", "Patient", "", elements...)} }
	observation := func(elements ...string) []string { return []string{define("P", "Observation", "", elements...)} }
	try(t, map[string]trial{
		"min met by an extension alone": {patient(`birthDate|"min":1`),
			`{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x","valueCode":"unknown"}]}}`, nil},
		"min not met": {patient(`birthDate|"min":1`), `{"resourceType":"Patient"}`,
			[]string{"error required Patient.birthDate: P, Patient.birthDate: it must be there"}},
		"min of an array": {patient(`name.given|"min":2`), `{"resourceType":"Patient","name":[{"given":["A","B"]},{"given":["A"]}]}`,
			[]string{"error required Patient.name[1].given: P, Patient.name.given: it must be there at least 2 times, and is 1"}},
		"min of what is inside of what is absent": {patient(`name.given|"min":1`), `{"resourceType":"Patient"}`, nil},
		"nulls with extensions count":             {patient(`name.given|"min":2`), `{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"http://x","valueCode":"unknown"}]}]}]}`, nil},
		"max": {patient(`name|"max":"1"`), `{"resourceType":"Patient","name":[{"text":"A"},{"text":"B"}]}`,
			[]string{"error structure Patient.name: P, Patient.name: it may be there at most 1 times, and is 2"}},
		"max 0": {patient(`photo|"max":"0"`), `{"resourceType":"Patient","photo":[{"url":"http://x"}]}`,
			[]string{"error structure Patient.photo: P, Patient.photo: it must not be there"}},
		"max 0 of one side of a primitive": {patient(`birthDate.extension|"max":"0"`), `{"resourceType":"Patient","birthDate":"2000","_birthDate":{"extension":[{"url":"http://x","valueCode":"a"}]}}`,
			[]string{"error structure Patient.birthDate.extension: P, Patient.birthDate.extension: it must not be there"}},
		"fixed": {patient(`gender|"fixedCode":"male"`), `{"resourceType":"Patient","gender":"female"}`,
			[]string{`error value Patient.gender: P, Patient.gender: it must be exactly "male"`}},
		"fixed wants nothing more": {observation(`code|"fixedCodeableConcept":` + concept("s", "c")), `{"resourceType":"Observation","code":{"coding":[{"code":"c","system":"s"}],"text":"more"}}`,
			[]string{`error value Observation.code: P, Observation.code: it must be exactly {coding: [{system: "s", code: "c"}]}`}},
		"fixed in another order": {observation(`code|"fixedCodeableConcept":` + concept("s", "c")), `{"resourceType":"Observation","code":{"coding":[{"code":"\u0063","system":"s"}]}}`, nil},
		"pattern allows more":    {observation(`code|"patternCodeableConcept":` + concept("s", "c")), `{"resourceType":"Observation","code":{"coding":[{"code":"d","system":"t"},{"code":"c","system":"s","display":"C"}],"text":"more"}}`, nil},
		"pattern": {observation(`code|"patternCodeableConcept":` + concept("s", "c")), `{"resourceType":"Observation","code":{"coding":[{"code":"d","system":"s"},{"code":"c","system":"t"}]}}`,
			[]string{`error value Observation.code: P, Observation.code: it must have at least {coding: [{system: "s", code: "c"}]}`}},
		"numbers by value": {observation(`value[x]|"patternQuantity":{"value":1.50}`), `{"resourceType":"Observation","valueQuantity":{"value":1.5}}`, nil},
		"types of a choice": {observation(`value[x]|"type":[{"code":"Quantity"},{"code":"string"}]`), `{"resourceType":"Observation","valueBoolean":true}`,
			[]string{"error structure Observation.valueBoolean: P, Observation.value[x]: the profile does not allow this type here"}},
		"one type of a choice by its own name": {observation(`valueQuantity|"min":1`, `valueQuantity.code|"min":1`), `{"resourceType":"Observation","valueQuantity":{"value":1}}`,
			[]string{"error required Observation.valueQuantity.code: P, Observation.value[x]:valueQuantity.code: it must be there"}},
		"maxLength": {patient(`name.text|"maxLength":3`), `{"resourceType":"Patient","name":[{"text":"Ürs"},{"text":"Urse"}]}`,
			[]string{"error too-long Patient.name[1].text: P, Patient.name.text: it may have at most 3 characters"}},
		"minValue and maxValue": {patient(`birthDate|"minValueDate":"1900-01-01","maxValueDate":"2000-12-31"`), `{"resourceType":"Patient","birthDate":"2001-01-01"}`,
			[]string{`error value Patient.birthDate: P, Patient.birthDate: it may be at most "2000-12-31"`}},
		"minValue of quantities": {observation(`value[x]|"type":[{"code":"Quantity"}],"minValueQuantity":{"value":10,"code":"kg"}`), `{"resourceType":"Observation","valueQuantity":{"value":9.5,"code":"kg"}}`,
			[]string{`error value Observation.valueQuantity: P, Observation.value[x]: it must be at least {value: 10, code: "kg"}`}},
		"references": {observation(`subject|"type":[{"code":"Reference","targetProfile":["` + hl7 + `Patient"]}]`), `{"resourceType":"Observation","subject":{"reference":"https://a.b/fhir/Group/1"}}`,
			[]string{"error value Observation.subject.reference: P, Observation.subject: it points to Group, and may point to Patient only"}},
		"references by type and contained": {observation(`performer|"type":[{"code":"Reference","targetProfile":["` + hl7 + `Patient"]}]`),
			`{"resourceType":"Observation","contained":[{"resourceType":"Practitioner","id":"p"}],"performer":[{"reference":"#p"},{"type":"Organization","display":"X"},{"display":"who knows"},{"reference":"urn:uuid:1"}]}`,
			[]string{"error value Observation.performer[0].reference: P, Observation.performer: it points to Practitioner, and may point to Patient only",
				"error value Observation.performer[1]: P, Observation.performer: it points to Organization, and may point to Patient only"}},
		"another resource": {patient(`name|"min":1`), `{"resourceType":"Group"}`, []string{"error invalid Group: the profile P is for Patient, the resource is of another type"}},
		"an invariant": {patient(`name|"constraint":[{"key":"us-core-6","severity":"error","human":"A family or a given name","expression":"family.exists() or given.exists()"}]`), `{"resourceType":"Patient","name":[{"text":"A"},{"family":"B"}]}`,
			[]string{"error invariant Patient.name[0]: P, Patient.name: A family or a given name (us-core-6)"}},
		"an invariant that only warns": {patient(`|"constraint":[{"key":"x-1","severity":"warning","human":"A name","expression":"name.exists()"}]`), `{"resourceType":"Patient"}`,
			[]string{"warning invariant Patient: P, Patient: A name (x-1)"}},
		"what holds for referenceRange holds for the component's": {observation(`referenceRange.text|"min":1`, `component.referenceRange|"contentReference":"#Observation.referenceRange"`),
			`{"resourceType":"Observation","component":[{"code":{"text":"A"},"referenceRange":[{"low":{"value":1}}]}]}`,
			[]string{"error required Observation.component[0].referenceRange[0].text: P, Observation.referenceRange.text: it must be there"}},
		"what the base profile wants": {[]string{define("B", "Patient", "", `name|"min":1`, `identifier.system|"min":1`), define("P", "Patient", example+"B", `name.family|"min":1`, `identifier.system|"fixedUri":"http://mrn"`)},
			`{"resourceType":"Patient","identifier":[{"value":"1"},{"system":"http://other"}],"name":[{"text":"A"}]}`,
			[]string{"error required Patient.identifier[0].system: P, Patient.identifier.system: it must be there",
				`error value Patient.identifier[1].system: P, Patient.identifier.system: it must be exactly "http://mrn"`,
				"error required Patient.name[0].family: P, Patient.name.family: it must be there"}},
		"the profile of a data type": {append(observation(`value[x]|"type":[{"code":"Quantity","profile":["`+example+`Kilos"]}]`), define("Kilos", "Quantity", "", `code|"min":1,"fixedCode":"kg"`)),
			`{"resourceType":"Observation","valueQuantity":{"value":1,"code":"g"}}`,
			[]string{`error value Observation.valueQuantity.code: Kilos, Quantity.code: it must be exactly "kg"`}},
		"one of two profiles of a data type": {append(observation(`value[x]|"type":[{"code":"Quantity","profile":["`+example+`Kilos","`+example+`Grams"]}]`), define("Kilos", "Quantity", "", `code|"min":1,"fixedCode":"kg"`), define("Grams", "Quantity", "", `code|"min":1,"fixedCode":"g"`)),
			`{"resourceType":"Observation","valueQuantity":{"value":1,"code":"mg"}}`,
			[]string{"error structure Observation.valueQuantity: P, Observation.value[x]: it fits none of the profiles that it may have"}},
		"the profile of a resource within": {[]string{define("P", "Bundle", "", `entry.resource|"type":[{"code":"Patient","profile":["`+example+`Named"]}]`), define("Named", "Patient", "", `name|"min":1`)},
			`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient"}},{"resource":{"resourceType":"Group"}}]}`,
			[]string{"error required Bundle.entry[0].resource.name: Named, Patient.name: it must be there",
				"error structure Bundle.entry[1].resource: P, Bundle.entry.resource: the profile does not allow this type here"}},
	})
}

func TestCheck_bindings(t *testing.T) {
	t.Parallel()
	const system = `{"resourceType":"CodeSystem","url":"http://colours","content":"complete","concept":[{"code":"warm","concept":[{"code":"red"},{"code":"orange"}]},{"code":"blue"}]}`
	coded := func(strength, compose string, more ...string) []string {
		return append([]string{define("P", "Observation", "", `code|`+bind(strength, "V")), valueSet("V", compose), system}, more...)
	}
	colour := func(system, code string) string {
		return `{"resourceType":"Observation","code":` + concept(system, code) + `}`
	}
	const refused = "error code-invalid Observation.code: P, Observation.code: it must be out of the value set http://example.org/ValueSet/V"
	try(t, map[string]trial{
		"listed":                             {coded("required", `{"include":[{"system":"http://colours","concept":[{"code":"red"}]}]}`), colour("http://colours", "red"), nil},
		"not listed":                         {coded("required", `{"include":[{"system":"http://colours","concept":[{"code":"red"}]}]}`), colour("http://colours", "blue"), []string{refused}},
		"extensible warns":                   {coded("extensible", `{"include":[{"system":"http://colours","concept":[{"code":"red"}]}]}`), colour("http://colours", "blue"), []string{"warning code-invalid Observation.code: P, Observation.code: it should be out of the value set http://example.org/ValueSet/V"}},
		"preferred says nothing":             {coded("preferred", `{"include":[{"system":"http://colours","concept":[{"code":"red"}]}]}`), colour("http://colours", "blue"), nil},
		"a whole system":                     {coded("required", `{"include":[{"system":"http://colours"}]}`), colour("http://colours", "orange"), nil},
		"no code of the system":              {coded("required", `{"include":[{"system":"http://colours"}]}`), colour("http://colours", "green"), []string{refused}},
		"a system that is elsewhere":         {coded("required", `{"include":[{"system":"http://loinc.org"}]}`), colour("http://loinc.org", "1-2"), nil},
		"another system":                     {coded("required", `{"include":[{"system":"http://loinc.org"}]}`), colour("http://snomed.info/sct", "1"), []string{refused}},
		"is-a":                               {coded("required", `{"include":[{"system":"http://colours","filter":[{"property":"concept","op":"is-a","value":"warm"}]}]}`), colour("http://colours", "red"), nil},
		"not is-a":                           {coded("required", `{"include":[{"system":"http://colours","filter":[{"property":"concept","op":"is-a","value":"warm"}]}]}`), colour("http://colours", "blue"), []string{refused}},
		"descendent-of is not itself":        {coded("required", `{"include":[{"system":"http://colours","filter":[{"property":"concept","op":"descendent-of","value":"warm"}]}]}`), colour("http://colours", "warm"), []string{refused}},
		"a filter that cannot be decided":    {coded("required", `{"include":[{"system":"http://snomed.info/sct","filter":[{"property":"concept","op":"is-a","value":"404684003"}]}]}`), colour("http://snomed.info/sct", "1"), nil},
		"excluded":                           {coded("required", `{"include":[{"system":"http://colours"}],"exclude":[{"system":"http://colours","concept":[{"code":"red"}]}]}`), colour("http://colours", "red"), []string{refused}},
		"of another set":                     {coded("required", `{"include":[{"valueSet":["http://example.org/ValueSet/W"]}]}`, valueSet("W", `{"include":[{"system":"http://colours","concept":[{"code":"red"}]}]}`)), colour("http://colours", "red"), nil},
		"of two other sets at once":          {coded("required", `{"include":[{"valueSet":["http://example.org/ValueSet/W","http://example.org/ValueSet/X"]}]}`, valueSet("W", `{"include":[{"system":"http://colours"}]}`), valueSet("X", `{"include":[{"system":"http://colours","concept":[{"code":"blue"}]}]}`)), colour("http://colours", "red"), []string{refused}},
		"of a set that is not here":          {coded("required", `{"include":[{"valueSet":["http://example.org/ValueSet/W"]}]}`), colour("http://colours", "red"), nil},
		"of itself":                          {coded("required", `{"include":[{"valueSet":["http://example.org/ValueSet/V"]}]}`), colour("http://colours", "red"), nil},
		"words only":                         {coded("required", `{"include":[{"system":"http://colours"}]}`), `{"resourceType":"Observation","code":{"text":"red"}}`, []string{"error code-invalid Observation.code: P, Observation.code: it must have a code out of the value set http://example.org/ValueSet/V"}},
		"words only are well for extensible": {coded("extensible", `{"include":[{"system":"http://colours"}]}`), `{"resourceType":"Observation","code":{"text":"red"}}`, nil},
		"one coding of several":              {coded("required", `{"include":[{"system":"http://colours"}]}`), `{"resourceType":"Observation","code":{"coding":[{"code":"x"},{"system":"http://colours","code":"red"}]}}`, nil},
		"a system of one case": {[]string{define("P", "Observation", "", `code|`+bind("required", "V")), valueSet("V", `{"include":[{"system":"http://big"}]}`), `{"resourceType":"CodeSystem","url":"http://big","caseSensitive":false,"content":"complete","concept":[{"code":"RED"}]}`},
			colour("http://big", "Red"), nil},
		"a bare code": {[]string{define("P", "Patient", "", `gender|`+bind("required", "V")), valueSet("V", `{"include":[{"system":"http://hl7.org/fhir/administrative-gender","concept":[{"code":"male"}]}]}`)},
			`{"resourceType":"Patient","gender":"other"}`, []string{"error code-invalid Patient.gender: P, Patient.gender: it must be out of the value set http://example.org/ValueSet/V"}},
		"an expansion instead of a composition": {[]string{define("P", "Patient", "", `gender|`+bind("required", "V")), `{"resourceType":"ValueSet","url":"http://example.org/ValueSet/V","expansion":{"contains":[{"system":"s","code":"male","contains":[{"system":"s","code":"other"}]}]}}`},
			`{"resourceType":"Patient","gender":"female"}`, []string{"error code-invalid Patient.gender: P, Patient.gender: it must be out of the value set http://example.org/ValueSet/V"}},
		"a set of FHIR itself": {[]string{define("P", "Observation", "", `code.coding.code|"binding":{"strength":"required","valueSet":"http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1"}`)},
			`{"resourceType":"Observation","code":{"coding":[{"code":"red"},{"code":"male"}]}}`, []string{"error code-invalid Observation.code.coding[0].code: P, Observation.code.coding.code: it must be out of the value set http://hl7.org/fhir/ValueSet/administrative-gender"}},
	})
}
