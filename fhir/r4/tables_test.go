package r4_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/fhir/r4"
)

func TestFind_findsEveryNameOfEveryStructure(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i := range r4.Structures() {
		s := &r4.Structures()[i]
		if r4.StructureOf(s.Name) != s {
			t.Errorf("%s is not found by its name", s.Name)
		}
		for j, e := range s.Elements {
			for k, f := range e.Fields {
				names[f.Name] = true
				place, ok := s.Find([]byte(f.Name))
				if !ok || place != (r4.Place{Element: j, Field: k}) {
					t.Errorf("%s.%s is at %v, %v", s.Name, f.Name, place, ok)
				}
				if f.Type == nil || f.Type.Name == "" {
					t.Errorf("%s.%s has no type", s.Name, f.Name)
				}
			}
		}
	}
	for i := range r4.Structures() {
		s := &r4.Structures()[i]
		own := 0
		for name := range names {
			if _, ok := s.FindString(name); ok {
				own++
			}
			if _, ok := s.FindString(name + "x"); ok {
				t.Errorf("%s knows %sx", s.Name, name)
			}
		}
		want := 0
		for _, e := range s.Elements {
			want += len(e.Fields)
		}
		if own != want {
			t.Errorf("%s knows %d names, want %d", s.Name, own, want)
		}
	}
	for _, name := range []string{"", "i", "\x00", "value", "value[x]", "valueXhtml"} {
		if _, ok := r4.StructureOf("Extension").FindString(name); ok {
			t.Errorf("Extension knows %q", name)
		}
	}
}

func TestStructureOf_saysWhatTheDefinitionsSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ structure, name, want string }{
		{"Patient", "id", "id id 0..1 summary"},
		{"Patient", "contained", "contained Resource 0..* array"},
		{"Patient", "contact", "contact Patient.contact 0..* array"},
		{"Patient", "deceasedBoolean", "deceased[x] boolean 0..1 choice summary modifier"},
		{"Patient", "managingOrganization", "managingOrganization Reference(Organization) 0..1 summary"},
		{"Patient", "gender", "gender code 0..1 summary required http://hl7.org/fhir/ValueSet/administrative-gender 4"},
		{"Patient.contact", "id", "id string 0..1"},
		{"HumanName", "use", "use code 0..1 summary modifier required http://hl7.org/fhir/ValueSet/name-use 7"},
		{"Extension", "url", "url uri 1..1"},
		{"Extension", "valueMoney", "value[x] Money 0..1 choice"},
		{"Observation", "valueQuantity", "value[x] Quantity 0..1 choice summary"},
		{"Observation", "subject", "subject Reference(Patient,Group,Device,Location) 0..1 summary"},
		{"Observation.component", "referenceRange", "referenceRange Observation.referenceRange 0..* array"},
		{"Observation.referenceRange", "low", "low Quantity 0..1 sqty-1"},
		{"Condition", "onsetAge", "onset[x] Age 0..1 choice summary"},
		{"Bundle.entry", "resource", "resource Resource 0..1 summary"},
		{"Bundle.entry.response", "outcome", "outcome Resource 0..1 summary"},
		{"Attachment", "contentType", "contentType code 0..1 summary required http://hl7.org/fhir/ValueSet/mimetypes nil"},
		{"Timing", "repeat", "repeat Timing.repeat 0..1 summary"},
		{"DetectedIssue", "status", "status code 1..1 summary modifier required http://hl7.org/fhir/ValueSet/observation-status 8"},
		{"xhtml", "extension", "extension Extension 0..0 array"},
		{"CarePlan", "instantiatesCanonical", "instantiatesCanonical canonical(PlanDefinition,Questionnaire,Measure,ActivityDefinition,OperationDefinition) 0..* array summary"},
	} {
		s := r4.StructureOf(c.structure)
		place, ok := s.FindString(c.name)
		if !ok {
			t.Errorf("%s.%s is not there", c.structure, c.name)
			continue
		}
		e := s.Elements[place.Element]
		f := e.Fields[place.Field]
		got := e.Name + " " + f.Type.Name
		if f.Targets != nil {
			got += "(" + strings.Join(f.Targets, ",") + ")"
		}
		got += fmt.Sprintf(" %d..%d", e.Min, e.Max)
		got = strings.ReplaceAll(got, "..-1", "..*")
		for _, flag := range []struct {
			name string
			set  bool
		}{{"array", e.Array}, {"choice", e.Choice}, {"summary", e.Summary}, {"modifier", e.Modifier}} {
			if flag.set {
				got += " " + flag.name
			}
		}
		if len(e.Invariants) > 0 {
			got += " " + strings.Join(e.Invariants, ",")
		}
		if b := e.Binding; b != nil && b.Strength == r4.Required {
			got += " required " + b.ValueSet
			if b.Codes == nil {
				got += " nil"
			} else {
				got += fmt.Sprint(" ", b.Codes.Len())
			}
		}
		if got != c.want {
			t.Errorf("%s.%s:\n got %s\nwant %s", c.structure, c.name, got, c.want)
		}
	}
	for _, name := range []string{"", "SubscriptionStatus", "MetadataResource", "SimpleQuantity", "Patient.name"} {
		if r4.StructureOf(name) != nil {
			t.Errorf("%s is a structure", name)
		}
	}
	if got := r4.StructureOf("Patient.contact").Invariants; !slices.Equal(got, []string{"pat-1"}) {
		t.Errorf("Patient.contact has the invariants %v", got)
	}
	if inv, _ := r4.InvariantOf("inv-1", "Task"); !strings.HasPrefix(inv.Human, "Last modified date") {
		t.Errorf("inv-1 of Task: %v", inv)
	}
	if inv, ok := r4.InvariantOf("pat-1", "anywhere"); !ok || inv.Severity != "error" || inv.Path != "Patient.contact" {
		t.Errorf("pat-1: %v", inv)
	}
	if _, ok := r4.InvariantOf("no-1", ""); ok {
		t.Error("no-1 is known")
	}
}

func TestCodes_knowSystems(t *testing.T) {
	t.Parallel()
	place, _ := r4.StructureOf("Patient").FindString("gender")
	codes := r4.StructureOf("Patient").Elements[place.Element].Binding.Codes
	const system = "http://hl7.org/fhir/administrative-gender"
	for _, c := range []struct {
		system, code string
		want         bool
	}{{"", "male", true}, {system, "male", true}, {"http://elsewhere", "male", false}, {"", "Male", false}, {"", "", false}} {
		if codes.Has([]byte(c.system), []byte(c.code)) != c.want {
			t.Errorf("%q %q: want %v", c.system, c.code, c.want)
		}
	}
	var all []string
	codes.Each(func(s, code string) bool { all = append(all, s+"|"+code); return len(all) < 3 })
	if want := []string{system + "|female", system + "|male", system + "|other"}; !slices.Equal(all, want) {
		t.Errorf("%v", all)
	}
}

func TestParams_areReducedToTheType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, name, want string }{
		{"Patient", "birthdate", "date Patient.birthDate"},
		{"Patient", "phone", "token Patient.telecom.where(system='phone')"},
		{"Patient", "deceased", "token Patient.deceased.exists() and Patient.deceased != false"},
		{"Patient", "_tag", "token Resource.meta.tag"},
		{"Patient", "_source", "uri Resource.meta.source"},
		{"Patient", "_text", "string "},
		{"Patient", "_has", "special "},
		{"Observation", "code", "token Observation.code"},
		{"Observation", "patient", "reference Observation.subject.where(resolve() is Patient)"},
		{"Observation", "code-value-quantity", "composite Observation"},
		{"MedicationRequest", "code", "token (MedicationRequest.medication as CodeableConcept)"},
		{"InsurancePlan", "name", "string InsurancePlan.name | InsurancePlan.alias"},
		{"Condition", "onset-date", "date Condition.onset.as(dateTime) | Condition.onset.as(Period)"},
		{"Bundle", "message", "reference Bundle.entry[0].resource"},
	} {
		code, _ := r4.CodeOf(c.typ)
		p := code.Param(c.name)
		if p == nil {
			t.Errorf("%s.%s is not there", c.typ, c.name)
			continue
		}
		if got := fmt.Sprintf("%s %s", p.Type, p.Expression); got != c.want {
			t.Errorf("%s.%s:\n got %s\nwant %s", c.typ, c.name, got, c.want)
		}
	}
	bundle, _ := r4.CodeOf("Bundle")
	for _, name := range []string{"_text", "name", "", "zzz"} {
		if bundle.Param(name) != nil {
			t.Errorf("Bundle has %q", name)
		}
	}
	observation, _ := r4.CodeOf("Observation")
	p := observation.Param("code-value-quantity")
	if len(p.Components) != 2 || p.Components[0].Param != observation.Param("code") || p.Components[0].Expression != "code" ||
		p.Components[1].Param != observation.Param("value-quantity") || p.Components[1].Expression != "value.as(Quantity)" {
		t.Errorf("components %v", p.Components)
	}
	for i, p := range observation.Params() {
		if i > 0 && p.Name <= observation.Params()[i-1].Name || p.Code.String() != p.Name || p.Type.String() == "" {
			t.Errorf("%s is out of order, or its number is another's", p.Name)
		}
		if code, ok := r4.ParamCodeOf(p.Name); !ok || code != p.Code {
			t.Errorf("%s has the number %d", p.Name, code)
		}
	}
}

// Numbers lie on disk: a change here breaks every data directory.
func TestParamCode_neverChanges(t *testing.T) {
	t.Parallel()
	for code, name := range map[r4.ParamCode]string{1: "_content", 4: "_id", 10: "_source", 11: "_tag", 14: "abatement-age", 0: "", 9999: ""} {
		if code.String() != name {
			t.Errorf("%d is %s, want %s", code, code.String(), name)
		}
	}
}

func TestCompartment_namesParameters(t *testing.T) {
	t.Parallel()
	of := func(compartment, typ string) []string {
		a, _ := r4.CodeOf(compartment)
		b, _ := r4.CodeOf(typ)
		return b.Compartment(a)
	}
	for _, c := range []struct {
		compartment, typ string
		want             []string
	}{
		{"Patient", "AllergyIntolerance", []string{"patient", "recorder", "asserter"}},
		{"Encounter", "Encounter", []string{"{def}"}},
		{"Patient", "Medication", nil},
		{"Device", "Account", []string{"subject"}},
		{"Observation", "Account", nil},
		{"", "Account", nil},
		{"Patient", "", nil},
	} {
		if got := of(c.compartment, c.typ); !slices.Equal(got, c.want) {
			t.Errorf("%s in %s: %v, want %v", c.typ, c.compartment, got, c.want)
		}
	}
	for code := r4.Code(1); code <= r4.Count; code++ {
		for _, name := range []string{"Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"} {
			var params []string
			compartment, _ := r4.CodeOf(name)
			for _, p := range code.CompartmentParams(compartment) {
				params = append(params, p.Name)
			}
			for _, p := range of(name, code.String()) {
				if p != "{def}" && !slices.Contains(params, p) {
					t.Errorf("%s is in the compartment %s by %s, which is no reference parameter that it has", code, name, p)
				}
			}
		}
	}
}

func TestLookups_doNotAllocate(t *testing.T) {
	patient := r4.StructureOf("Patient")
	name := []byte("managingOrganization")
	place, _ := patient.FindString("gender")
	codes := patient.Elements[place.Element].Binding.Codes
	code, _ := r4.CodeOf("Patient")
	if n := testing.AllocsPerRun(100, func() {
		patient.Find(name)
		patient.FindString("birthDate")
		codes.Has(nil, name)
		code.Param("birthdate")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		r4.Decode()
	}
}

func BenchmarkFind(b *testing.B) {
	var names [][]byte
	patient := r4.StructureOf("Patient")
	for _, e := range patient.Elements {
		for _, f := range e.Fields {
			names = append(names, []byte(f.Name))
		}
	}
	i := 0
	for b.Loop() {
		if _, ok := patient.Find(names[i]); !ok {
			b.Fatal("not found")
		}
		if i++; i == len(names) {
			i = 0
		}
	}
}

func BenchmarkFind_extension(b *testing.B) {
	extension := r4.StructureOf("Extension")
	names := [][]byte{[]byte("url"), []byte("valueCodeableConcept"), []byte("valueString"), []byte("extension")}
	i := 0
	for b.Loop() {
		if _, ok := extension.Find(names[i&3]); !ok {
			b.Fatal("not found")
		}
		i++
	}
}
