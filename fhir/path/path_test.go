package path_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir"
	"tarn/fhir/path"
	"tarn/fhir/r4"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string][]string{
		"Patient.name.family":                                      {"name.family"},
		"(Observation.value as Quantity)":                          {"value.as(Quantity)"},
		"Observation.value as Quantity":                            {"value.as(Quantity)"},
		"Condition.onset.as(Age) | Condition.onset.as(Range)":      {"onset.as(Age)", "onset.as(Range)"},
		"value.ofType(Range)":                                      {"value.as(Range)"},
		"(Observation.value as CodeableConcept).text":              {"value.as(CodeableConcept).text"},
		"Patient.telecom.where(system='phone')":                    {"telecom.where(system='phone')"},
		"Library.relatedArtifact.where(type='successor').resource": {"relatedArtifact.where(type='successor').resource"},
		"Account.subject.where(resolve() is Patient)":              {"subject.where(resolve() is Patient)"},
		"Bundle.entry[0].resource":                                 {"entry[0].resource"},
		"Patient.deceased.exists() and Patient.deceased != false":  {"deceased.exists() and deceased != false"},
		"%resource.referenceSeq.chromosome":                        {"%resource.referenceSeq.chromosome"},
		"Observation":                                              {""},
		"Device.extension('http://a/b').value":                     {"extension.where(url='http://a/b').value"},
		"(Organization.name | Organization.alias)":                 {"name", "alias"},
	} {
		paths, err := path.Parse(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
		}
		var got []string
		for _, p := range paths {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{"", "Patient.", "Patient.name[1]", "Patient.name.first()", "Patient.name |", "(Patient.name",
		"Patient.name.where(use)", "Patient.name.where(use='", "Patient.name.where(resolve() is )", "a and b", "Patient.name = 'x'",
		"a.exists() and a != true", "[0]", "where(a='b')", "Patient.name.as()"} {
		if paths, err := path.Parse(expression); err == nil {
			t.Errorf("%q is taken for %v", expression, paths)
		}
	}
}

func FuzzParse(f *testing.F) {
	for c := r4.Code(1); c <= r4.Count; c++ {
		for _, p := range c.Params() {
			f.Add(p.Expression)
		}
	}
	f.Fuzz(func(t *testing.T, expression string) {
		paths, err := path.Parse(expression)
		if err != nil {
			return
		}
		for _, p := range paths { // what is written reads the same
			if len(p.Steps) == 0 || p.Resource {
				continue
			}
			if again, err := path.Parse(p.String()); err != nil || len(again) != 1 || again[0].String() != p.String() {
				t.Errorf("%q gives %q, which gives %v, %v", expression, p, again, err)
			}
		}
	})
}

// All expressions of R4 compile, each for its type.
func TestCompile_allParameters(t *testing.T) {
	t.Parallel()
	count := 0
	for c := r4.Code(1); c <= r4.Count; c++ {
		for _, p := range c.Params() {
			if p.Expression == "" {
				continue
			}
			count++
			q := path.Query{Parts: [][]path.Path{parse(t, p.Expression)}}
			if p.Type == r4.ParamComposite {
				q = path.Query{Base: parse(t, p.Expression)}
				for _, part := range p.Components {
					q.Parts = append(q.Parts, parse(t, part.Expression))
				}
			}
			if w, err := path.Compile(c.Resource(), []path.Query{q}); err != nil || len(w.Outs()) == 0 {
				t.Errorf("%s of %s: %q: %v", p.Name, c, p.Expression, err)
			}
		}
	}
	if count < 2000 {
		t.Errorf("only %d expressions", count)
	}
}

func parse(t *testing.T, expression string) []path.Path {
	t.Helper()
	paths, err := path.Parse(expression)
	if err != nil {
		t.Fatalf("%q: %v", expression, err)
	}
	return paths
}

type sink struct {
	t     *testing.T
	walk  *path.Walk
	found []string
}

func (s *sink) Found(out int, n fhir.Node) {
	name := "boolean"
	if typ := s.walk.Outs()[out].Type; typ != nil {
		name = typ.Name
	}
	text := "nothing"
	if n.Exists() {
		text = string(n.Raw())
	}
	s.found = append(s.found, name+" "+text)
}
func (s *sink) Enter(int) { s.found = append(s.found, "enter") }
func (s *sink) Leave(int) { s.found = append(s.found, "leave") }

func TestWalk(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression, document string
		want                 []string
	}{
		{"Patient.name.given", `{"resourceType":"Patient","name":[{"given":["A",null,"B"]},{"given":["C"],"family":"D"}]}`,
			[]string{`string "A"`, `string "B"`, `string "C"`}},
		{"Patient.name.given", `{"resourceType":"Patient","n\u0061me":{"given":"A"}}`, []string{`string "A"`}},
		{"Observation.value", `{"resourceType":"Observation","valueString":"x"}`, []string{`string "x"`}},
		{"(Observation.value as Quantity)", `{"resourceType":"Observation","valueString":"x","valueQuantity":{"value":1}}`,
			[]string{`Quantity {"value":1}`}},
		{"Patient.telecom.where(system='phone')", `{"resourceType":"Patient","telecom":[{"system":"fax"},{"system":"phone"}]}`,
			[]string{`ContactPoint {"system":"phone"}`}},
		{"Observation.subject.where(resolve() is Patient)", `{"resourceType":"Observation","subject":{"reference":"Patient/1"}}`,
			[]string{`Reference {"reference":"Patient/1"}`}},
		{"Observation.subject.where(resolve() is Patient)", `{"resourceType":"Observation","subject":{"reference":"Group/1"}}`, nil},
		{"Observation.subject.where(resolve() is Patient)", `{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}}`,
			[]string{`Reference {"reference":"#p"}`}},
		{"Observation.subject.where(resolve() is Patient)", `{"resourceType":"Observation","subject":{"type":"Patient","identifier":{"value":"1"}}}`,
			[]string{`Reference {"type":"Patient","identifier":{"value":"1"}}`}},
		{"Bundle.entry[0].resource", `{"resourceType":"Bundle","entry":[{"resource":{"id":"1"}},{"resource":{"id":"2"}}]}`,
			[]string{`Resource {"id":"1"}`}},
		{"Patient.deceased.exists() and Patient.deceased != false", `{"resourceType":"Patient"}`, []string{"boolean nothing"}},
		{"Patient.deceased.exists() and Patient.deceased != false", `{"resourceType":"Patient","deceasedDateTime":"2020"}`,
			[]string{`boolean "2020"`}},
		{"Patient.name.given", `{"resourceType":"Patient","name":"x"}`, nil},
		{"Patient.name.given", `[]`, nil},
	} {
		parser := fhir.NewParser(fhir.Limits{})
		doc, err := parser.Scan([]byte(c.document))
		if err != nil {
			t.Fatal(err)
		}
		name := c.expression
		if name[0] == '(' {
			name = name[1:]
		}
		code, _ := r4.CodeOf(name[:indexOf(name, '.')])
		walk, err := path.Compile(code.Resource(), []path.Query{{Parts: [][]path.Path{parse(t, c.expression)}}})
		if err != nil {
			t.Fatal(err)
		}
		s := &sink{t: t, walk: walk}
		walk.Run(doc.Root(), s)
		if diff := cmp.Diff(c.want, s.found); diff != "" {
			t.Errorf("%s on %s: %s", c.expression, c.document, diff)
		}
	}
}

func indexOf(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return len(s)
}

func TestWalk_enclosesComposites(t *testing.T) {
	t.Parallel()
	code, _ := r4.CodeOf("Observation")
	q := path.Query{Base: parse(t, "Observation | Observation.component"), Parts: [][]path.Path{parse(t, "code"), parse(t, "value.as(Quantity)")}}
	walk, err := path.Compile(code.Resource(), []path.Query{q})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := fhir.NewParser(fhir.Limits{}).Scan([]byte(`{"code":{"text":"a"},"component":[{"code":{"text":"b"},"valueQuantity":{"value":1}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{t: t, walk: walk}
	walk.Run(doc.Root(), s)
	want := []string{"enter", `CodeableConcept {"text":"a"}`, "enter", `CodeableConcept {"text":"b"}`, `Quantity {"value":1}`, "leave", "leave"}
	if diff := cmp.Diff(want, s.found); diff != "" {
		t.Error(diff)
	}
}
