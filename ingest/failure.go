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

// Bounds of what is told of failures, so that what is kept of one batch is little whatever the input holds.
const (
	maxFailures = 500       // lines in a batch
	maxLogPiece = 512 << 10 // bytes of them
	maxNoted    = 4 << 20   // bytes that are told of what was tolerated in the lines of a batch
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
	f.Response.Outcome.Issues = told(known.Issues)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(f) // to memory, and of plain values: it cannot fail
	return failure{line, b.Bytes()}
}

// told is what a log tells of issues: not too many, and not too much of each.
func told(all []fhir.Issue) (short []fhir.Issue) {
	for _, i := range all[:min(len(all), maxIssues)] {
		if i.Diagnostics == "" { // where HealthLake's logs say it
			i.Diagnostics, i.Details = i.Details, ""
		}
		i.Details, i.Diagnostics = cut(i.Details), cut(i.Diagnostics)
		i.Expression = slices.Clone(i.Expression[:min(len(i.Expression), maxIssues)])
		for n := range i.Expression {
			i.Expression[n] = cut(i.Expression[n])
		}
		if i.Line > 0 { // of the line alone; its number stands beside
			i.Diagnostics += fmt.Sprintf(" (column %d)", i.Column)
			i.Line, i.Column, i.Offset = 0, 0, 0
		}
		short = append(short, i)
	}
	return short
}

// cut is a text of at most maxText characters, valid UTF-8.
func cut(s string) string {
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

// logPieces are the texts of failures, a line each, in pieces that fit a rider each, and their size. What goes beyond
// room is counted and not told.
func logPieces(all []failure, room int64) (pieces [][]byte, size int64) {
	for _, f := range all {
		if size+int64(len(f.text)) > room {
			break
		}
		last := len(pieces) - 1
		if last < 0 || len(pieces[last])+len(f.text) > maxLogPiece {
			pieces = append(pieces, nil)
			last++
		}
		pieces[last] = append(pieces[last], f.text...)
		size += int64(len(f.text))
	}
	return pieces, size
}
