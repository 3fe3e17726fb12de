package fhir_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"tarn/fhir"
)

// syntheaLines is a proportional sample of a Synthea population.
func syntheaLines(b *testing.B) (lines [][]byte) {
	for _, file := range samples(b, "synthea/*.ndjson.gz", 20) {
		lines = append(lines, file...)
	}
	return lines
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

func BenchmarkScan(b *testing.B) {
	p := fhir.NewParser(fhir.Limits{})
	run(b, syntheaLines(b), func(line []byte) {
		if _, err := p.Scan(line); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	p := fhir.NewParser(fhir.Limits{})
	run(b, syntheaLines(b), func(line []byte) {
		if _, err := p.Parse(line); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkBorrowAndStamp is what an import does to each line.
func BenchmarkBorrowAndStamp(b *testing.B) {
	p := fhir.NewParser(fhir.Limits{})
	var out []byte
	run(b, syntheaLines(b), func(line []byte) {
		r, err := p.Borrow(line)
		if err != nil {
			b.Fatal(err)
		}
		out = r.AppendStamped(out[:0], "0123456789abcdef", 3, 1767225600000)
	})
}

func BenchmarkParseIndented(b *testing.B) {
	p := fhir.NewParser(fhir.Limits{})
	lines := syntheaLines(b)
	for i, line := range lines {
		var indented bytes.Buffer
		if err := json.Indent(&indented, line, "", "  "); err != nil {
			b.Fatal(err)
		}
		lines[i] = indented.Bytes()
	}
	run(b, lines, func(line []byte) {
		if _, err := p.Parse(line); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkWalk(b *testing.B) {
	p := fhir.NewParser(fhir.Limits{})
	count := 0
	var walk func(n fhir.Node)
	walk = func(n fhir.Node) {
		for child := n.First(); child.Exists(); child = child.Next() {
			count += len(child.Key())
			walk(child)
		}
	}
	run(b, syntheaLines(b), func(line []byte) {
		doc, err := p.Scan(line)
		if err != nil {
			b.Fatal(err)
		}
		walk(doc.Root())
	})
}

// BenchmarkPeer is the strict check of jsontext, for comparison.
func BenchmarkPeer(b *testing.B) {
	run(b, syntheaLines(b), func(line []byte) {
		if !jsontext.Value(line).IsValid() {
			b.Fatal("refused")
		}
	})
}
