package validate_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/fhir/validate"
)

// material reads a file of the test data, or skips the test.
func material(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(shared(path))
	if err != nil {
		t.Skipf("no test data: %s is left out", path)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// verdict is what is wrong with a text as a resource; empty: nothing.
func verdict(text []byte) string {
	p := fhir.NewParser(fhir.Limits{})
	if _, err := p.Parse(text); err != nil {
		return "not read"
	}
	for _, issue := range validate.New().Check(p.Doc(), validate.Options{Source: text, Quiet: true}) {
		return issue.Code
	}
	return ""
}

func TestStructural_allAreRefused(t *testing.T) {
	t.Parallel()
	var cases struct {
		Cases []struct{ Name, JSON, Wrong string }
	}
	material(t, "invalid/structural.json", &cases)
	if len(cases.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases.Cases {
		if verdict([]byte(c.JSON)) == "" {
			t.Errorf("%s is let pass: %s", c.Name, c.Wrong)
		}
	}
}

func TestPrimitives_areAsExpected(t *testing.T) {
	t.Parallel()
	var cases struct {
		Cases []struct {
			Type, JSON string
			Valid      bool
		}
	}
	material(t, "invalid/primitives.json", &cases)
	if len(cases.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range cases.Cases {
		var ok bool
		if c.Type == "xhtml" { // alone, since a narrative asks for more
			p := fhir.NewParser(fhir.Limits{})
			doc, err := p.Scan([]byte(c.JSON))
			ok = err == nil && validate.New().PrimitiveForTest(r4.XHTML, doc.Root()) == ""
		} else {
			name := ""
			for word := range strings.SplitSeq(c.Type, "_") {
				name += strings.ToUpper(word[:1]) + word[1:]
			}
			extension := `,"extension":[{"url":"http://example.org/x","value` + name + `":` + c.JSON + `}]`
			if c.JSON == "null" { // stands for a missing value
				extension = ""
			}
			if strings.Contains(c.JSON, "#p1") { // needs what it points to
				extension += `,"contained":[{"resourceType":"Patient","id":"p1"}]`
			}
			ok = verdict([]byte(`{"resourceType":"Basic","code":{"text":"x"}`+extension+`}`)) == ""
		}
		if ok != c.Valid {
			t.Errorf("%s %s: valid %v, want %v", c.Type, c.JSON, ok, c.Valid)
		}
	}
}

// TestHL7Validator compares with the verdicts of HL7's validator. Those that depend on terminology, other resources or
// taste are listed with ours in testdata/verdicts.txt.
func TestHL7Validator_hasTheSameVerdicts(t *testing.T) {
	t.Parallel()
	var cases struct {
		Cases []struct{ Name, File, Verdict string }
	}
	material(t, "invalid/hl7-validator.expected.json", &cases)
	if len(cases.Cases) == 0 {
		t.Fatal("no cases")
	}
	var list []string
	for _, c := range cases.Cases {
		text, err := os.ReadFile(shared("invalid/hl7-validator/" + c.File))
		if err != nil {
			t.Fatal(err)
		}
		why := verdict(text)
		ours := "accept"
		if why != "" {
			ours = "reject (" + why + ")"
		}
		if c.Verdict != "depends" && !strings.HasPrefix(ours, c.Verdict) {
			t.Errorf("%s (%s): %s, want %s", c.Name, c.File, ours, c.Verdict)
		}
		list = append(list, fmt.Sprintf("%s: %s, ours %s", c.Name, c.Verdict, ours))
	}
	golden(t, "verdicts.txt", list)
}
