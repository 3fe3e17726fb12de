package ingest

import (
	"context"
	"io"

	"tarn/fhir/r4"
	"tarn/store"
)

// FailureTextForTest is the line of a failure log for an error.
func FailureTextForTest(line int64, err error) []byte { return failureOf(line, err).text }

// RecordForTest is one line of a log of what was stored.
type RecordForTest struct {
	Line    int64
	Type    r4.Code
	ID      string
	Number  uint64
	Created bool
	Note    string
}

// PieceForTest keeps records as an import does.
func PieceForTest(all []RecordForTest) []byte {
	var w recordWriter
	for _, r := range all {
		one := record{line: r.Line, typ: r.Type, id: []byte(r.ID), number: r.Number, created: r.Created}
		if r.Note != "" {
			one.told = []byte(r.Note)
		}
		w.add(&one)
	}
	return w.b
}

// RecordsForTest reads a piece, and gives the lines of the log too.
func RecordsForTest(piece []byte) (all []RecordForTest, lines string, err error) {
	var b []byte
	err = eachRecord(piece, func(r *record) {
		all = append(all, RecordForTest{r.line, r.typ, string(r.id), r.number, r.created, string(r.told)})
		b = r.appendLine(b)
	})
	return all, string(b), err
}

// SuccessLogsForTest are the logs of what was stored of a file that is kept in some pieces: name -> text.
func SuccessLogsForTest(folder, name string, list [][]byte) (map[string]*logReader, error) {
	piece := func(n int) ([]byte, error) { return list[n], nil }
	parts, err := partsOf(len(list), piece)
	all := map[string]*logReader{}
	for _, p := range parts {
		if p.size > 0 {
			all[p.name(folder, name)] = p.reader(len(list), piece)
		}
	}
	return all, err
}

// LogLinesForTest is how many lines a log of what was stored speaks of.
const LogLinesForTest = logLines

// PreloadForTest writes a population of that many patients, as the work of a preload does.
func PreloadForTest(ctx context.Context, st *store.Store, patients int, tell func(done int) error) error {
	return preload(ctx, st, patients, tell)
}

// PassOverForTest opens a gzip file behind some bytes of what it holds.
func PassOverForTest(ctx context.Context, r io.ReadCloser, offset int64) error {
	u, err := gzipped.open(ctx, r, "s3://bucket/in", offset, unpackLimit{bytes: 1 << 40})
	if err == nil {
		err = u.Close()
	}
	return err
}
