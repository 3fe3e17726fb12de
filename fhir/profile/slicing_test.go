package profile_test

import (
	"strings"
	"testing"
)

func TestSlicing_discriminators(t *testing.T) {
	t.Parallel()
	pressure := func(kind, path string, slice string) []string {
		return []string{define("P", "Observation", "", `component|`+by(kind, path, "open")+`,"min":1`, `component:sys|"min":1,"max":"1"`, slice, `component:sys.value[x]|"min":1`)}
	}
	with := func(component string) string { return `{"resourceType":"Observation","component":[` + component + `]}` }
	lacks := []string{"error required Observation.component: P, Observation.component:sys: it must be there"}
	noValue := []string{"error required Observation.component[0].value: P, Observation.component:sys.value[x]: it must be there"}
	loinc := concept("http://loinc.org", "8480-6")
	try(t, map[string]trial{
		"pattern of a concept": {pressure("pattern", "code", `component:sys.code|"patternCodeableConcept":`+loinc), with(`{"code":` + loinc + `}`), noValue},
		"pattern, not met":     {pressure("pattern", "code", `component:sys.code|"patternCodeableConcept":`+loinc), with(`{"code":` + concept("http://loinc.org", "8462-4") + `}`), lacks},
		"value of a member":    {pressure("value", "code.coding.code", `component:sys.code.coding.code|"fixedCode":"8480-6"`), with(`{"code":` + loinc + `}`), noValue},
		"value of a member, stated in a slice inside": {[]string{define("P", "Observation", "", `component|`+by("value", "code.coding.code", "open"), `component:sys|"min":1`, `component:sys.code.coding|`+by("value", "code", "open"),
			`component:sys.code.coding:loinc|"min":1`, `component:sys.code.coding:loinc.code|"min":1,"fixedCode":"8480-6"`)}, with(`{"code":` + concept("s", "1") + `}`), lacks},
		"value of a binding":    {append(pressure("value", "code", `component:sys.code|`+bind("required", "V")), valueSet("V", `{"include":[{"system":"http://loinc.org","concept":[{"code":"8480-6"}]}]}`)), with(`{"code":` + loinc + `}`), noValue},
		"exists":                {pressure("exists", "dataAbsentReason", `component:sys.dataAbsentReason|"min":1`), with(`{"code":{"text":"a"},"dataAbsentReason":{"text":"b"}}`), noValue},
		"exists, and does not":  {pressure("exists", "dataAbsentReason", `component:sys.dataAbsentReason|"max":"0"`), with(`{"code":{"text":"a"},"dataAbsentReason":{"text":"b"}}`), lacks},
		"type of a choice":      {pressure("type", "value", `component:sys.value[x]|"type":[{"code":"Quantity"}]`), with(`{"code":{"text":"a"},"valueString":"b"}`), lacks},
		"type of a choice, met": {pressure("type", "value", `component:sys.value[x]|"type":[{"code":"Quantity"}]`), with(`{"code":{"text":"a"},"valueQuantity":{"value":1}}`), nil},
		"ofType":                {pressure("value", "value.ofType(Quantity).code", `component:sys.valueQuantity.code|"fixedCode":"kg"`), with(`{"code":{"text":"a"},"valueQuantity":{"value":1,"code":"kg"}}`), nil},
		"extension":             {pressure("value", "extension('http://x').value", `component:sys.extension|"slicing":{"discriminator":[{"type":"value","path":"url"}],"rules":"open"}`), with(`{"code":{"text":"a"}}`), nil},
		"an extension's value": {[]string{define("P", "Observation", "", `component|`+by("value", "extension('http://x').value", "open"), `component:sys|"min":1`, `component:sys.extension:x|"min":1`,
			`component:sys.extension:x.url|"fixedUri":"http://x"`, `component:sys.extension:x.value[x]|"fixedCode":"sys"`)},
			with(`{"code":{"text":"a"},"extension":[{"url":"http://x","valueCode":"dia"},{"url":"http://y","valueCode":"sys"}]}`), lacks},
	})
}

func TestSlicing_byWhatReferencesPointTo(t *testing.T) {
	t.Parallel()
	byType := []string{define("P", "Observation", "", `performer|`+by("type", "resolve()", "open"), `performer:org|"min":1,"type":[{"code":"Reference","targetProfile":["`+hl7+`Organization"]}]`)}
	byProfile := []string{define("P", "Observation", "", `performer|`+by("profile", "resolve()", "closed"), `performer:named|"min":1,"max":"1","type":[{"code":"Reference","targetProfile":["`+example+`Named"]}]`),
		define("Named", "Organization", "", `name|"min":1`)}
	byCode := []string{define("P", "DiagnosticReport", "", `result|`+by("value", "resolve().code", "closed"), `result:a|"min":1,"type":[{"code":"Reference","targetProfile":["`+example+`A"]}]`),
		define("A", "Observation", "", `code|"min":1,"patternCodeableConcept":`+concept("s", "a"))}
	lacks := "error required Observation.performer: P, Observation.performer:org: it must be there"
	try(t, map[string]trial{
		"type":                         {byType, `{"resourceType":"Observation","performer":[{"reference":"Patient/1"},{"reference":"Organization/1"}]}`, nil},
		"type, none":                   {byType, `{"resourceType":"Observation","performer":[{"reference":"Patient/1"}]}`, []string{lacks}},
		"type, who knows":              {byType, `{"resourceType":"Observation","performer":[{"reference":"urn:uuid:1"}]}`, nil},
		"type of a contained one":      {byType, `{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}],"performer":[{"reference":"#p"}]}`, []string{lacks}},
		"profile of a contained one":   {byProfile, `{"resourceType":"Observation","contained":[{"resourceType":"Organization","id":"p","name":"A"}],"performer":[{"reference":"#p"}]}`, nil},
		"profile of what is elsewhere": {byProfile, `{"resourceType":"Observation","performer":[{"reference":"Organization/1"}]}`, nil},
		"another profile": {byProfile, `{"resourceType":"Observation","contained":[{"resourceType":"Organization","id":"p"}],"performer":[{"reference":"#p"}]}`,
			[]string{"error structure Observation.performer[0]: P, Observation.performer: this belongs to no slice, and the profile allows none else",
				"error required Observation.performer: P, Observation.performer:named: it must be there"}},
		"code": {byCode, `{"resourceType":"DiagnosticReport","contained":[{"resourceType":"Observation","id":"o","code":` + concept("s", "b") + `}],"result":[{"reference":"#o"}]}`,
			[]string{"error structure DiagnosticReport.result[0]: P, DiagnosticReport.result: this belongs to no slice, and the profile allows none else",
				"error required DiagnosticReport.result: P, DiagnosticReport.result:a: it must be there"}},
	})
}

func TestSlicing_rules(t *testing.T) {
	t.Parallel()
	sliced := func(slicing string, more ...string) []string {
		return []string{define("P", "Patient", "", append([]string{`identifier|"slicing":{"discriminator":[{"type":"value","path":"system"}],` + slicing + `}`,
			`identifier:a|"max":"1"`, `identifier:a.system|"fixedUri":"a"`, `identifier:b|"max":"*"`, `identifier:b.system|"fixedUri":"b"`}, more...)...)}
	}
	with := func(systems string) string {
		var all []string
		for s := range strings.SplitSeq(systems, " ") {
			all = append(all, `{"system":"`+s+`"}`)
		}
		return `{"resourceType":"Patient","identifier":[` + strings.Join(all, ",") + `]}`
	}
	try(t, map[string]trial{
		"open":            {sliced(`"rules":"open"`), with("x a b b"), nil},
		"closed":          {sliced(`"rules":"closed"`), with("a x b"), []string{"error structure Patient.identifier[1]: P, Patient.identifier: this belongs to no slice, and the profile allows none else"}},
		"open at the end": {sliced(`"rules":"openAtEnd"`), with("a x b"), []string{"error structure Patient.identifier[2]: P, Patient.identifier:b: items of no slice may stand at the end only"}},
		"ordered":         {sliced(`"ordered":true,"rules":"open"`), with("b a"), []string{"error structure Patient.identifier[1]: P, Patient.identifier:a: the slices must stand in the order of the profile; this one comes too late"}},
		"in order":        {sliced(`"ordered":true,"rules":"open"`), with("a x b b"), nil},
		"too many":        {sliced(`"rules":"open"`), with("a a"), []string{"error structure Patient.identifier: P, Patient.identifier:a: it may be there at most 1 times, and is 2"}},
		"the others":      {sliced(`"rules":"closed"`, `identifier:@default|"max":"1"`, `identifier:@default.value|"min":1`), with("a x"), []string{"error required Patient.identifier[1].value: P, Patient.identifier:@default.value: it must be there"}},
		"slices of slices": {sliced(`"rules":"open"`, `identifier:b/c|"max":"1"`, `identifier:b/c.system|"fixedUri":"b"`, `identifier:b/c.use|"min":1`), with("b b"),
			[]string{"error required Patient.identifier[0].use: P, Patient.identifier:b/c.use: it must be there", "error required Patient.identifier[1].use: P, Patient.identifier:b/c.use: it must be there",
				"error structure Patient.identifier: P, Patient.identifier:b/c: it may be there at most 1 times, and is 2"}},
		"what the element says is said once": {sliced(`"rules":"open"`, `identifier.value|"min":1`, `identifier:a.value|"min":1`), with("a"), []string{"error required Patient.identifier[0].value: P, Patient.identifier.value: it must be there"}},
	})
}
