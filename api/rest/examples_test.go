package rest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tarn/fhir"
	"tarn/ndjson"
)

// refusedExamples are HL7's examples that break their definitions, with the reason; fhir/validate holds the list.
func refusedExamples(t *testing.T) map[string]bool {
	text, err := os.ReadFile("../../fhir/validate/testdata/examples.txt")
	must(t, err)
	refused := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, ":")
		refused[name] = true
	}
	return refused
}

// TestExamples stores all of HL7's examples and reads them again, byte for byte but for what the server sets in meta.
func TestExamples_comeBackUnchanged(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	files, _ := filepath.Glob(filepath.Join(folder, "r4-examples/*.ndjson.gz"))
	if len(files) == 0 {
		t.Skip("HL7's examples are not here: that they come back unchanged is left out")
	}
	f, refused := newFace(t), refusedExamples(t)
	lines := make(chan []byte)
	var stored, notStored atomic.Int64
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			p := fhir.NewParser(fhir.Limits{MaxBytes: 16 << 20})
			for line := range lines {
				if given, err := p.Parse(line); err == nil && f.roundTrip(t, given, refused[given.Type()+"/"+given.ID()]) {
					stored.Add(1)
				} else {
					notStored.Add(1)
				}
			}
		})
	}
	for _, file := range files {
		all := readLines(t, file)
		if testing.Short() {
			all = all[:min(3, len(all))]
		}
		for _, line := range all {
			lines <- line
		}
	}
	close(lines)
	workers.Wait()
	t.Logf("%d came back unchanged, %d are refused", stored.Load(), notStored.Load())
	if got := notStored.Load(); got != int64(len(refused)) && !testing.Short() {
		t.Errorf("%d are refused, the list has %d", got, len(refused))
	}
}

// roundTrip reports whether the resource was stored and came back.
func (f *face) roundTrip(t *testing.T, given fhir.Resource, refused bool) bool {
	at := given.Type() + "/" + given.ID()
	resp, body := f.send(t, http.MethodPut, at, http.Header{"Content-Type": {"application/fhir+json"}, "Prefer": {"return=minimal"}}, given.Bytes())
	if refused {
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", at, resp.StatusCode)
		}
		return false
	}
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("%s: %d %.600s", at, resp.StatusCode, body)
		return false
	}
	resp, body = f.send(t, http.MethodGet, at, http.Header{"Accept": {"application/fhir+json"}}, nil)
	got, err := fhir.NewParser(fhir.Limits{MaxBytes: 16 << 20}).Parse(body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %d %v", at, resp.StatusCode, err)
		return false
	}
	instant, err := fhir.ParseInstant(got.LastUpdated())
	if err != nil {
		t.Errorf("%s: lastUpdated: %v", at, err)
	}
	if want := given.AppendStamped(nil, given.ID(), 1, instant); !bytes.Equal(body, want) {
		t.Errorf("%s came back changed", at)
	}
	return true
}

func readLines(t testing.TB, path string) (lines [][]byte) {
	file, err := os.Open(path)
	must(t, err)
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	must(t, err)
	reader := ndjson.NewReader(unzipped, ndjson.ReaderOptions{})
	for {
		line, err := reader.Next()
		if err == io.EOF {
			return lines
		}
		must(t, err)
		lines = append(lines, bytes.Clone(line.Bytes))
	}
}
