package r4_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir/r4"
)

type hl7ValueSet struct {
	URL     string
	Compose struct{ Include, Exclude []hl7Include }
}

type hl7Include struct {
	System           string
	Concept          []struct{ Code string }
	Filter, ValueSet []any
}

type hl7CodeSystem struct {
	URL     string
	Concept []hl7Concept
}

type hl7Concept struct {
	Code    string
	Concept []hl7Concept
}

func TestCodes_areThoseOfHL7(t *testing.T) {
	t.Parallel()
	systems := map[string]*hl7CodeSystem{}
	eachOfHL7(t, "CodeSystem", func(cs *hl7CodeSystem) { systems[cs.URL] = cs })
	sets := map[string]*hl7ValueSet{}
	eachOfHL7(t, "ValueSet", func(vs *hl7ValueSet) { sets[vs.URL] = vs })
	open := map[string]string{ // not listed, with the reason
		"http://hl7.org/fhir/ValueSet/mimetypes":  "BCP 13 is open",
		"http://hl7.org/fhir/ValueSet/ucum-units": "UCUM is a grammar",
		"http://hl7.org/fhir/ValueSet/currencies": "HL7 does not publish ISO 4217",
		"http://loinc.org/vs/LL379-9":             "LOINC's",
	}
	done := map[*r4.Binding]bool{}
	total := 0
	for i := range r4.Structures() {
		s := &r4.Structures()[i]
		for _, e := range s.Elements {
			b := e.Binding
			if b == nil || done[b] {
				continue
			}
			done[b] = true
			if b.Strength != r4.Required || open[b.ValueSet] != "" {
				if b.Codes != nil {
					t.Errorf("%s.%s lists the codes of %s", s.Name, e.Name, b.ValueSet)
				}
				continue
			}
			vs := sets[b.ValueSet]
			if vs == nil || b.Codes == nil {
				t.Errorf("%s.%s: %s is not there", s.Name, e.Name, b.ValueSet)
				continue
			}
			want := map[string]bool{}
			if len(vs.Compose.Exclude) > 0 {
				t.Errorf("%s excludes", vs.URL)
			}
			for _, in := range vs.Compose.Include {
				if len(in.Filter)+len(in.ValueSet) > 0 || in.System == "" {
					t.Errorf("%s is composed in a way that this test does not know", vs.URL)
				}
				for _, c := range in.Concept {
					want[in.System+"|"+c.Code] = true
				}
				if len(in.Concept) == 0 {
					var add func([]hl7Concept)
					add = func(list []hl7Concept) {
						for _, c := range list {
							want[in.System+"|"+c.Code] = true
							add(c.Concept)
						}
					}
					add(systems[in.System].Concept)
				}
			}
			have := map[string]bool{}
			b.Codes.Each(func(system, code string) bool {
				have[system+"|"+code] = true
				if !b.Codes.Has([]byte(system), []byte(code)) || !b.Codes.Has(nil, []byte(code)) || b.Codes.Has([]byte(system), []byte(code+" ")) {
					t.Errorf("%s does not have what it lists: %s %s", vs.URL, system, code)
				}
				return true
			})
			total += len(have)
			if diff := cmp.Diff(want, have); diff != "" || b.Codes.Len() != len(have) {
				t.Errorf("%s: HL7 (-), table (+):\n%s", vs.URL, diff)
			}
		}
	}
	t.Logf("%d codes: no difference", total)
}

type hl7Param struct {
	URL, Code, Type, Expression string
	Base, Target                []string
	Component                   []struct{ Definition, Expression string }
}

func TestParams_areThoseOfHL7(t *testing.T) {
	t.Parallel()
	given := map[string]map[string]*hl7Param{} // by type and name
	standard := 0
	eachOfHL7(t, "SearchParameter", func(p *hl7Param) {
		// 21 are for extensions (patient-extensions-Patient-age), 4 are examples.
		if strings.Contains(p.URL, "-extensions-") || strings.Contains(p.URL, "-genetic-") ||
			strings.HasPrefix(strings.TrimPrefix(p.URL, "http://hl7.org/fhir/SearchParameter/"), "example") || strings.HasSuffix(p.URL, "/filter") {
			return
		}
		standard++
		for _, b := range p.Base {
			if given[b] == nil {
				given[b] = map[string]*hl7Param{}
			}
			given[b][p.Code] = p
		}
	})
	if standard != 1375 {
		t.Errorf("%d parameters of the standard", standard)
	}
	used := map[string]bool{}
	pairs := 0
	for code := r4.Code(1); code <= r4.Count; code++ {
		bases := []string{"Resource", code.String()}
		if name := code.String(); name != "Bundle" && name != "Binary" && name != "Parameters" {
			bases = append(bases, "DomainResource")
		}
		want := map[string]*hl7Param{}
		for _, b := range bases {
			for name, p := range given[b] {
				want[name] = p
			}
		}
		for _, p := range code.Params() {
			w := want[p.Name]
			delete(want, p.Name)
			if w == nil {
				if !slices.Contains([]string{"_filter", "_has", "_list", "_type"}, p.Name) { // of the text of the standard
					t.Errorf("%s.%s is not HL7's", code, p.Name)
				}
				continue
			}
			pairs++
			if p.URL != w.URL || p.Type.String() != w.Type || !slices.Equal(p.Targets, w.Target) || len(p.Components) != len(w.Component) {
				t.Errorf("%s.%s is %v, want %v", code, p.Name, p, w)
			}
			for i, c := range p.Components {
				if c.Expression != w.Component[i].Expression || c.Param.URL != w.Component[i].Definition || code.Param(c.Param.Name) != c.Param {
					t.Errorf("%s.%s: component %d is %v", code, p.Name, i, c)
				}
			}
			for _, part := range strings.Split(p.Expression, " | ") {
				whole := strings.Split(w.Expression, "|")
				for i := range whole {
					whole[i] = strings.TrimSpace(whole[i])
				}
				if w.Expression == "name | alias" { // the only one without a type
					part = strings.TrimPrefix(part, "InsurancePlan.")
				} else if lead := strings.TrimLeft(part, "("); part != "" && !slices.ContainsFunc(bases, func(b string) bool { return lead == b || strings.HasPrefix(lead, b+".") }) {
					t.Errorf("%s.%s: %q is of another type", code, p.Name, part)
				}
				if !slices.Contains(whole, part) {
					t.Errorf("%s.%s: %q is no part of %q", code, p.Name, part, w.Expression)
				}
				used[w.URL+" "+part] = true
			}
		}
		for name := range want {
			t.Errorf("%s.%s is missing", code, name)
		}
	}
	// No part of any expression is lost.
	for _, byName := range given {
		for _, p := range byName {
			for _, part := range strings.Split(p.Expression, "|") {
				if !used[p.URL+" "+strings.TrimSpace(part)] {
					t.Errorf("%s: %q applies to no type", p.URL, part)
				}
			}
		}
	}
	t.Logf("%d parameters of types: no difference", pairs)
}

func TestCompartments_areThoseOfHL7(t *testing.T) {
	t.Parallel()
	type definition struct {
		URL, Code string
		Resource  []struct {
			Code  string
			Param []string
		}
	}
	seen := 0
	eachOfHL7(t, "CompartmentDefinition", func(c *definition) {
		if strings.HasSuffix(c.URL, "/example") {
			return
		}
		seen++
		of, ok := r4.CodeOf(c.Code)
		if !ok {
			t.Errorf("%s is no type", c.Code)
		}
		want := map[string][]string{}
		for _, r := range c.Resource {
			want[r.Code] = r.Param
		}
		for code := r4.Code(1); code <= r4.Count; code++ {
			if got := code.Compartment(of); !slices.Equal(got, want[code.String()]) {
				t.Errorf("%s in %s: %v, want %v", code, c.Code, got, want[code.String()])
			}
		}
	})
	if seen != 5 {
		t.Errorf("%d compartments", seen)
	}
}
