package index_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
)

// Whatever is asked: a filter, or an error that names the parameter.
func FuzzCompile(f *testing.F) {
	// Of each type of parameter the first ones that are found, with values in every form that they know, and one that they do not.
	values := map[r4.ParamType][][2]string{
		r4.ParamToken:     {{"", "a|b"}, {"", "|b"}, {"", "a|"}, {"", `a\|b\\`}, {"not", "a"}, {"text", "a"}, {"of-type", "a|b|c"}, {"in", "http://a"}, {"above", "a|b"}, {"below", "a|b"}, {"missing", "true"}},
		r4.ParamDate:      {{"", "ge2020-01-01T10:00:00Z"}, {"", "ap2020"}, {"", "sa2020-02-29T24:00"}, {"", "eb2020-01-01T10:00:00.123 01:00"}, {"", "ne2020-13"}},
		r4.ParamNumber:    {{"", "ap-5.40"}, {"", "1e2"}, {"", "le.5"}, {"", "sa1e1001"}},
		r4.ParamQuantity:  {{"", "5.4|http://unitsofmeasure.org|mg"}, {"", "ap98.6|http://unitsofmeasure.org|[degF]"}, {"", "ne5||mg"}, {"", "lt5|a|"}, {"", "5|a"}},
		r4.ParamReference: {{"", "Patient/1"}, {"", "1"}, {"", "http://a/b/Patient/1/_history/2"}, {"", "urn:uuid:x"}, {"identifier", "a|b"}, {"identifier", "|b"}, {"Patient", "1"}, {"below", "http://a/b|1"}, {"above", "http://a/b"}, {"", "#a"}},
		r4.ParamComposite: {{"", "a$b"}, {"", "a|b$ap5.4||mg"}, {"", `a\$b$ge2020`}, {"", "a$b$c"}},
		r4.ParamString:    {{"", "É x"}, {"exact", "É x"}, {"contains", "x"}, {"missing", "false"}},
		r4.ParamURI:       {{"", "http://a/b|1"}, {"below", "http://a/b/"}, {"above", "http://a/b/c"}, {"above", "urn:x"}},
		r4.ParamSpecial:   {{"", "1|2|3|km"}, {"", "90|-180"}, {"", "1|2||[mi_i]"}, {"", "1|2|-3"}, {"missing", "true"}},
	}
	for of, forms := range values {
		places := 0
		for code := r4.Code(1); code <= r4.Count && places < 3; code++ {
			at := slices.IndexFunc(code.Params(), func(p *r4.SearchParam) bool {
				return p.Type == of && p.Expression != "" && !strings.HasPrefix(p.Name, "_")
			})
			if at < 0 {
				continue
			}
			places++
			for _, s := range forms {
				f.Add(uint16(code-1), uint16(at), s[0], s[1])
			}
		}
		if places == 0 {
			f.Fatalf("there is no parameter of type %s", of)
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
