package fhir_test

import (
	"encoding/json"
	"errors"
	"testing"

	"tarn/fault"
	"tarn/fhir"
)

func TestOutcome_isAnOperationOutcome(t *testing.T) {
	t.Parallel()
	outcome := fhir.Outcome{Issues: []fhir.Issue{
		{Severity: "error", Code: "value", Details: "the \"date\" is\nwrong", Diagnostics: "see there",
			Expression: []string{"Patient.birthDate", "Patient.deceased"}, Line: 3, Column: 14, Offset: 99},
		{Severity: "warning", Code: "structure", Line: 1, Column: 1},
		{Severity: "fatal", Code: "too-long", Diagnostics: "over"},
	}}
	want := `{"resourceType":"OperationOutcome","issue":[` +
		`{"severity":"error","code":"value","details":{"text":"the \"date\" is\nwrong"},` +
		`"diagnostics":"see there at line 3, column 14, byte offset 99","location":["line 3, column 14"],` +
		`"expression":["Patient.birthDate","Patient.deceased"]},` +
		`{"severity":"warning","code":"structure","diagnostics":"line 1, column 1, byte offset 0","location":["line 1, column 1"]},` +
		`{"severity":"fatal","code":"too-long","diagnostics":"over"}]}`
	got, err := json.Marshal(outcome)
	if err != nil || string(got) != want {
		t.Errorf("\ngot  %s\nwant %s\n%v", got, want, err)
	}
	if r, err := fhir.NewParser(fhir.Limits{}).Parse(got); err != nil || r.Type() != "OperationOutcome" {
		t.Errorf("%q %v", r.Type(), err)
	}
	const well = `{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational","details":{"text":"all went well"}}]}`
	if got := string(fhir.Outcome{}.AppendJSON(nil)); got != well {
		t.Errorf("got %s", got)
	}
}

func TestOutcomeError_hasKindAndSentence(t *testing.T) {
	t.Parallel()
	issue := fhir.Issue{Severity: "error", Code: "value", Details: "is wrong", Expression: []string{"Patient.id"}, Line: 1, Column: 2}
	cases := []struct {
		issues []fhir.Issue
		want   string
	}{
		{nil, "refused"},
		{[]fhir.Issue{issue}, "Patient.id: is wrong (line 1, column 2)"},
		{[]fhir.Issue{{Diagnostics: "odd"}, issue, issue}, "odd, and 2 more"},
	}
	for _, c := range cases {
		err := fault.Wrap("outer", fhir.NewOutcomeError(fault.Conflict, "op", c.issues...))
		var outcome *fhir.OutcomeError
		if !errors.As(err, &outcome) || outcome.Kind != fault.Conflict || fault.KindOf(err) != fault.Conflict ||
			len(outcome.Outcome().Issues) != len(c.issues) {
			t.Errorf("%v leads to %+v", err, outcome)
		}
		if got := fault.Message(err); got != c.want {
			t.Errorf("message %q, want %q", got, c.want)
		}
	}
}
