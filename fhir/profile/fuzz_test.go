package profile_test

import (
	"bytes"
	"testing"

	"tarn/fhir"
	"tarn/fhir/profile"
)

// Whatever a package holds, reading, compiling and checking end, and without a panic.
func FuzzDefinition(f *testing.F) {
	for _, d := range usCore() {
		f.Add(d, valueSet("V", `{"include":[{"valueSet":["http://example.org/ValueSet/V"]},{"system":"s","filter":[{"property":"concept","op":"is-a","value":"a"}]}],"exclude":[{"system":"s"}]}`), usPatient)
	}
	f.Add(define("P", "Observation", "", `component|`+by("profile", "resolve().ofType(Patient).extension('x').value", "closed"), `component:a/b|"min":1`), `{"resourceType":"CodeSystem","url":"s","concept":[{"code":"a","concept":[{"code":"a"}]}]}`, usPressure)
	f.Add(define("P", "Bundle", "", `entry.resource|"type":[{"code":"Resource","profile":["`+example+`P"]}]`), define("Q", "Extension", example+"Q", `extension|"min":1`), `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Bundle"}}]}`)
	f.Fuzz(func(t *testing.T, a, b, resource string) {
		p, err := profile.Read(bytes.NewReader(pack(t, map[string]string{"package/a.json": a, "package/b.json": b})))
		if err != nil {
			t.Fatal(err)
		}
		set := profile.NewSet(p)
		parser := fhir.NewParser(fhir.Limits{})
		if _, err := parser.Parse([]byte(resource)); err != nil {
			return
		}
		doc := parser.Doc()
		for _, one := range set.Profiles() {
			set.Explaining().Check(doc, doc.Root(), one.URL, func(fhir.Issue) {})
		}
		set.Extensions(doc, func(fhir.Issue) {})
	})
}

func FuzzRead(f *testing.F) {
	f.Add(pack(f, map[string]string{"package/a.json": usPatient}))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := profile.Read(bytes.NewReader(body)); err == nil && (!profile.ValidName(p.Name) || !profile.ValidName(p.Version)) {
			t.Errorf("a package %q@%q", p.Name, p.Version)
		}
	})
}
