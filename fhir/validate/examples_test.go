package validate_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/validate"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares lines with a file of testdata, or writes it.
func golden(t *testing.T, file string, got []string) {
	t.Helper()
	text := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.WriteFile("testdata/"+file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("testdata/%s differs (write it anew with -update); got:\n%s", file, text)
	}
}

// TestExamples holds which of HL7's own examples the definitions truly reject: testdata/examples.txt is the list.
func TestExamples_areValidButForThoseListed(t *testing.T) {
	t.Parallel()
	files := samples(t, "r4-examples/*.ndjson.gz", 1)
	if len(files) == 0 {
		t.Skip("HL7's examples are not here: that all of them can be stored is left out")
	}
	p, v := fhir.NewParser(fhir.Limits{}), validate.New()
	var refused []string
	count := 0
	for name, lines := range files {
		for _, line := range lines {
			count++
			res, err := p.Borrow(line)
			if err != nil {
				refused = append(refused, fmt.Sprintf("%s: %v", strings.TrimSuffix(name, ".ndjson.gz"), err))
				continue
			}
			issues := v.Check(p.Doc(), validate.Options{Source: line, Quiet: true})
			if len(issues) > 0 {
				first := issues[0]
				more := ""
				if len(issues) > 1 {
					more = fmt.Sprintf(" (and %d more)", len(issues)-1)
				}
				refused = append(refused, fmt.Sprintf("%s/%s: %s [%s]%s", res.Type(), res.ID(), first.Details, first.Expression[0], more))
			}
		}
	}
	slices.Sort(refused)
	golden(t, "examples.txt", refused)
	t.Logf("%d examples, %d refused", count, len(refused))
}

func TestSynthea_isValid(t *testing.T) {
	t.Parallel()
	nth := int64(10)
	if testing.Short() {
		nth = 100
	}
	for _, pattern := range []string{"synthea/*.ndjson.gz", "synthea-v3/*.ndjson.gz"} {
		files := samples(t, pattern, nth)
		if len(files) == 0 {
			t.Logf("%s is not here and left out", pattern)
		}
		p, v := fhir.NewParser(fhir.Limits{}), validate.New()
		for name, lines := range files {
			for _, line := range lines {
				res, err := p.Borrow(line)
				if err != nil {
					t.Fatal(err)
				}
				if issues := v.Check(p.Doc(), validate.Options{Source: line, Quiet: true}); issues != nil {
					t.Errorf("%s %s/%s: %+v", name, res.Type(), res.ID(), issues)
				}
			}
		}
	}
}
