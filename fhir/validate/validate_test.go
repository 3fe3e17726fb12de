package validate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/fhir"
	"tarn/fhir/validate"
	"tarn/synth"
)

// check are the issues of a text that a parser takes.
func check(t testing.TB, text string, o validate.Options) []fhir.Issue {
	t.Helper()
	p := fhir.NewParser(fhir.Limits{})
	if _, err := p.Parse([]byte(text)); err != nil {
		t.Fatalf("%.200s: %v", text, err)
	}
	o.Source = []byte(text)
	return validate.New().Check(p.Doc(), o)
}

func TestCheck_tellsPlaces(t *testing.T) {
	t.Parallel()
	issues := check(t, `{ "resourceType" : "Patient",
  "name" : [ { "family" : "Zoë \" {", "given" : [ "a", "" ] } ],
  "x\ty" : 1,
	"contact":[{"gender":"é",
"relationship":[]}]}`, validate.Options{})
	var got []string
	for _, i := range issues {
		got = append(got, fmt.Sprintf("%d:%d %s %s %v %s", i.Line, i.Column, i.Severity, i.Code, i.Expression, i.Details))
	}
	want := []string{
		"2:56 error value [Patient.name[0].given[1]] given[1] must not be empty; leave the element out instead",
		"3:12 error structure [Patient.`x\\ty`] `x\\ty` is no element of its parent, which is of a type without this name",
		"4:13 error invariant [Patient.contact[0]] SHALL at least contain a contact's details or a reference to an organization (pat-1)",
		"4:23 error code-invalid [Patient.contact[0].gender] gender has no code of the value set http://hl7.org/fhir/ValueSet/administrative-gender, from which one is required",
		"5:16 error structure [Patient.contact[0].relationship] an array must not be empty; leave the element out instead",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCheck_findsWhatBreaksTheStructure(t *testing.T) {
	t.Parallel()
	observation := func(members string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"x"},` + members + `}`
	}
	patient := func(members string) string { return `{"resourceType":"Patient",` + members + `}` }
	for text, want := range map[string]string{
		patient(`"name":[{"given":"a"}]`):                                                         "given must be an array",
		patient(`"gender":["male"]`):                                                              "gender must not be an array: there is one at most",
		patient(`"name":["a"]`):                                                                   "name[0] must be an object",
		patient(`"name":[null]`):                                                                  "null stands for no value",
		patient(`"name":[{"given":[null]}]`):                                                      "null stands for no value",
		patient(`"name":[{"given":["a",null],"_given":[null]}]`):                                  "null stands for no value",
		patient(`"name":[{"given":["a","b"],"_given":[null,{"id":"x"},null]}]`):                   "_given must have as many items as the values",
		patient(`"name":[{"given":["a"],"_given":{"id":"x"}}]`):                                   "_given must be an array, like the values",
		patient(`"name":[{"_given":[null]}]`):                                                     "null stands where there is no value either",
		patient(`"name":[{"_given":[{"id":"x"}]}]`):                                               "must have extensions where there is no value (ele-1)",
		patient(`"name":[{"_given":[1]}]`):                                                        "must be an object or null",
		patient(`"name":[{"_given":[]}]`):                                                         "an array must not be empty",
		patient(`"_gender":[]`):                                                                   "_gender must be an object",
		patient(`"_gender":{}`):                                                                   "must have extensions where there is no value",
		patient(`"_gender":{"value":"x"}`):                                                        "value is no element of its parent",
		patient(`"_name":[{"id":"x"}]`):                                                           "_name is no element",
		patient(`"_nothing":{"id":"x"}`):                                                          "_nothing is no element",
		patient(`"name":[{"id":"a b","text":"x"}]`):                                               "an element's id must not have white space",
		patient(`"resourcetype":"x"`):                                                             "resourcetype is no element",
		patient(`"name":[{"resourceType":"HumanName"}]`):                                          "resourceType is no element",
		patient(`"name":[{"modifierExtension":[{"url":"u","valueString":"x"}]}]`):                 "modifierExtension is no element",
		patient(`"deceasedBoolean":true,"_deceasedDateTime":{"id":"x"}`):                          "deceased[x] has one value at most",
		patient(`"_deceasedDateTime":{"id":"x"},"deceasedBoolean":true`):                          "deceased[x] has one value at most",
		patient(`"contained":[{"id":"x"}]`):                                                       "a resource must say its resourceType",
		patient(`"contained":[{"resourceType":"Nobody","id":"x"}]`):                               "resourceType names no resource type",
		patient(`"contained":["x"]`):                                                              "contained[0] must be an object",
		patient(`"managingOrganization":{"reference":"Patient/1"}`):                               "points to a resource of the type Patient",
		patient(`"managingOrganization":{"reference":"https://x.org/fhir/Patient/1/_history/2"}`): "points to a resource of the type Patient",
		patient(`"managingOrganization":{"reference":"Patient?identifier=x"}`):                    "points to a resource of the type Patient",
		patient(`"managingOrganization":{"type":"Patient","display":"x"}`):                        "type is the type Patient",
		patient(`"managingOrganization":{"type":"Patient","reference":"Organization/1"}`):         "type is another type than that of the reference",
		patient(`"contained":[{"resourceType":"Patient","id":"x"}],"link":[{"other":{"reference":"#x"},"type":"refer"}],"managingOrganization":{"reference":"#x"}`):                "points to a resource of the type Patient",
		patient(`"contained":[{"resourceType":"Organization","id":"x","name":"a"},{"resourceType":"Organization","id":"x","name":"b"}],"managingOrganization":{"reference":"#x"}`): "another contained resource has this id",
		patient(`"managingOrganization":{"\u0072eference":"Patient/1"}`):                                                                          "points to a resource of the type Patient",
		patient(`"period":1,"\u0063ontact":[{"\u0067ender":"male"}]`):                                                                             "(pat-1)",
		patient(`"maritalStatus":{"coding":[]}`):                                                                                                  "an array must not be empty",
		observation(`"valueQuantity":{"value":1,"comparator":"="}`):                                                                               "quantity-comparator",
		observation(`"component":[{"valueString":"x"}]`):                                                                                          "the element code is missing: Observation.component must have it",
		observation(`"valuePeriod":{}`):                                                                                                           "must have a value or children besides its id (ele-1)",
		observation(`"referenceRange":[{"age":{"low":{"value":1e400}},"text":"x","appliesTo":"x"}]`):                                              "appliesTo must be an array",
		`{"resourceType":"AllergyIntolerance","patient":{"display":"x"},"clinicalStatus":{"text":"x"}}`:                                           "allergyintolerance-clinical",
		`{"resourceType":"AllergyIntolerance","patient":{"display":"x"},"clinicalStatus":{"coding":[{"system":"http://wrong","code":"active"}]}}`: "allergyintolerance-clinical",
		`{"resourceType":"Invoice","status":"draft","totalNet":{"value":1,"currency":"euro"}}`:                                                    "currencies",
		`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","gender":"m"}}]}`:                            "administrative-gender",
		`{"resourceType":"Parameters","parameter":[{"name":"x","resource":{"resourceType":"Patient","gender":"m"}}]}`:                             "administrative-gender",
	} {
		var all []string
		for _, issue := range check(t, text, validate.Options{}) {
			all = append(all, issue.Details)
		}
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%s: %q, want %q", text, all, want)
		}
	}
}

func TestCheck_isCapped(t *testing.T) {
	t.Parallel()
	wrong := strings.Repeat(`{"family":1},`, 500)
	issues := check(t, `{"resourceType":"Patient","name":[`+wrong+`{}]}`, validate.Options{})
	if n := len(issues); n != validate.MaxIssues || issues[n-1].Code != fhir.CodeTooLong || issues[n-1].Severity != fhir.SeverityError {
		t.Errorf("%d issues, the last %+v", n, issues[n-1])
	}
	// Advice leaves room for errors.
	advised := strings.Repeat(`{"resource":{"resourceType":"CodeSystem","status":"draft","content":"complete","name":"a b"}},`, 500)
	issues = check(t, `{"resourceType":"Bundle","type":"collection","entry":[`+advised+`{"resource":{"resourceType":"Patient","gender":"m"}}]}`, validate.Options{})
	if !validate.Failed(issues) || len(issues) > validate.MaxIssues || issues[len(issues)-1].Code != fhir.CodeTooLong {
		t.Errorf("%d issues, failed %v, the last %+v", len(issues), validate.Failed(issues), issues[len(issues)-1])
	}
}

// TestCheck_isQuickWhateverTheResource has what would be slow if anything compared everything with everything.
func TestCheck_isQuickWhateverTheResource(t *testing.T) {
	t.Parallel()
	many := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	numbered := func(n int, item string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, item+",", i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	for what, text := range map[string]string{
		"elements":   `{"resourceType":"StructureDefinition","type":"X","snapshot":{"element":[` + many(60_000, `{"path":"X.a","min":0,"max":"1"}`) + `]}}`,
		"groupings":  `{"resourceType":"ImplementationGuide","definition":{"grouping":[` + numbered(50_000, `{"id":"g%d","name":"x"}`) + `],"resource":[` + numbered(50_000, `{"groupingId":"g%d","reference":{"display":"x"}}`) + `]}}`,
		"components": `{"resourceType":"Observation","valueString":"x","code":{"coding":[` + numbered(50_000, `{"code":"a%d"}`) + `]},"component":[` + numbered(50_000, `{"code":{"coding":[{"code":"b%d"}]}}`) + `]}`,
		"contained":  `{"resourceType":"Patient","contained":[` + numbered(40_000, `{"resourceType":"Patient","id":"c%d"}`) + `],"link":[` + numbered(40_000, `{"other":{"reference":"#c%d"},"type":"refer"}`) + `]}`,
		"nulls":      `{"resourceType":"Patient","name":[{"given":[` + many(400_000, "null") + `],"_given":[` + many(400_000, "null") + `]}]}`,
		"extensions": `{"resourceType":"Patient","name":[{"given":[` + many(100_000, "null") + `],"_given":[` + many(100_000, `{"extension":[{"url":"u"}]}`) + `]}]}`,
		"linkIds":    `{"resourceType":"Questionnaire","status":"draft","item":[` + numbered(100_000, `{"linkId":"l%d","type":"string"}`) + `]}`,
		"entries":    `{"resourceType":"Bundle","type":"collection","entry":[` + numbered(50_000, `{"fullUrl":"http://x/%d","resource":{"resourceType":"Patient"}}`) + `]}`,
		"profiles":   `{"resourceType":"Patient","meta":{"profile":[` + numbered(100_000, `"http://x/%d"`) + `]}}`,
		"concepts":   `{"resourceType":"CodeSystem","property":[` + numbered(40_000, `{"code":"p%d","type":"code"}`) + `],"concept":[` + numbered(40_000, `{"code":"c%[1]d","property":[{"code":"p%[1]d","valueString":"x"}]}`) + `]}`,
	} {
		begin := time.Now()
		check(t, text, validate.Options{})
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s: %v for %d bytes", what, took, len(text))
		} else {
			t.Logf("%s: %v for %d bytes", what, took, len(text))
		}
	}
}

func TestCheck_repeatsNoContents(t *testing.T) {
	t.Parallel()
	const secret = "Sesostris"
	for _, text := range []string{
		`{"resourceType":"Patient","gender":"` + secret + `","birthDate":"` + secret + `","managingOrganization":{"reference":"#` + secret + `"}}`,
		`{"resourceType":"Patient","text":{"status":"generated","div":"<div><script>` + secret + `</script></div>"},"name":[{"family":["` + secret + `"]}]}`,
	} {
		issues := check(t, text, validate.Options{})
		if len(issues) == 0 || bytes.Contains(fhir.Outcome{Issues: issues}.AppendJSON(nil), []byte(secret)) {
			t.Errorf("%s: %+v", text, issues)
		}
	}
}

func TestCheck_quietTellsErrorsOnly(t *testing.T) {
	t.Parallel()
	const text = `{"resourceType":"CodeSystem","status":"draft","content":"complete","name":"has spaces","meta":{"profile":["http://example.org/p"]}}`
	if issues := check(t, text, validate.Options{}); len(issues) != 2 || validate.Failed(issues) {
		t.Errorf("%+v", issues)
	}
	if issues := check(t, text, validate.Options{Quiet: true}); issues != nil {
		t.Errorf("%+v", issues)
	}
	if issues := check(t, text, validate.Options{Level: validate.StructureOnly}); len(issues) != 1 {
		t.Errorf("a profile is looked at under structure-only: %+v", issues)
	}
}

func TestCheck_allocatesNothingForSoundResources(t *testing.T) {
	var lines [][]byte
	for r := range synth.Population(synth.Options{Seed: 3, Patients: 3}) {
		lines = append(lines, bytes.Clone(r.JSON))
	}
	p, v := fhir.NewParser(fhir.Limits{}), validate.New()
	work := func() {
		for _, line := range lines {
			if _, err := p.Borrow(line); err != nil {
				t.Fatal(err)
			}
			if issues := v.Check(p.Doc(), validate.Options{Source: line, Quiet: true}); issues != nil {
				t.Fatal(issues)
			}
		}
	}
	work()
	if n := testing.AllocsPerRun(5, work); n > float64(len(lines))/100 {
		t.Errorf("%v allocations for %d resources", n, len(lines))
	}
}

func TestLevel_isReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	for _, level := range []validate.Level{validate.Strict, validate.StructureOnly, validate.Minimal} {
		if got, ok := validate.ParseLevel(level.String()); got != level || !ok {
			t.Errorf("%s is read as %s", level, got)
		}
	}
	if got, ok := validate.ParseLevel(""); got != validate.Strict || !ok {
		t.Error("nothing is not strict")
	}
	for _, wrong := range []string{"Strict", "none", "strict "} {
		if _, ok := validate.ParseLevel(wrong); ok {
			t.Errorf("%q is a level", wrong)
		}
	}
	if validate.Level(9).String() != "unknown" {
		t.Error("a ninth level has a name")
	}
}

func FuzzCheck(f *testing.F) {
	for line := range strings.Lines(strings.TrimSpace(broken)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, members, _ := strings.Cut(rest, " ")
		f.Add([]byte(`{"resourceType":"` + name + `",` + members + `}`))
	}
	for r := range synth.Population(synth.Options{Seed: 9, Patients: 1}) {
		if len(r.JSON) < 2000 {
			f.Add(bytes.Clone(r.JSON))
		}
	}
	p, v := fhir.NewParser(fhir.Limits{}), validate.New()
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := p.Parse(data); err != nil {
			if v.Refusal(p, data, err) == nil {
				t.Fatal("what was refused is sound")
			}
			return
		}
		issues := v.Check(p.Doc(), validate.Options{Source: data})
		if len(issues) > validate.MaxIssues {
			t.Fatalf("%d issues", len(issues))
		}
		at := 0
		for _, i := range issues {
			if i.Line < 1 || i.Column < 1 || i.Offset < at || i.Offset > len(data) || len(i.Expression) == 0 || i.Code == "" || i.Details == "" {
				t.Fatalf("a poor issue: %+v", i)
			}
			at = i.Offset
		}
		if text := (fhir.Outcome{Issues: issues}).AppendJSON(nil); !json.Valid(text) {
			t.Fatalf("the OperationOutcome is no JSON: %s", text)
		}
		if len(issues) > 0 {
			told := validate.AppendTolerated(nil, p.Doc(), issues)
			if _, err := p.Parse(told); err != nil {
				t.Fatalf("what was tolerated cannot be read: %v", err)
			}
		}
	})
}
