package patch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/patch"
)

// op is one operation: parts beyond type and path are "name: JSON members", such as `value: "valueString":"x"`.
func op(kind, path string, parts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"name":"operation","part":[{"name":"type","valueCode":%q},{"name":"path","valueString":%s}`, kind, fhir.AppendString(nil, path))
	for _, p := range parts {
		name, rest, _ := strings.Cut(p, ": ")
		fmt.Fprintf(&b, `,{"name":%q,%s}`, name, rest)
	}
	return b.String() + "]}"
}

func parameters(operations ...string) string {
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(operations, ",") + `]}`
}

func TestApply_changesElementsAsFHIRSeesThem(t *testing.T) {
	t.Parallel()
	const names = `{"resourceType":"Patient","name":[{"use":"official","family":"A","given":["x","y","z"],"_given":[null,{"id":"g"}]},{"use":"old","family":"B"}],"birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"http://a","valueString":"1.0"},{"url":"http://b","valueDecimal":1.50}]}}`
	const observation = `{"resourceType":"Observation","status":"final","valueQuantity":{"value":1.10,"unit":"kg"},"component":[{"code":{"text":"a"},"valueString":"s"},{"code":{"text":"b"},"valueInteger":3}]}`
	for name, c := range map[string]struct{ doc, operation, want string }{
		"replace keeps the other bytes": {`{"resourceType":"Patient","x\u0079":1.00,"gender":"m\u0061le","active":true}`,
			op("replace", "Patient.active", `value: "valueBoolean":false`), `{"resourceType":"Patient","x\u0079":1.00,"gender":"m\u0061le","active":false}`},
		"replace takes id and extensions of a primitive along": {names, op("replace", "birthDate", `value: "valueDate":"1971","_valueDate":{"id":"n"}`),
			strings.Replace(names, `"birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"http://a","valueString":"1.0"},{"url":"http://b","valueDecimal":1.50}]}`, `"birthDate":"1971","_birthDate":{"id":"n"}`, 1)},
		"delete of a primitive takes its extensions":    {`{"resourceType":"Patient","_birthDate":{"id":"x"},"birthDate":"1970"}`, op("delete", "Patient.birthDate"), `{"resourceType":"Patient"}`},
		"delete of an extension keeps the value":        {`{"resourceType":"Patient","birthDate":"1970","_birthDate":{"extension":[{"url":"http://a"}]}}`, op("delete", "Patient.birthDate.extension('http://a')"), `{"resourceType":"Patient","birthDate":"1970"}`},
		"delete of an extension without a value":        {`{"resourceType":"Patient","active":true,"_birthDate":{"extension":[{"url":"http://a"}]}}`, op("delete", "Patient.birthDate.extension[0]"), `{"resourceType":"Patient","active":true}`},
		"delete one extension of two":                   {names, op("delete", "Patient.birthDate.extension.where(url = 'http://a')"), strings.Replace(names, `{"url":"http://a","valueString":"1.0"},`, "", 1)},
		"delete of what is not there":                   {names, op("delete", "Patient.deceased"), names},
		"delete in a list of primitives":                {names, op("delete", "Patient.name[0].given[0]"), strings.Replace(names, `"given":["x","y","z"],"_given":[null,{"id":"g"}]`, `"given":["y","z"],"_given":[{"id":"g"},null]`, 1)},
		"delete of the element that has an id":          {names, op("delete", "Patient.name[0].given[1]"), strings.Replace(names, `"given":["x","y","z"],"_given":[null,{"id":"g"}]`, `"given":["x","z"]`, 1)},
		"delete by two conditions":                      {names, op("delete", "Patient.name.where(use = 'official' and family = 'A').given.where($this = 'z')"), strings.Replace(names, `"given":["x","y","z"],"_given":[null,{"id":"g"}]`, `"given":["x","y"],"_given":[null,{"id":"g"}]`, 1)},
		"delete with or, parenthesis and first":         {names, op("delete", "Patient.name.where((use = 'none' or use ~ 'OLD') and family.exists()).first()"), strings.Replace(names, `,{"use":"old","family":"B"}`, "", 1)},
		"last":                                          {names, op("replace", "Patient.name.last().family", `value: "valueString":"C"`), strings.Replace(names, `"B"`, `"C"`, 1)},
		"a condition on something below":                {observation, op("replace", "Observation.component.where(code.text = 'b').value", `value: "valueInteger":4`), strings.Replace(observation, `"valueInteger":3`, `"valueInteger":4`, 1)},
		"a choice changes its type in its place":        {observation, op("replace", "Observation.value", `value: "valueString":"x"`), strings.Replace(observation, `"valueQuantity":{"value":1.10,"unit":"kg"}`, `"valueString":"x"`, 1)},
		"into a choice by ofType":                       {observation, op("replace", "Observation.value.ofType(Quantity).unit", `value: "valueString":"g"`), strings.Replace(observation, "kg", "g", 1)},
		"into a choice by as":                           {observation, op("replace", "(Observation.value as Quantity).unit", `value: "valueString":"g"`), strings.Replace(observation, "kg", "g", 1)},
		"into a choice without a type":                  {observation, op("replace", "Observation.value.unit", `value: "valueString":"g"`), strings.Replace(observation, "kg", "g", 1)},
		"into a choice by its JSON name":                {observation, op("delete", "Observation.valueQuantity.unit"), strings.Replace(observation, `,"unit":"kg"`, "", 1)},
		"add a choice":                                  {`{"resourceType":"Observation"}`, op("add", "Observation", `name: "valueString":"value"`, `value: "valueQuantity":{"value":1.0}`), `{"resourceType":"Observation","valueQuantity":{"value":1.0}}`},
		"add a choice with brackets":                    {`{"resourceType":"Observation"}`, op("add", "Observation", `name: "valueString":"value[x]"`, `value: "valueBoolean":true`), `{"resourceType":"Observation","valueBoolean":true}`},
		"add a code as a string":                        {`{"resourceType":"Patient"}`, op("add", "Patient", `name: "valueString":"gender"`, `value: "valueString":"male"`), `{"resourceType":"Patient","gender":"male"}`},
		"add to a list of primitives":                   {names, op("add", "Patient.name[0]", `name: "valueString":"given"`, `value: "valueString":"w"`), strings.Replace(names, `"given":["x","y","z"],"_given":[null,{"id":"g"}]`, `"given":["x","y","z","w"],"_given":[null,{"id":"g"},null,null]`, 1)},
		"add an extension to a primitive":               {`{"resourceType":"Patient","birthDate":"1970","active":true}`, op("add", "Patient.birthDate", `name: "valueString":"extension"`, `value: "part":[{"name":"url","valueUri":"http://a"},{"name":"value","valueString":"v"}]`), `{"resourceType":"Patient","birthDate":"1970","_birthDate":{"extension":[{"url":"http://a","valueString":"v"}]},"active":true}`},
		"add an extension to one of a list":             {`{"resourceType":"Patient","name":[{"given":["a","b"]}]}`, op("add", "Patient.name.given[1]", `name: "valueString":"extension"`, `value: "part":[{"name":"url","valueUri":"http://a"}]`), `{"resourceType":"Patient","name":[{"given":["a","b"],"_given":[null,{"extension":[{"url":"http://a"}]}]}]}`},
		"add a backbone element with lists and nesting": {`{"resourceType":"Patient"}`, op("add", "Patient", `name: "valueString":"contact"`, `value: "part":[{"name":"relationship","valueCodeableConcept":{"text":"r"}},{"name":"relationship","valueCodeableConcept":{"text":"s"}},{"name":"name","part":[{"name":"given","valueString":"x"},{"name":"given","valueString":"y"}]}]`), `{"resourceType":"Patient","contact":[{"relationship":[{"text":"r"},{"text":"s"}],"name":{"given":["x","y"]}}]}`},
		"add a contained resource":                      {`{"resourceType":"Patient"}`, op("add", "Patient", `name: "valueString":"contained"`, `value: "resource":{"resourceType":"Organization","id":"o"}`), `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}]}`},
		"into a contained resource":                     {`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"a"}]}`, op("replace", "Patient.contained.where(id = 'o').name", `value: "valueString":"b"`), `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"b"}]}`},
		"insert before all with ids":                    {names, op("insert", "Patient.name[0].given", `index: "valueInteger":0`, `value: "valueString":"w"`), strings.Replace(names, `"given":["x","y","z"],"_given":[null,{"id":"g"}]`, `"given":["w","x","y","z"],"_given":[null,null,{"id":"g"},null]`, 1)},
		"insert into what is not there":                 {`{"resourceType":"Patient"}`, op("insert", "Patient.name", `index: "valueInteger":0`, `value: "valueHumanName":{"text":"a"}`), `{"resourceType":"Patient","name":[{"text":"a"}]}`},
		"move with ids":                                 {names, op("move", "Patient.name[0].given", `source: "valueInteger":1`, `destination: "valueInteger":0`), strings.Replace(names, `"given":["x","y","z"],"_given":[null,{"id":"g"}]`, `"given":["y","x","z"],"_given":[{"id":"g"},null,null]`, 1)},
		"Resource, %resource and back-quotes":           {names, op("delete", "Resource.`name`.where(%resource.birthDate = @1970-01-01)[1]"), strings.Replace(names, `,{"use":"old","family":"B"}`, "", 1)},
		"numbers by value":                              {observation, op("replace", "Observation.value.where(value = 1.1).unit", `value: "valueString":"g"`), strings.Replace(observation, "kg", "g", 1)},
		"functions of texts":                            {names, op("replace", "Patient.name.where(use.startsWith('of') and use.endsWith('al') and use.contains('fi') and given.count() = 3 and suffix.empty() and family.startsWith('B').not()).family", `value: "valueString":"C"`), strings.Replace(names, `"family":"A"`, `"family":"C"`, 1)},
		"nothing to do":                                 {names, "", names},
	} {
		p := parameters(c.operation)
		if c.operation == "" {
			p = `{"resourceType":"Parameters"}`
		}
		got, err := applyPath(p, c.doc)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, got, c.want)
		}
	}
}

func TestApply_refusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	const doc = `{"resourceType":"Patient","id":"p","name":[{"family":"A"},{"family":"B"}],"birthDate":"1970"}`
	for operation, want := range map[string]string{
		op("replace", "Patient.name", `value: "valueHumanName":{}`):                                                "finds 2 elements",
		op("delete", "Patient.name"):                                                                               "finds 2 elements",
		op("replace", "Patient.gender", `value: "valueCode":"male"`):                                               "finds no element",
		op("add", "Patient.name[7]", `name: "valueString":"family"`, `value: "valueString":"x"`):                   "finds no element",
		op("add", "Patient", `name: "valueString":"birthDate"`, `value: "valueDate":"1971"`):                       "already",
		op("add", "Patient", `name: "valueString":"birthday"`, `value: "valueDate":"1971"`):                        "Patient has no element",
		op("delete", "Patient.birthday"):                                                                           "Patient has no element",
		op("delete", "Observation.status"):                                                                         "begins with",
		op("add", "Patient", `name: "valueString":"active"`, `value: "valueString":"x"`):                           "cannot stand in active",
		op("add", "Patient", `name: "valueString":"deceased"`, `value: "valueString":"x"`):                         "boolean, dateTime",
		op("add", "Patient", `name: "valueString":"deceased"`, `value: "part":[]`):                                 "several types",
		op("add", "Patient", `name: "valueString":"maritalStatus"`, `value: "valueHumanName":{}`):                  "cannot stand",
		op("add", "Patient", `name: "valueString":"maritalStatus"`, `value: "valueCodeableConcept":"x"`):           "JSON form",
		op("add", "Patient", `name: "valueString":"contact"`, `value: "part":[{"name":"nome","valueString":"x"}]`): "Patient.contact has no element",
		op("add", "Patient", `name: "valueString":"contact"`, `value: "id":"x"`):                                   "neither value[x] nor parts",
		op("add", "Patient", `name: "valueString":"contact"`, `value: "resource":{}`):                              "cannot hold a resource",
		op("insert", "Patient.birthDate", `index: "valueInteger":0`, `value: "valueDate":"1971"`):                  "does not repeat",
		op("insert", "Patient.name", `index: "valueInteger":3`, `value: "valueHumanName":{}`):                      "behind the end",
		op("insert", "Patient.name.given", `index: "valueInteger":0`, `value: "valueString":"x"`):                  "finds 2 elements",
		op("insert", "Patient.name[0]", `index: "valueInteger":0`, `value: "valueHumanName":{}`):                   "must end in the name",
		op("move", "Patient.name", `source: "valueInteger":2`, `destination: "valueInteger":0`):                    "2 elements",
		op("delete", "Patient"):                             "whole resource",
		op("replace", "Patient.id", `value: "valueId":"q"`): "must not change",
		op("delete", "Patient.id"):                          "must not change",
		op("delete", "Patient.name.single()"):               "single() finds 2",
		op("delete", "Patient.name.count()"):                "leads to a value",
	} {
		_, err := applyPath(parameters(operation), doc)
		wantOutcome(t, operation, err, fault.Unprocessable, want)
	}
}

func wantOutcome(t *testing.T, what string, err error, kind fault.Kind, text string) {
	t.Helper()
	var told *fhir.OutcomeError
	if !fault.Is(err, kind) || !errors.As(err, &told) || !strings.Contains(told.Issues[0].Diagnostics, text) {
		t.Errorf("%s: error %v, want %v with %q", what, err, kind, text)
	}
}

func TestParseParameters_refusesWhatBreaksItsRules(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"resourceType":"Patient"}`:                                                              "of type Parameters",
		`{"resourceType":"Parameters","parameter":{}}`:                                            "is an array",
		`{"resourceType":"Parameters","parameter":[{"name":"op"}]}`:                               `Operation 0: each parameter of a FHIRPath Patch has the name "operation"`,
		`{"resourceType":"Parameters","parameter":[{"name":"operation"}]}`:                        "needs parts",
		parameters(`{"name":"operation","part":[{"valueCode":"add"}]}`):                           "has a name",
		parameters(op("change", "Patient")):                                                       "there is no type",
		parameters(op("delete", "Patient.name", `value: "valueString":"x"`)):                      "delete has no part",
		parameters(op("delete", "a"), op("insert", "a", `value: "id":"x"`)):                       `Operation 1: the part "index" is missing`,
		parameters(op("move", "a", `source: "valueInteger":-1`, `destination: "valueInteger":0`)): "0 or above",
		parameters(op("add", "Patient", `name: "valueBoolean":true`, `value: "valueString":"x"`)): "type string",
		parameters(op("add", "Patient", `name: "valueString":"x"`)):                               `"value" is missing`,
		parameters(op("delete", "x", `path: "valueString":"y"`)):                                  "stands twice",
		parameters(op("delete", "")):                                                              "expected the name of an element, at character 1",
		parameters(op("delete", "Patient.")):                                                      "expected the name",
		parameters(op("delete", "Patient..name")):                                                 "found",
		parameters(op("delete", "Patient.name[")):                                                 "expected a number, at character 14",
		parameters(op("delete", "Patient.name[0")):                                                `expected "]"`,
		parameters(op("delete", "Patient.name.where(")):                                           "expected the name",
		parameters(op("delete", "Patient.name.where(a = 'x)")):                                    "not closed",
		parameters(op("delete", "Patient.name x")):                                                `"x" is not expected`,
		parameters(op("delete", "Patient.subject.resolve()")):                                     "stays within its resource",
		parameters(op("delete", "Patient.name.matches('x')")):                                     "matches() is not offered",
		parameters(op("delete", "Patient.name.extension(x)")):                                     "single quotes",
		parameters(op("delete", "Patient.name & 1")):                                              "'&' is not expected",
		parameters(op("delete", "%terminologies.x")):                                              "there is no %terminologies",
		parameters(op("delete", "a.where('\\q' = b)")):                                            "no escape",
		parameters(op("delete", strings.Repeat("(", 60)+"a")):                                     "nests too deeply",
		parameters(op("delete", strings.Repeat("a.", 3000)+"a")):                                  "too long",
	} {
		_, err := patch.ParseParameters([]byte(body), fhir.Limits{})
		wantOutcome(t, body, err, fault.Invalid, want)
	}
	many := strings.Repeat(op("delete", "a")+",", patch.MaxOperations) + op("delete", "a")
	_, err := patch.ParseParameters([]byte(parameters(many)), fhir.Limits{})
	wantOutcome(t, "too many", err, fault.Invalid, "at most 1000 operations")
}
