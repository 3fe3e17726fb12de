package rest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// HL7's own examples of batches and transactions, with what becomes of each.
func TestBundles_ofTheSpecification(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	file := filepath.Join(folder, "r4-examples/Bundle.ndjson.gz")
	if _, err := os.Stat(file); err != nil {
		t.Skip("HL7's examples are not here: that their batches and transactions can be posted is left out")
	}
	want := map[string]struct {
		status int
		text   string // in the answer
	}{
		"bundle-request-medsallergies": {http.StatusOK, `"type":"batch-response"`},
		"bundle-request-simplesummary": {http.StatusOK, `"type":"batch-response"`},
		"bundle-transaction":           {http.StatusBadRequest, "Bundle.entry[7].request.url"}, // ValueSet/$lookup is not offered
		"hla-1":                        {http.StatusOK, `"type":"transaction-response"`},
		"ussg-fht":                     {http.StatusBadRequest, "Bundle.entry[0].request.url"}, // for another server
		"xds":                          {http.StatusOK, `"type":"transaction-response"`},
	}
	f := newFace(t)
	header := http.Header{"Content-Type": {"application/fhir+json"}}
	for _, line := range readLines(t, file) {
		var b struct {
			ID, Type string
			Entry    []json.RawMessage
		}
		must(t, json.Unmarshal(line, &b))
		w, ok := want[b.ID]
		if !ok {
			if b.Type == "batch" || b.Type == "transaction" {
				t.Errorf("nobody says what becomes of %s", b.ID)
			}
			continue
		}
		delete(want, b.ID)
		resp, got := f.send(t, http.MethodPost, "/", header, line)
		if resp.StatusCode != w.status || !strings.Contains(string(got), w.text) {
			t.Errorf("%s: %d %.1500s", b.ID, resp.StatusCode, got)
		}
		if b.ID == "bundle-transaction" { // the rest of it: an entry wants version 2 of a patient, which there is once
			b.Entry = append(b.Entry[:7:7], b.Entry[8:]...)
			rest, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": "transaction", "entry": b.Entry})
			must(t, err)
			for range 2 {
				f.send(t, http.MethodPut, "Patient/123a", header, []byte(`{"resourceType":"Patient","id":"123a"}`))
			}
			for _, status := range []int{http.StatusOK, http.StatusPreconditionFailed} {
				if resp, got := f.send(t, http.MethodPost, "/", header, rest); resp.StatusCode != status || status == http.StatusOK && strings.Count(string(got), `"response":`) != len(b.Entry) {
					t.Errorf("%s without its operation: %d %.1500s", b.ID, resp.StatusCode, got)
				}
			}
		}
	}
	for id := range want {
		t.Errorf("%s was not there", id)
	}
}

// What the entries of one Bundle read is bounded together; each entry is answered all the same.
func TestBundle_answersAreBounded(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	header := http.Header{"Content-Type": {"application/fhir+json"}}
	display := `{"display":"` + strings.Repeat("x", 1_000_000) + `"}`
	large := `{"resourceType":"Basic","id":"large","code":{"coding":[` + strings.Join([]string{display, display, display, display}, ",") + `]}}`
	if resp, got := f.send(t, http.MethodPut, "Basic/large", header, []byte(large)); resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %.300s", resp.StatusCode, got)
	}
	const reads = 40
	get := strings.Repeat(`{"request":{"method":"GET","url":"Basic/large"}},`, reads)
	for _, kind := range []string{"transaction"} {
		resp, got := f.send(t, http.MethodPost, "/", header, []byte(`{"resourceType":"Bundle","type":"`+kind+`","entry":[`+get+`{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}]}`))
		good, refused := bytes.Count(got, []byte(`"response":{"status":"200"`)), bytes.Count(got, []byte(`"response":{"status":"413"`))
		if resp.StatusCode != http.StatusOK || good < 16 || good > 40 || good+refused != reads || bytes.Count(got, []byte(`"status":"201"`)) != 1 {
			t.Errorf("%s: %d, %d were read, %d refused", kind, resp.StatusCode, good, refused)
		}
	}
}
