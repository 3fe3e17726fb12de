package patch_test

import (
	"encoding/json"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/patch"
)

// sound holds that a patch, whatever it is, ends in JSON that a Parser takes or in an error of the caller's.
func sound(t *testing.T, p *patch.Patch, err error, doc []byte) {
	t.Helper()
	allowed := func(err error) {
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unprocessable) && !fault.Is(err, fault.TooLarge) {
			t.Fatalf("%v", err)
		}
	}
	if err != nil {
		allowed(err)
		return
	}
	got, err := p.Apply(doc)
	if err != nil {
		allowed(err)
		return
	}
	if !json.Valid(got) {
		t.Fatalf("no JSON: %s", got)
	}
	if _, err := fhir.NewParser(fhir.Limits{}).Scan(got); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	again, err := p.Apply(doc)
	if err != nil || string(again) != string(got) {
		t.Fatalf("the second time it is %s, %v; the first time it was %s", again, err, got)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add(`[{"op":"add","path":"/a/0","value":{"b":1.0}},{"op":"move","from":"/a","path":"/~1c"}]`, `{"a":[1,{"x":"\u00e9"}],"/c":null}`)
	f.Add(`[{"op":"copy","from":"","path":"/a/-"},{"op":"test","path":"/a/1/a","value":[]},{"op":"remove","path":"/a/1/a"}]`, `{"a":[]}`)
	f.Add(`[{"op":"replace","path":"","value":[1e5,-0]}]`, `{}`)
	f.Add(`[{"op":"test","path":"/a~01/-1","value":null},{"op":"copy","from":"/a~1b/01","path":"/x"}]`, `{"a~1":[1],"a/b":[2]}`)
	f.Add(`[{"op":"move","from":"/a","path":"/a/b"},{"op":"add","path":"/resourceType","value":"Basic"}]`, `{"resourceType":"Patient","a":{"b":1}}`)
	f.Fuzz(func(t *testing.T, operations, doc string) {
		p, err := patch.ParseJSON([]byte(operations), fhir.Limits{})
		sound(t, p, err, []byte(doc))
	})
}

func FuzzParameters(f *testing.F) {
	const doc = `{"resourceType":"Patient","name":[{"given":["x","y"],"_given":[null,{"id":"g"}]}],"birthDate":"1970","_birthDate":{"id":"i"},"contained":[{"resourceType":"Basic"}],"multipleBirthInteger":2}`
	f.Add("add", "Patient.name[0]", `{"name":"name","valueString":"given"},{"name":"value","valueString":"z"}`, doc)
	f.Add("insert", "Patient.name.given", `{"name":"index","valueInteger":1},{"name":"value","valueString":"z"}`, doc)
	f.Add("delete", "Patient.name.where(given.first() = 'x' and (use.exists() or family.empty())).given.last()", ``, doc)
	f.Add("replace", "(Patient.multipleBirth as integer)", `{"name":"value","_valueBoolean":{"id":"x"}}`, doc)
	f.Add("move", "Patient.name.given", `{"name":"source","valueInteger":1},{"name":"destination","valueInteger":0}`, doc)
	f.Add("add", "Patient", `{"name":"name","valueString":"contact"},{"name":"value","part":[{"name":"name","part":[{"name":"given","valueString":"a"}]}]}`, doc)
	f.Add("add", "Patient.birthDate", `{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"url","valueUri":"u"},{"name":"value","valueDecimal":1.0}]}`, doc)
	f.Add("delete", "Patient.extension('http://x').value.ofType(string)", ``, doc)
	f.Add("replace", "Patient.name.skip(0).take(1).tail().single() | %resource.birthDate", `{"name":"value","valueDate":"1971"}`, doc)
	f.Add("delete", "Patient.contained.where($this.exists() and not(id ~ 'a') or count() != 2 and id.startsWith('\\u0061')).first()", ``, doc)
	f.Add("replace", "Patient.contained[0]", `{"name":"value","resource":{"resourceType":"Basic","id":"b"}}`, doc)
	f.Fuzz(func(t *testing.T, word, path, parts, doc string) {
		quoted := func(s string) string { return string(fhir.AppendString(nil, s)) }
		body := `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":` + quoted(word) + `},{"name":"path","valueString":` + quoted(path) + `}`
		if parts != "" {
			body += "," + parts
		}
		p, err := patch.ParseParameters([]byte(body+"]}]}"), fhir.Limits{})
		sound(t, p, err, []byte(doc))
	})
}
