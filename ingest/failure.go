package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir"
)

// Bounds of what is told of failures, so that the log of one batch fits a rider whatever the input holds.
const (
	maxFailures = 500       // lines in a batch
	maxLogPiece = 512 << 10 // bytes of them
	maxIssues   = 10        // of one line
	maxText     = 500       // characters of one issue
)

// failure is one line of a failure log.
type failure struct {
	line int64
	text []byte
}

// failureLine is a line of a log as HealthLake writes it.
type failureLine struct {
	LineID   int64       `json:"lineId"` // from 1
	Response failureBody `json:"UpdateResourceResponse"`
}

type failureBody struct {
	Outcome fhir.Outcome `json:"jsonBlob"`
	Status  int          `json:"statusCode"`
}

// failureOf says why a line was not stored.
func failureOf(line int64, err error) failure {
	f := failureLine{LineID: line, Response: failureBody{Status: 400}}
	if fault.Is(err, fault.TooLarge) {
		f.Response.Status = 413
	}
	var known *fhir.OutcomeError
	if !errors.As(err, &known) {
		known = &fhir.OutcomeError{Issues: []fhir.Issue{{Severity: fhir.SeverityError, Code: "processing", Diagnostics: fault.Message(err)}}}
	}
	for _, i := range known.Issues[:min(len(known.Issues), maxIssues)] {
		if i.Diagnostics == "" { // where HealthLake's logs say it
			i.Diagnostics, i.Details = i.Details, ""
		}
		i.Details, i.Diagnostics = short(i.Details), short(i.Diagnostics)
		i.Expression = slices.Clone(i.Expression[:min(len(i.Expression), maxIssues)])
		for n := range i.Expression {
			i.Expression[n] = short(i.Expression[n])
		}
		if i.Line > 0 { // of the line alone; its number stands beside
			i.Diagnostics += fmt.Sprintf(" (column %d)", i.Column)
			i.Line, i.Column, i.Offset = 0, 0, 0
		}
		f.Response.Outcome.Issues = append(f.Response.Outcome.Issues, i)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(f) // to memory, and of plain values: it cannot fail
	return failure{line, b.Bytes()}
}

// short is a text of at most maxText characters, valid UTF-8.
func short(s string) string {
	n := 0
	for i := range s {
		if n++; n > maxText {
			return strings.ToValidUTF8(s[:i], "?") + "..."
		}
	}
	return strings.ToValidUTF8(s, "?")
}

// insert keeps failures in the order of their lines.
func insert(all []failure, f failure) []failure {
	i, _ := slices.BinarySearchFunc(all, f.line, func(a failure, line int64) int {
		if a.line < line {
			return -1
		}
		return 1
	})
	return slices.Insert(all, i, f)
}

// logPiece is the text of a batch's failures, a line each. What has no room is counted and not told.
func logPiece(all []failure) []byte {
	var b []byte
	for _, f := range all {
		if len(b)+len(f.text) <= 2*maxLogPiece-4096 {
			b = append(b, f.text...)
		}
	}
	return b
}
