package validate_test

import (
	"testing"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/validate"
	"tarn/synth"
)

// lines are a proportional sample of the Synthea population, or of our own where it is absent.
func lines(b *testing.B) (all [][]byte) {
	for _, file := range samples(b, "synthea/*.ndjson.gz", 20) {
		all = append(all, file...)
	}
	if len(all) > 0 {
		return all
	}
	b.Log("no Synthea data: measured on our own population")
	for r := range synth.Population(synth.Options{Seed: 1, Patients: 30}) {
		all = append(all, append([]byte(nil), r.JSON...))
	}
	return all
}

// run measures work on lines, in bytes and resources a second.
func run(b *testing.B, lines [][]byte, work func(line []byte)) {
	total := 0
	for _, line := range lines {
		total += len(line)
	}
	b.SetBytes(int64(total))
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			work(line)
		}
	}
	b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "resources/s")
}

func BenchmarkParse(b *testing.B) {
	p := fhir.NewParser(fhir.Limits{})
	run(b, lines(b), func(line []byte) {
		if _, err := p.Borrow(line); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkParseAndCheck(b *testing.B) {
	p, v := fhir.NewParser(fhir.Limits{}), validate.New()
	run(b, lines(b), func(line []byte) {
		if _, err := p.Borrow(line); err != nil {
			b.Fatal(err)
		}
		if issues := v.Check(p.Doc(), validate.Options{Source: line}); issues != nil {
			b.Fatal(issues)
		}
	})
}

// BenchmarkParseCheckAndExtract is all that a write does before it waits for its commit.
func BenchmarkParseCheckAndExtract(b *testing.B) {
	p, v, x := fhir.NewParser(fhir.Limits{}), validate.New(), index.NewExtractor()
	entries := 0
	run(b, lines(b), func(line []byte) {
		res, err := p.Borrow(line)
		if err != nil {
			b.Fatal(err)
		}
		if issues := v.Check(p.Doc(), validate.Options{Source: line}); issues != nil {
			b.Fatal(issues)
		}
		entries += len(x.Extract(p.Doc(), res.Code()))
	})
}
