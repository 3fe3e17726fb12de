package index_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
)

// Whatever is asked: a filter, or an error that names the parameter.
func FuzzCompile(f *testing.F) {
	for _, s := range [][2]string{{"", "a|b"}, {"", "ge2020-01-01T10:00:00Z"}, {"", "5.4|http://unitsofmeasure.org|mg"}, {"missing", "true"}, {"not", "a"},
		{"", "Patient/1"}, {"identifier", "a|b"}, {"", "a$b"}, {"of-type", "a|b|c"}, {"", `a\|b\\`}, {"", "1|2|3|km"}, {"below", "http://a/b|1"}} {
		for n := range 20 {
			f.Add(uint16(n*7), uint16(n*13), s[0], s[1])
		}
	}
	f.Fuzz(func(t *testing.T, typ, param uint16, modifier, value string) {
		code := r4.Code(typ%r4.Count + 1)
		params := code.Params()
		p := params[int(param)%len(params)]
		filter, err := index.Compile(code, p, modifier, strings.Split(value, ","), env)
		if err == nil {
			filter.Match(nil)
			for _, r := range filter.Ranges() {
				filter.Accept(r.Param, r.From)
				filter.Accept(r.Param, append(bytes.Clone(r.From), 0x01, 0x05))
			}
			return
		}
		var outcome *fhir.OutcomeError
		if !errors.As(err, &outcome) || !strings.Contains(outcome.Issues[0].Details, p.Name) {
			t.Errorf("%v", err)
		}
	})
}

// Whatever the document: no panic, and the same parameters are there by each reckoning.
func FuzzExtract(f *testing.F) {
	for _, s := range []string{`{"resourceType":"Observation","code":{"coding":[{"system":"a","code":"b"}]},"valueQuantity":{"value":-1.5e-7,"comparator":"<"},"component":[{"code":{},"valueString":"x"}]}`,
		`{"resourceType":"Patient","name":[{"family":"é\u0000","given":[null,"a"]}],"birthDate":"2020-02-30","telecom":[{"system":"phone"}],"deceasedBoolean":false}`,
		`{"resourceType":"Location","position":{"latitude":1e99,"longitude":-7}}`, `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Composition"}}]}`,
		`{"resourceType":"MolecularSequence","variant":[{"start":1,"end":2}],"referenceSeq":{"windowStart":1}}`,
		`{"resourceType":"Observation","subject":{"reference":"#"},"effectiveTiming":{"event":["2020",1]},"valueSampledData":{"data":"1 2 E","factor":0}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := fhir.NewParser(fhir.Limits{}).Scan(text)
		if err != nil {
			return
		}
		typ := r4.Code(len(text)%r4.Count + 1)
		if name := doc.Root().Member("resourceType"); name.Kind() == fhir.String {
			if code, ok := r4.CodeOfBytes(name.Text()); ok {
				typ = code
			}
		}
		full := index.NewExtractor().ExtractOwned(doc, typ)
		kept := keep(full)
		for _, e := range full {
			if len(e.Value) == 0 || e.Value[0] == 0 {
				t.Fatalf("the value %q", e.Value)
			}
		}
		for _, p := range typ.Params() {
			missing, err := index.Compile(typ, p, "missing", []string{"true"}, env)
			if err != nil {
				continue
			}
			if got, want := missing.Match(kept), missing.MatchFull(full); got != index.Unsure && (got == index.Yes) != want {
				t.Errorf("%s: %v, %v", p.Name, got, want)
			}
		}
	})
}
