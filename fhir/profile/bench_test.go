package profile_test

import (
	"testing"

	"tarn/fhir"
)

// The figures of a resource that fits its profile: no issues.
func BenchmarkCheck(b *testing.B) {
	set := setOf(b, usCore()...)
	for _, one := range []struct{ name, resource, url string }{
		{"patient", usPatient, uscore + "us-core-patient"},
		{"pressure", usPressure, uscore + "us-core-blood-pressure"},
	} {
		b.Run(one.name, func(b *testing.B) {
			parser := fhir.NewParser(fhir.Limits{})
			if _, err := parser.Parse([]byte(one.resource)); err != nil {
				b.Fatal(err)
			}
			doc := parser.Doc()
			report := func(i fhir.Issue) { b.Fatal(i.Details) }
			b.ReportAllocs()
			for b.Loop() {
				set.Check(doc, doc.Root(), one.url, report)
				set.Extensions(doc, report)
			}
		})
	}
}
