package fhir_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tarn/fault"
	"tarn/fhir"
)

// issuesOf parses and returns the issues of the error.
func issuesOf(t *testing.T, p *fhir.Parser, data string) []fhir.Issue {
	t.Helper()
	r, err := p.Parse([]byte(data))
	if err == nil {
		t.Fatalf("accepted: %s", r.Bytes())
	}
	var outcome *fhir.OutcomeError
	if !errors.As(err, &outcome) || fault.KindOf(err) != outcome.Kind || fault.Message(err) == "" || len(outcome.Issues) == 0 {
		t.Fatalf("the error leads to no outcome: %v", err)
	}
	return outcome.Issues
}

func TestParse_tellsPlaceAndReason(t *testing.T) {
	t.Parallel()
	const head = `{"resourceType":"Patient"`
	cases := []struct {
		name, given, code, expression string
		line, column                  int
		says                          string
	}{
		{"empty", "", "structure", "", 1, 1, "ends too early"},
		{"byte order mark", "\xef\xbb\xbf{}", "structure", "", 1, 1, "byte order mark"},
		{"no value", head + ",\n\"birthDate\":}", "structure", "Patient.birthDate", 2, 13, "expected a value, found '}'"},
		{"in a list", head + `,"name":[{"given":["a"]},{"given":[tru]}]}`, "structure", "Patient.name[1].given[0]", 1, 61, "found 't'"},
		{"second of a list", head + `,"name":[{"given":["a",x]}]}`, "structure", "Patient.name[0].given[1]", 1, 49, "expected a value"},
		{"type not seen yet", `{"name":[1 2]}`, "structure", "Resource.name[1]", 1, 12, "a comma or ]"},
		{"columns are characters", head + ",\n  \"text\":\"äöü漢\" !", "structure", "Patient.text", 2, 17, "a comma or }"},
		{"trailing comma", head + ",\n}", "structure", "Patient", 2, 1, "a comma must not stand before }"},
		{"single quotes", `{'resourceType':'Patient'}`, "structure", "Resource", 1, 2, "double quotes"},
		{"comment", head + `,/*x*/"id":"x"}`, "structure", "Patient", 1, 27, "no comments"},
		{"leading zero", head + `,"a":01}`, "structure", "Patient.a", 1, 32, "must not begin with 0"},
		{"no digit", head + `,"a":1.}`, "structure", "Patient.a", 1, 33, "a digit"},
		{"NaN", head + `,"a":NaN}`, "structure", "Patient.a", 1, 31, "found 'N'"},
		{"two values", head + `}` + head + `}`, "structure", "", 1, 27, "the end of the text"},
		{"same name twice", head + `,"a":1,"b":{"x":1,"x":2}}`, "structure", "Patient.b.x", 1, 44, "already"},
		{"same name among many", head + `,"b":[` + many(50, "member7") + `]}`, "structure", "Patient.b[0].member7", 1, 1013, "already"},
		{"lone surrogate", head + `,"a":"\ud800"}`, "structure", "Patient.a", 1, 32, "surrogate"},
		{"no escape", head + `,"a":"\q"}`, "structure", "Patient.a", 1, 32, "escape"},
		{"no UTF-8", head + ",\"a\":\"é\xff\"}", "structure", "Patient.a", 1, 33, "not UTF-8"},
		{"control character", head + ",\"a\":\"\x01\"}", "structure", "Patient.a", 1, 32, "U+0001"},
		{"string over the line", head + ",\"a\":\"x\n\"}", "structure", "Patient.a", 1, 33, "not closed"},
		{"string never closed", head + `,"a":"x`, "structure", "Patient.a", 1, 33, "ends within a string"},
		{"odd names", head + ",\"a b`\":{\"1\":x}}", "structure", "Patient.`a b\\``.`1`", 1, 39, "expected a value"},
		{"too deep", head + `,"a":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "}", "too-long",
			"Patient.a" + strings.Repeat("[0]", 511), 1, 542, "too deep"},
		{"array", ` ["resourceType"]`, "structure", "", 1, 2, "array"},
		{"string", `"Patient"`, "structure", "", 1, 1, "string"},
		{"no type", "\n{}", "invalid", "Resource", 2, 1, "resourceType"},
		{"type of no string", `{"resourceType":["Patient"]}`, "structure", "Resource.resourceType", 1, 17, "must be a string"},
		{"unknown type", `{"resourceType":"Pateint"}`, "invalid", "Resource.resourceType", 1, 17, `"Pateint"`},
		{"abstract type", `{"resourceType":"DomainResource"}`, "invalid", "Resource.resourceType", 1, 17, "DomainResource"},
		{"type of foreign characters", `{"resourceType":"a b"}`, "invalid", "Resource.resourceType", 1, 17, "names no resource type"},
		{"id of no string", head + `, "id": 1}`, "structure", "Patient.id", 1, 34, "must be a string"},
		{"null id", head + `,"id":null}`, "structure", "Patient.id", 1, 32, "must be a string"},
		{"empty id", head + `,"id":""}`, "value", "Patient.id", 1, 32, "64"},
		{"id with underscore", head + `,"id":"a_b"}`, "value", "Patient.id", 1, 32, "64"},
		{"id behind escaped quotes", "{ \"x\" : \"a\\\" \\\\\" ,\n \"resourceType\": \"Basic\", \"id\" : \"ä\" }", "value", "Basic.id", 2, 34, "64"},
		{"long id", head + `,"id":"` + strings.Repeat("a", 65) + `"}`, "value", "Patient.id", 1, 32, "64"},
		{"meta of no object", head + `,"meta":[]}`, "structure", "Patient.meta", 1, 34, "object"},
		{"version of no string", head + `,"meta":{"versionId":1}}`, "structure", "Patient.meta.versionId", 1, 47, "meta.versionId must be a string"},
		{"instant of no string", head + `,"meta":{"lastUpdated":{}}}`, "structure", "Patient.meta.lastUpdated", 1, 49, "must be a string"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			issues := issuesOf(t, fhir.NewParser(fhir.Limits{}), c.given)
			want := fhir.Issue{Severity: "error", Code: c.code, Line: c.line, Column: c.column}
			if c.expression != "" {
				want.Expression = []string{c.expression}
			}
			if diff := cmp.Diff([]fhir.Issue{want}, issues, cmpopts.IgnoreFields(fhir.Issue{}, "Details", "Offset")); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(issues[0].Details, c.says) {
				t.Errorf("%q does not say %q", issues[0].Details, c.says)
			}
		})
	}
}

func TestParse_tellsAllThatIsWrongWithTheHead(t *testing.T) {
	t.Parallel()
	issues := issuesOf(t, fhir.NewParser(fhir.Limits{}), `{"id":1,"meta":{"versionId":2,"lastUpdated":3}}`)
	if len(issues) != 4 {
		t.Errorf("%d issues: %+v", len(issues), issues)
	}
}

func TestParse_keepsItsLimits(t *testing.T) {
	t.Parallel()
	const text = `{"resourceType":"Patient","a":[]}`
	for _, limits := range []fhir.Limits{{}, {MaxBytes: len(text), MaxDepth: 2}, {MaxBytes: 1 << 62, MaxDepth: 1 << 62}} {
		if _, err := fhir.NewParser(limits).Parse([]byte(text)); err != nil {
			t.Errorf("%+v: %v", limits, err)
		}
	}
	p := fhir.NewParser(fhir.Limits{MaxBytes: len(text) - 1})
	issues := issuesOf(t, p, text)
	if _, err := p.Parse([]byte(text)); issues[0].Code != "too-long" || fault.KindOf(err) != fault.TooLarge || issues[0].Line != 0 {
		t.Errorf("%+v", issues)
	}
	if issues := issuesOf(t, fhir.NewParser(fhir.Limits{MaxDepth: 1}), text); issues[0].Code != "too-long" {
		t.Errorf("%+v", issues)
	}
	large := `{"resourceType":"Binary","data":"` + strings.Repeat("A", fhir.DefaultMaxBytes) + `"}`
	if _, err := fhir.NewParser(fhir.Limits{}).Parse([]byte(large)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("over the default limit: %v", err)
	}
}

func TestParse_ownsWhatItGivesAndShowsTheTape(t *testing.T) {
	t.Parallel()
	p := fhir.NewParser(fhir.Limits{})
	for _, text := range []string{
		` {"resourceType":"Patient","id":"\u0061","meta":{"versionId":"3","lastUpdated":"then"}} `,
		`{ "resourceType": "Patient", "id": "a", "meta": { "versionId": "3", "lastUpdated": "then" } }`,
	} {
		data := []byte(text)
		r, err := p.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for i := range data {
			data[i] = 'x'
		}
		if string(p.Doc().Bytes()) != string(r.Bytes()) || !p.Doc().Root().Member("id").Is("a") || p.Doc().Root().Member("x").Exists() {
			t.Errorf("the tape shows %s", p.Doc().Bytes())
		}
		if _, err := p.Parse([]byte(`[]`)); err == nil || p.Doc().Root().Exists() || p.Doc().Len() != 0 {
			t.Error("the tape of an error shows something")
		}
		if r.Type() != "Patient" || r.ID() != "a" || r.VersionID() != "3" || r.LastUpdated() != "then" || r.Code().String() != "Patient" {
			t.Errorf("%q %q %q %q", r.Type(), r.ID(), r.VersionID(), r.LastUpdated())
		}
	}
	var none fhir.Resource
	if none.Type() != "" || none.ID() != "" || none.VersionID() != "" || len(none.Bytes()) != 0 {
		t.Error("the zero Resource has something")
	}
	var zero fhir.Node
	if zero.Exists() || zero.Kind() != 0 || zero.First().Exists() || zero.Next().Exists() || zero.Member("a").Exists() || zero.Is("") {
		t.Error("the zero Node has something")
	}
}

func TestDoc_Path_leadsToEachNode(t *testing.T) {
	t.Parallel()
	p := fhir.NewParser(fhir.Limits{})
	if _, err := p.Parse([]byte(`{"name":[{"given":["a","b"]},[],{"x":{"y":1}}],"resourceType":"Patient","\u0069d":"a"}`)); err != nil {
		t.Fatal(err)
	}
	var paths []string
	var walk func(n fhir.Node)
	walk = func(n fhir.Node) {
		paths = append(paths, p.Doc().Path(n))
		for child := range n.Children() {
			walk(child)
		}
	}
	walk(p.Doc().Root())
	want := []string{"Patient", "Patient.name", "Patient.name[0]", "Patient.name[0].given", "Patient.name[0].given[0]",
		"Patient.name[0].given[1]", "Patient.name[1]", "Patient.name[2]", "Patient.name[2].x", "Patient.name[2].x.y",
		"Patient.resourceType", "Patient.id"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
}

func TestParser_allocatesOnlyWhatTheResourceOwns(t *testing.T) {
	p := fhir.NewParser(fhir.Limits{})
	compact := []byte(`{"resourceType":"Patient","id":"a","name":[{"given":["é"],"\u0061":1.0}],"x":` + many(40, "x") + `}`)
	spaced := []byte(" { \"resourceType\" : \"Patient\", \"id\":\"a\" , \"name\":[ {\"given\": [\"a\"] } ] } ")
	out := make([]byte, 0, 4096)
	for name, c := range map[string]struct {
		want float64
		work func()
	}{
		"borrow": {0, func() { p.Borrow(compact) }},
		"spaced": {0, func() { p.Borrow(spaced) }},
		"parse":  {1, func() { p.Parse(compact) }},
		"stamp": {0, func() {
			r, _ := p.Borrow(compact)
			out = r.AppendStamped(out[:0], "id", 7, when)
		}},
	} {
		if n := testing.AllocsPerRun(100, c.work); n != c.want {
			t.Errorf("%s: %v allocations, want %v", name, n, c.want)
		}
	}
}

func TestParse_refusesTheMalformedCases(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../shared/data"
	}
	data, err := os.ReadFile(filepath.Join(folder, "invalid/structural.json"))
	if err != nil {
		t.Skip("no test data: the malformed cases are left out")
	}
	var file struct {
		Cases []struct{ Name, JSON, Level string }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	p, refused := fhir.NewParser(fhir.Limits{}), 0
	for _, c := range file.Cases {
		if c.Level != "json" && c.Level != "limit" {
			continue
		}
		refused++
		if issue := issuesOf(t, p, c.JSON)[0]; issue.Code == "" || issue.Line == 0 || issue.Column == 0 || issue.Details == "" {
			t.Errorf("%s: a poor issue: %+v", c.Name, issue)
		}
	}
	if refused < 14 {
		t.Errorf("only %d cases seen", refused)
	}
}
