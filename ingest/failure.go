package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tarn/fault"
	"tarn/fhir"
)

// maxFailures bounds the failures of one batch, so that its piece of the log fits a rider.
const maxFailures = 500

// failure is one line of a failure log, as HealthLake writes it.
type failure struct {
	LineID   int64       `json:"lineId"` // from 1
	Response failureBody `json:"UpdateResourceResponse"`
}

type failureBody struct {
	Outcome fhir.Outcome `json:"jsonBlob"`
	Status  int          `json:"statusCode"`
}

// failureOf says why a line was not stored. It repeats nothing of the line.
func failureOf(line int64, err error) failure {
	f := failure{LineID: line, Response: failureBody{Status: 400}}
	if fault.Is(err, fault.TooLarge) {
		f.Response.Status = 413
	}
	var known *fhir.OutcomeError
	if errors.As(err, &known) {
		for _, i := range known.Issues {
			if i.Diagnostics == "" { // where HealthLake's logs say it
				i.Diagnostics, i.Details = i.Details, ""
			}
			if i.Line > 0 { // of the line alone; its number stands beside
				i.Diagnostics += fmt.Sprintf(" (column %d)", i.Column)
				i.Line, i.Column, i.Offset = 0, 0, 0
			}
			f.Response.Outcome.Issues = append(f.Response.Outcome.Issues, i)
		}
		return f
	}
	f.Response.Outcome.Issues = []fhir.Issue{{Severity: fhir.SeverityError, Code: "processing", Diagnostics: fault.Message(err)}}
	return f
}

// insert keeps failures in the order of their lines.
func insert(all []failure, f failure) []failure {
	i, _ := slices.BinarySearchFunc(all, f.LineID, func(a failure, line int64) int { return int(a.LineID - line) })
	return slices.Insert(all, i, f)
}

// failureLog is the text of failures, a line each.
func failureLog(all []failure) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, f := range all {
		_ = e.Encode(f) // to memory, and of plain values: it cannot fail
	}
	return b.Bytes()
}
