package ingest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tarn/fhir/r4"
	"tarn/ingest"
)

// drawRecords are records in the order of their lines.
func drawRecords(t *rapid.T) (all []ingest.RecordForTest) {
	line := int64(0)
	for range rapid.IntRange(1, 30).Draw(t, "records") {
		line += rapid.Int64Range(1, 1<<40).Draw(t, "step")
		id := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9.-]{1,64}`), rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
			rapid.StringMatching(`[0-9a-g]{8}-[0-9A-F]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)).Draw(t, "id")
		r := ingest.RecordForTest{Line: line, Type: r4.Code(rapid.IntRange(1, r4.Count).Draw(t, "type")), ID: id,
			Number: rapid.Uint64Range(1, 1<<50).Draw(t, "number"), Created: rapid.Bool().Draw(t, "created")}
		if rapid.IntRange(0, 2).Draw(t, "noted") == 0 {
			r.Note = `{"url":"u","valueString":"` + strings.Repeat("x", rapid.IntRange(0, 300).Draw(t, "note")) + `"}`
		}
		all = append(all, r)
	}
	return all
}

func TestRecord_comesBackAsItWasKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawRecords(t)
		got, lines, err := ingest.RecordsForTest(ingest.PieceForTest(want))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("kept %v\ncame back %v, %v", want, got, err)
		}
		n := 0
		for line := range strings.Lines(lines) {
			var told struct {
				LineID   int64 `json:"lineId"`
				Response struct {
					Resource struct {
						ResourceType, ID string
						Meta             struct {
							VersionID string
							Extension []struct{ URL string }
						}
					} `json:"jsonBlob"`
					Status int `json:"statusCode"`
				} `json:"UpdateResourceResponse"`
			}
			if err := json.Unmarshal([]byte(line), &told); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			r, is := want[n], told.Response.Resource
			status := map[bool]int{true: 201, false: 200}[r.Created]
			if told.LineID != r.Line || is.ResourceType != r.Type.String() || is.ID != r.ID || is.Meta.VersionID != fmt.Sprint(r.Number) ||
				told.Response.Status != status || (len(is.Meta.Extension) == 1) != (r.Note != "") {
				t.Fatalf("%v is told as %s", r, line)
			}
			n++
		}
		if n != len(want) {
			t.Fatalf("%d lines of %d", n, len(want))
		}
	})
}

// TestLog_isCutByTheLinesOfItsFileAlone keeps the same records in other pieces: the logs have the same bytes, and each
// can be read again from any place.
func TestLog_isCutByTheLinesOfItsFileAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		line := int64(0)
		for i := range records {
			line += rapid.Int64Range(1, ingest.LogLinesForTest/3).Draw(t, "near")
			records[i].Line = line
		}
		read := func() map[string]string {
			var list [][]byte
			for rest := records; len(rest) > 0; {
				n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
				list, rest = append(list, ingest.PieceForTest(rest[:n])), rest[n:]
			}
			logs, err := ingest.SuccessLogsForTest("out/", "a.ndjson", list)
			if err != nil {
				t.Fatal(err)
			}
			all := map[string]string{}
			for name, r := range logs {
				whole, err := io.ReadAll(r)
				if size, end := r.Seek(0, io.SeekEnd); err != nil || end != nil || size != int64(len(whole)) {
					t.Fatalf("%s: %d bytes, said to be %d: %v, %v", name, len(whole), size, err, end)
				}
				from := rapid.IntRange(0, len(whole)).Draw(t, "from")
				if _, err := r.Seek(int64(from), io.SeekStart); err != nil {
					t.Fatal(err)
				}
				if rest, err := io.ReadAll(r); err != nil || string(rest) != string(whole[from:]) {
					t.Fatalf("%s from %d: %v", name, from, err)
				}
				all[name] = string(whole)
			}
			return all
		}
		one, other := read(), read()
		if fmt.Sprint(one) != fmt.Sprint(other) {
			t.Fatalf("%v\nand in other pieces\n%v", one, other)
		}
		lines := 0
		for name, text := range one {
			for line := range strings.Lines(text) {
				var told struct{ LineID int64 }
				if err := json.Unmarshal([]byte(line), &told); err != nil {
					t.Fatal(err)
				}
				want := ""
				if part := (told.LineID - 1) / ingest.LogLinesForTest; part > 0 {
					want = fmt.Sprintf(".from-%d.ndjson", part*ingest.LogLinesForTest+1)
				}
				folder := "SUCCESS/"
				if strings.Contains(line, "extension") {
					folder = "SUCCESS_WITH_SEARCH_VALIDATION_FAILURES/"
				}
				if name != "out/"+folder+"a.ndjson"+want {
					t.Fatalf("%s stands in %s", line, name)
				}
				lines++
			}
		}
		if lines != len(records) {
			t.Fatalf("%d lines of %d", lines, len(records))
		}
	})
}

func FuzzRecords(f *testing.F) {
	f.Add(ingest.PieceForTest([]ingest.RecordForTest{{Line: 1, Type: 3, ID: "a", Number: 1, Created: true}, {Line: 9, Type: 3, ID: "0f8fad5b-d9cb-469f-a165-70867728950e", Number: 2, Note: "{}"}}))
	f.Add([]byte{1, 0xff})
	f.Fuzz(func(t *testing.T, piece []byte) { // no bytes on disk may end the process
		_, _, _ = ingest.RecordsForTest(piece)
	})
}
