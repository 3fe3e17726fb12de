package synth_test

import (
	"testing"

	"tarn/fhir"
	"tarn/fhir/validate"
	"tarn/synth"
)

func TestPopulation_isValid(t *testing.T) {
	t.Parallel()
	p, v := fhir.NewParser(fhir.Limits{}), validate.New()
	failed := 0
	for r := range synth.Population(synth.Options{Seed: 7, Patients: 60}) {
		if _, err := p.Borrow(r.JSON); err != nil {
			t.Fatal(err)
		}
		for _, issue := range v.Check(p.Doc(), validate.Options{}) {
			t.Errorf("%s/%s: %s %v: %s", r.Type, r.ID, issue.Severity, issue.Expression, issue.Details)
			failed++
		}
		if failed > 20 {
			t.FailNow()
		}
	}
}
