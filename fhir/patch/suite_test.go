package patch_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir"
	"tarn/fhir/patch"
)

// suite reads a file of HL7's cases, and skips the test where it is not there.
func suite(t *testing.T, name string) []byte {
	t.Helper()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	data, err := os.ReadFile(filepath.Join(folder, "suites/fhir-patch", name))
	if err != nil {
		t.Skipf("HL7's cases of %s are not here: they are left out", name)
	}
	return data
}

func TestApply_passesTheCasesOfJSONPatch(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Comment, Error       string
		Doc, Patch, Expected json.RawMessage
	}
	if err := json.Unmarshal(suite(t, "json-patch-tests.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got, err := applyJSON(string(c.Patch), string(c.Doc))
		if (err != nil) != (c.Error != "") {
			t.Errorf("%s: error %v, want %q", c.Comment, err, c.Error)
		}
		if err == nil {
			if diff := cmp.Diff(decoded(t, c.Expected), decoded(t, got)); diff != "" {
				t.Errorf("%s: %s", c.Comment, diff)
			}
		}
	}
	t.Logf("%d cases", len(cases))
}

func applyJSON(operations, doc string) ([]byte, error) {
	p, err := patch.ParseJSON([]byte(operations), fhir.Limits{})
	if err != nil {
		return nil, err
	}
	return p.Apply([]byte(doc))
}

func applyPath(parameters, doc string) ([]byte, error) {
	p, err := patch.ParseParameters([]byte(parameters), fhir.Limits{})
	if err != nil {
		return nil, err
	}
	return p.Apply([]byte(doc))
}

func decoded(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return v
}

// inner is an element of which the content is kept as it stands.
type inner struct {
	XML string `xml:",innerxml"`
}

func TestApply_passesTheCasesOfFHIRPathPatch(t *testing.T) {
	t.Parallel()
	var all struct {
		Case []struct {
			Name  string `xml:"name,attr"`
			Error *struct {
				Msg string `xml:"msg,attr"`
			} `xml:"error"`
			Input  inner `xml:"input"`
			Diff   inner `xml:"diff"`
			Output inner `xml:"output"`
		} `xml:"case"`
	}
	if err := xml.Unmarshal(suite(t, "fhir-patch-tests.xml"), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Case {
		input, diff := jsonOf(t, c.Input.XML), jsonOf(t, c.Diff.XML)
		got, err := applyPath(string(diff), string(input))
		if (err != nil) != (c.Error != nil) {
			t.Errorf("%s: error %v, want %+v", c.Name, err, c.Error)
		}
		if err == nil {
			if diff := cmp.Diff(decoded(t, plain(jsonOf(t, c.Output.XML))), decoded(t, plain(got))); diff != "" {
				t.Errorf("%s: %s\n%s", c.Name, diff, got)
			}
		}
	}
	if len(all.Case) < 33 {
		t.Errorf("%d cases, there should be 33", len(all.Case))
	}
}

var spaces = regexp.MustCompile(`(\\n|\s)+`)

// plain makes one space of all white space: that of narrative differs between the XML and the JSON form.
func plain(data []byte) []byte { return spaces.ReplaceAll(data, []byte(" ")) }
