package profile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fault"
	"tarn/fhir/profile"
)

func TestRead_takesWhatIsForUs(t *testing.T) {
	t.Parallel()
	p, err := profile.Read(bytes.NewReader(pack(t, map[string]string{
		"package/package.json":               `{"name":"hl7.fhir.us.core","version":"6.1.0","title":"US Core","canonical":"http://hl7.org/fhir/us/core","fhirVersions":["4.0.1","5.0.0"]}`,
		"package/StructureDefinition-a.json": define("a", "Patient", "", `name|"min":1`),
		"package/StructureDefinition-x.json": define("x", "Extension", "", `url|"fixedUri":"http://x"`),
		"package/StructureDefinition-5.json": strings.Replace(define("five", "Patient", "", `name|"min":1`), "4.0.1", "5.0.0", 1),
		"package/StructureDefinition-l.json": definition("l", "Patient", "logical", "", "", `name|"min":1`),
		"package/StructureDefinition-s.json": strings.Replace(define("s", "Patient", "", `name|"min":1`), "constraint", "specialization", 1),
		"package/ValueSet-v.json":            valueSet("v", `{"include":[{"system":"http://x"}]}`),
		"package/CodeSystem-c.json":          `{"resourceType":"CodeSystem","url":"http://x","content":"complete","concept":[{"code":"a"}]}`,
		"package/CodeSystem-f.json":          `{"resourceType":"CodeSystem","url":"http://y","content":"fragment","concept":[{"code":"a"}]}`,
		"package/broken.json":                `{`,
		"package/.index.json":                `{}`,
		"package/example/Patient-e.json":     define("e", "Patient", "", `name|"min":1`),
		"package/other/readme.md":            `words`,
	})))
	if err != nil {
		t.Fatal(err)
	}
	want := profile.Package{Name: "hl7.fhir.us.core", Version: "6.1.0", Title: "US Core", Canonical: "http://hl7.org/fhir/us/core", FHIRVersions: []string{"4.0.1", "5.0.0"},
		Definitions: []profile.Definition{{URL: example + "a", Version: "1.0.0", Name: "a", Type: "Patient"}, {URL: example + "x", Version: "1.0.0", Name: "x", Type: "Extension"}}, ValueSets: 1, CodeSystems: 1}
	if diff := cmp.Diff(want.Definitions, p.Definitions); diff != "" || p.Name != want.Name || p.Version != want.Version || p.Title != want.Title || p.Canonical != want.Canonical || p.ValueSets != 1 || p.CodeSystems != 1 {
		t.Errorf("%+v\n%s", p, diff)
	}
}

func TestRead_refuses(t *testing.T) {
	t.Parallel()
	whole := pack(t, map[string]string{"package/a.json": define("a", "Patient", "", `name|"min":1`)})
	many := map[string]string{}
	for i := range profile.MaxFiles + 1 {
		many[fmt.Sprintf("package/%d.txt", i)] = ""
	}
	for name, test := range map[string]struct {
		body []byte
		kind fault.Kind
	}{
		"nothing":          {nil, fault.Invalid},
		"half":             {whole[:len(whole)/2], fault.Invalid},
		"no gzip":          {[]byte("hello hello hello"), fault.Invalid},
		"too many files":   {pack(t, many), fault.TooLarge},
		"too large a file": {pack(t, map[string]string{"package/a.json": strings.Repeat(" ", profile.MaxFile+1)}), fault.TooLarge},
		"a name of dots":   {pack(t, map[string]string{"package/package.json": `{"name":"..","version":"1"}`}), fault.Invalid},
		"no version":       {pack(t, map[string]string{"package/package.json": `{"name":"a"}`}), fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := profile.Read(bytes.NewReader(test.body)); fault.KindOf(err) != test.kind {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNewSet_tellsWhatItCannotCheck(t *testing.T) {
	t.Parallel()
	p, err := profile.Read(bytes.NewReader(pack(t, map[string]string{
		"package/1.json": define("noElement", "Patient", "", `nmae|"min":1`),
		"package/2.json": define("noType", "Person2", "", `name|"min":1`),
		"package/3.json": define("noBase", "Patient", "http://nowhere", `name|"min":1`),
		"package/4.json": define("itself", "Patient", example+"itself", `name|"min":1`),
		"package/5.json": define("onFlawed", "Patient", example+"noElement", `name|"min":1`),
		"package/6.json": define("empty", "Patient", ""),
	})))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	set := profile.NewSet(p)
	for _, one := range set.Profiles() {
		got[one.Name] = one.Flaw
	}
	want := map[string]string{
		"noElement": "its element Patient.nmae is none of FHIR R4",
		"noType":    "it is about Person2, which is no type of FHIR R4",
		"noBase":    "it is based on http://nowhere, which is not installed",
		"itself":    "it is based on itself",
		"onFlawed":  "it is based on " + example + "noElement, which cannot be checked",
		"empty":     "it has no elements",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := check(t, set, `{"resourceType":"Patient"}`, example+"noBase"); len(got) != 1 || !strings.HasPrefix(got[0], "warning processing Patient: ") {
		t.Errorf("%q", got)
	}
}

// Profiles that build upon each other grow; at some size the rest is not compiled.
func TestNewSet_isBounded(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 200 {
		var elements []string
		for j := range 60 {
			elements = append(elements, fmt.Sprintf(`identifier:s%d-%d|"max":"1"`, i, j))
		}
		base := ""
		if i > 0 {
			base = fmt.Sprintf("%sP%d", example, i-1)
		}
		files[fmt.Sprintf("package/%d.json", i)] = define(fmt.Sprintf("P%d", i), "Patient", base, elements...)
	}
	p, err := profile.Read(bytes.NewReader(pack(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	flawed := 0
	for _, one := range profile.NewSet(p).Profiles() {
		if one.Flaw != "" {
			flawed++
		}
	}
	if flawed == 0 || flawed == 200 {
		t.Errorf("%d profiles were not compiled", flawed)
	}
}

// A Bundle of Bundles of Bundles, each of two profiles that ask for two profiles.
func TestCheck_isBounded(t *testing.T) {
	t.Parallel()
	entry := `entry.resource|"type":[{"code":"Bundle","profile":["` + example + `P","` + example + `Q"]}]`
	set := setOf(t, define("P", "Bundle", "", entry, `total|"min":1`), define("Q", "Bundle", "", entry, `total|"min":1`))
	resource := `{"resourceType":"Bundle","total":1}`
	for range 60 {
		resource = `{"resourceType":"Bundle","total":1,"entry":[{"resource":` + resource + `}]}`
	}
	resource = strings.Replace(resource, `"Bundle","total":1}`, `"Bundle"}`, 1)
	got := check(t, set, resource, example+"P")
	if len(got) != 1 || !strings.HasPrefix(got[0], "warning processing ") {
		t.Errorf("%q", got)
	}
}

func TestSet_findsVersions(t *testing.T) {
	t.Parallel()
	set := setOf(t, define("P", "Patient", "", `name|"min":1`), strings.Replace(define("P", "Patient", "", `photo|"min":1`), "1.0.0", "1.10.0", 1), strings.Replace(define("P", "Patient", "", `link|"min":1`), "1.0.0", "1.9.0", 1))
	for url, want := range map[string]string{"": "Patient.photo", "|1.0.0": "Patient.name", "|1.9.0": "Patient.link", "|1.10.0": "Patient.photo", "#x": "Patient.photo"} {
		got := check(t, set, `{"resourceType":"Patient"}`, example+"P"+url)
		if len(got) != 1 || !strings.Contains(got[0], " "+want+": ") {
			t.Errorf("%q: %q, want %s", url, got, want)
		}
	}
	if set.Known(example+"P|2.0.0") || set.Known(example+"Q") {
		t.Error("a version that is not there is known")
	}
}
