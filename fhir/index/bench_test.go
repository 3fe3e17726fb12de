package index_test

import (
	"path/filepath"
	"testing"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
)

const laboratory = `{"resourceType":"Observation","id":"1","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"2339-0","display":"Glucose"}],"text":"Glucose"},"subject":{"reference":"Patient/018f428e-34f6-4707-8009-5ad742f901e7"},"encounter":{"reference":"Encounter/a87b575f-a10e-4079-9e9e-e378729e422d"},"effectiveDateTime":"2018-06-12T10:00:00-04:00","issued":"2018-06-12T10:00:00.123-04:00","valueQuantity":{"value":89.21,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}}`

// parsedDoc is a document with a parser of its own.
func parsedDoc(tb testing.TB, line []byte) (*fhir.Doc, r4.Code) {
	tb.Helper()
	doc, err := fhir.NewParser(fhir.Limits{}).Scan(line)
	if err != nil {
		tb.Fatal(err)
	}
	typ, _ := r4.CodeOfBytes(doc.Root().Member("resourceType").Text())
	return doc, typ
}

func TestExtract_doesNotAllocate(t *testing.T) {
	x := index.NewExtractor()
	for _, text := range []string{laboratory, `{"resourceType":"Patient","name":[{"family":"M\u00fcller","given":["Élodie"]}],"birthDate":"2000","address":[{"city":"Zürich"}]}`} {
		doc, typ := parsedDoc(t, []byte(text))
		x.Extract(doc, typ)
		if n := testing.AllocsPerRun(100, func() { x.Extract(doc, typ) }); n != 0 {
			t.Errorf("%s: %v allocations", typ, n)
		}
	}
}

func BenchmarkExtract_laboratory(b *testing.B) {
	x := index.NewExtractor()
	doc, typ := parsedDoc(b, []byte(laboratory))
	b.ReportAllocs()
	for b.Loop() {
		x.Extract(doc, typ)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}

// The mean over a Synthea population, each type by its share; half a line in a hundred of the large files.
func BenchmarkExtract_synthea(b *testing.B) {
	files, _ := filepath.Glob(filepath.Join(dataFolder(), "synthea/*.ndjson.gz"))
	var docs []*fhir.Doc
	var types []r4.Code
	size := 0
	for _, f := range files {
		for line := range sample(b, f, 200, 1<<30) {
			doc, typ := parsedDoc(b, line)
			docs, types = append(docs, doc), append(types, typ)
			size += len(line)
		}
	}
	if len(docs) == 0 {
		b.Skip("no samples are here")
	}
	x := index.NewExtractor()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		x.Extract(docs[i%len(docs)], types[i%len(docs)])
		i++
	}
	b.SetBytes(int64(size / len(docs)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}

func BenchmarkFilter(b *testing.B) {
	r := read(b, laboratory)
	for _, q := range []string{"code=http://loinc.org|2339-0", "date=ge2018", "value-quantity=gt0.5|http://unitsofmeasure.org|g/L", "code:text=glu", "code-value-quantity=2339-0$gt50"} {
		f, err := compile(r.typ, q, env)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(q, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Match(r.kept)
			}
		})
	}
}
