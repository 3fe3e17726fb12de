package validate_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/validate"
)

func TestAppendTolerated_putsTheIssuesIntoMeta(t *testing.T) {
	t.Parallel()
	issues := []fhir.Issue{{Severity: "error", Code: "value", Details: `a "word"`, Expression: []string{"Patient.x"}}}
	old := `{"url":"` + validate.ToleratedURL + `","valueString":"old"}`
	for given, want := range map[string]string{
		`{"resourceType":"Patient"}`:                                                      `{"resourceType":"Patient","meta":{"extension":[E]}}`,
		`{"id":"a","resourceType":"Patient","x":1.0}`:                                     `{"id":"a","resourceType":"Patient","meta":{"extension":[E]},"x":1.0}`,
		`{"resourceType":"Patient","meta":{}}`:                                            `{"resourceType":"Patient","meta":{"extension":[E]}}`,
		`{"resourceType":"Patient","meta":{"source":"s"}}`:                                `{"resourceType":"Patient","meta":{"extension":[E],"source":"s"}}`,
		`{"resourceType":"Patient","meta":{"extension":[]}}`:                              `{"resourceType":"Patient","meta":{"extension":[E]}}`,
		`{"resourceType":"Patient","meta":{"extension":"s"}}`:                             `{"resourceType":"Patient","meta":{"extension":"s"}}`,
		`{"resourceType":"Patient","meta":{"extension":[{"url":"u"},` + old + `]},"x":1}`: `{"resourceType":"Patient","meta":{"extension":[{"url":"u"},E]},"x":1}`,
	} {
		p := fhir.NewParser(fhir.Limits{})
		if _, err := p.Parse([]byte(given)); err != nil {
			t.Fatal(err)
		}
		got := string(validate.AppendTolerated(nil, p.Doc(), issues))
		text, _ := json.Marshal(string(fhir.Outcome{Issues: issues}.AppendJSON(nil)))
		if want := strings.Replace(want, "E", `{"url":"`+validate.ToleratedURL+`","valueString":`+string(text)+`}`, 1); got != want {
			t.Errorf("%s became %s, want %s", given, got, want)
		}
		if _, err := p.Parse([]byte(got)); err != nil {
			t.Errorf("%s: %v", got, err)
		}
	}
}
