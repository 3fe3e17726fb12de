package ingest_test

import (
	"strings"
	"testing"

	"tarn/fhir/r4"
	"tarn/job"
)

// TestImport_validatesByItsLevel imports a sound line, one that breaks FHIR R4, and one that the store cannot hold.
func TestImport_validatesByItsLevel(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]struct {
		imported int64
		lines    string
	}{"": {1, "2 3"}, "strict": {1, "2 3"}, "structure-only": {1, "2 3"}, "minimal": {2, "3"}} {
		t.Run("level "+level, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.cloud.set("in/a.ndjson", `{"resourceType":"Patient","id":"a","gender":"male"}`+"\n"+
				`{"resourceType":"Patient","id":"b","gender":"m","hairColour":1.50}`+"\n"+`{"resourceType":"Patient","id":"c d"}`+"\n")
			r := w.request()
			r.ValidationLevel = level
			rec, err := w.svc.Start(t.Context(), r)
			must(t, err)
			w.work()
			got := w.describe(rec)
			if got.State != job.CompletedWithErrors || got.Progress.Resources != want.imported {
				t.Fatalf("%s: %s, %+v", got.State, got.Message, got.Progress)
			}
			log := w.output(rec)["FAILURE/a.ndjson"]
			var lines []string
			for _, n := range []string{"1", "2", "3"} {
				if strings.Contains(log, `"lineId":`+n+`,`) {
					lines = append(lines, n)
				}
			}
			if strings.Join(lines, " ") != want.lines {
				t.Errorf("lines %v failed, want %s: %s", lines, want.lines, log)
			}
			if want.imported == 1 && (!strings.Contains(log, "administrative-gender") || !strings.Contains(log, `"Patient.hairColour"`)) {
				t.Errorf("not all issues of a line are told: %s", log)
			}
			if want.imported == 2 {
				v, err := w.data.Latest(t.Context())
				must(t, err)
				defer v.Close()
				code, _ := r4.CodeOf("Patient")
				stored, err := v.Read(t.Context(), code, "b")
				must(t, err)
				if text := string(stored.Body); !strings.Contains(text, `"hairColour":1.50`) || !strings.Contains(text, "validation-issue") {
					t.Errorf("stored as %s", text)
				}
			}
		})
	}
}
