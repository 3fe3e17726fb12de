package profile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hl7 = "http://hl7.org/fhir/StructureDefinition/"

// HL7's examples keep to the profiles that they declare. The warnings are those of extensions that stand where their
// definitions do not let them.
func TestCore_examplesFitTheirProfiles(t *testing.T) {
	t.Parallel()
	set := core(t)
	for _, p := range set.Profiles() {
		if p.Flaw != "" {
			t.Errorf("%s cannot be checked: %s", p.URL, p.Flaw)
		}
	}
	files, err := filepath.Glob(filepath.Dir(shared(t, "r4-examples/Patient.ndjson.gz")) + "/*.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		lines(t, file, func(line []byte) {
			if !bytes.Contains(line, []byte(`"extension"`)) && !bytes.Contains(line, []byte(`"profile"`)) {
				return
			}
			var urls []string
			for _, url := range profilesOf(line) {
				if set.Known(url) {
					urls = append(urls, url)
				}
			}
			count += len(urls)
			for _, issue := range check(t, set, string(line), urls...) {
				if !strings.HasPrefix(issue, "warning extension") {
					t.Errorf("%s: %s", filepath.Base(file), issue)
				}
			}
		})
	}
	if count < 1900 {
		t.Errorf("only %d declared profiles were checked", count)
	}
}

const weight = `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"29463-7"},{"system":"http://loinc.org","code":"3141-9"}]},
"subject":{"reference":"Patient/example"},"effectiveDateTime":"2016-03-28","valueQuantity":{"value":185,"unit":"lbs","system":"http://unitsofmeasure.org","code":"[lb_av]"}}`

func TestCore_vitalSignsAreHeldToTheirProfile(t *testing.T) {
	t.Parallel()
	set := core(t)
	for name, test := range map[string]struct {
		old, new string
		want     []string
	}{
		"as it should be": {"", "", nil},
		"no category": {`"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],`, ``,
			[]string{"error required Observation.category: observation-bodyweight, Observation.category:VSCat: it must be there"}},
		"another category": {`"vital-signs"`, `"laboratory"`,
			[]string{"error required Observation.category: observation-bodyweight, Observation.category:VSCat: it must be there"}},
		"another code": {`"29463-7"`, `"8302-2"`,
			[]string{"error required Observation.code.coding: observation-bodyweight, Observation.code.coding:BodyWeightCode: it must be there"}},
		"no subject": {`"subject":{"reference":"Patient/example"},`, ``,
			[]string{"error required Observation.subject: observation-bodyweight, Observation.subject: it must be there"}},
		"subject of another type": {`Patient/example`, `Group/example`,
			[]string{"error value Observation.subject.reference: observation-bodyweight, Observation.subject: it points to Group, and may point to Patient only"}},
		"another type of value": {`"valueQuantity":{"value":185,"unit":"lbs","system":"http://unitsofmeasure.org","code":"[lb_av]"}`, `"valueString":"185 lbs"`,
			[]string{"error structure Observation.valueString: observation-bodyweight, Observation.value[x]: the profile does not allow this type here"}},
		"no unit": {`"unit":"lbs",`, ``,
			[]string{"error required Observation.valueQuantity.unit: observation-bodyweight, Observation.value[x]:valueQuantity.unit: it must be there"}},
		"another system of units": {`http://unitsofmeasure.org`, `http://snomed.info/sct`,
			[]string{`error value Observation.valueQuantity.system: observation-bodyweight, Observation.value[x]:valueQuantity.system: it must be exactly "http://unitsofmeasure.org"`}},
		"a unit of something else": {`[lb_av]`, `cm`,
			[]string{"error code-invalid Observation.valueQuantity.code: observation-bodyweight, Observation.value[x]:valueQuantity.code: it must be out of the value set http://hl7.org/fhir/ValueSet/ucum-bodyweight"}},
		"effective at a time of another form": {`"effectiveDateTime":"2016-03-28"`, `"effectiveInstant":"2016-03-28T00:00:00Z"`,
			[]string{"error structure Observation.effectiveInstant: observation-bodyweight, Observation.effective[x]: the profile does not allow this type here"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := check(t, set, strings.Replace(strings.ReplaceAll(weight, "\n", ""), test.old, test.new, 1), hl7+"bodyweight")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCore_bloodPressureHasItsComponents(t *testing.T) {
	t.Parallel()
	set := core(t)
	part := func(code string) string {
		return `{"code":{"coding":[{"system":"http://loinc.org","code":"` + code + `"}]},"valueQuantity":{"value":107,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}`
	}
	pressure := func(components string) string {
		return `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/example"},"effectiveDateTime":"2012-09-17","component":[` + components + `]}`
	}
	for name, test := range map[string]struct {
		components string
		want       []string
	}{
		"both":           {part("8480-6") + "," + part("8462-4"), nil},
		"a third":        {part("8480-6") + "," + part("8462-4") + "," + part("8478-0"), nil},
		"no diastolic":   {part("8480-6") + "," + part("8478-0"), []string{"error required Observation.component: observation-bp, Observation.component:DiastolicBP: it must be there"}},
		"systolic twice": {part("8480-6") + "," + part("8480-6") + "," + part("8462-4"), []string{"error structure Observation.component: observation-bp, Observation.component:SystolicBP: it may be there at most 1 times, and is 2"}},
		"another unit": {strings.Replace(part("8480-6"), "mm[Hg]", "kPa", 1) + "," + part("8462-4"), []string{
			"error code-invalid Observation.component[0].valueQuantity: observation-bp, Observation.component.value[x]: it must be out of the value set http://hl7.org/fhir/ValueSet/ucum-vitals-common",
			`error value Observation.component[0].valueQuantity.code: observation-bp, Observation.component:SystolicBP.value[x].code: it must be exactly "mm[Hg]"`}},
		"a value of words": {`{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueString":"high"},` + part("8462-4"),
			[]string{"error structure Observation.component[0].valueString: observation-bp, Observation.component:SystolicBP.value[x]: the profile does not allow this type here"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := check(t, set, strings.ReplaceAll(pressure(test.components), "\n", ""), hl7+"bp")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// HL7's own validator says the same of these of its test cases, as far as profiles and extensions are concerned.
func TestCore_agreesWithTheValidatorOfHL7(t *testing.T) {
	t.Parallel()
	set := core(t)
	folder := filepath.Dir(shared(t, "invalid/hl7-validator/obs-quantity.json"))
	for file, want := range map[string][]string{
		"obs-quantity.json": {
			"error structure Observation.value: observation-bp, Observation.value[x]:valueQuantity: it must not be there",
			"error required Observation.category: observation-bp, Observation.category:VSCat: it must be there",
			"error required Observation.subject: observation-bp, Observation.subject: it must be there",
			"error required Observation.effective: observation-bp, Observation.effective[x]: it must be there",
			"error required Observation.component: observation-bp, Observation.component:SystolicBP: it must be there",
			"error required Observation.component: observation-bp, Observation.component:DiastolicBP: it must be there",
		},
		"ips-htmlrefs-backwards.json": {
			"error structure Bundle.entry[2].resource.extension[0].valueUri: Narrative Link, Extension.value[x]: the profile does not allow this type here",
			"error structure Bundle.entry[3].resource.extension[0].valueUri: Narrative Link, Extension.value[x]: the profile does not allow this type here",
		},
		"maiden-name.json": {"warning extension Patient.name[0].extension[0]: the extension mothers-family may not stand here, but in: HumanName.family"},
	} {
		body, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, check(t, set, string(body), profilesOf(body)...)); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}
