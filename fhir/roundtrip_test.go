package fhir_test

import (
	"testing"

	"tarn/fhir"
)

// The official examples and two Synthea populations come back byte for byte, but for id and meta.
func TestRoundTrip_keepsAllBytes(t *testing.T) {
	t.Parallel()
	for pattern, nth := range map[string]int64{"r4-examples/*.ndjson.gz": 2, "synthea/*.ndjson.gz": 97, "synthea-v3/*.ndjson.gz": 11} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			count := 0
			for name, lines := range samples(t, pattern, nth) {
				p := fhir.NewParser(fhir.Limits{})
				for _, line := range lines {
					count++
					checkStamped(t, p, line, "new-id", 12, when)
					doc, err := p.Scan(line)
					if err != nil {
						t.Fatal(err)
					}
					if err := sameAsTokens(doc, line); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
			}
			if count < 100 {
				t.Errorf("only %d resources seen", count)
			}
		})
	}
}
