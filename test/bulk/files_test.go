package bulk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// post sends a batch of entries, 500 at a time, each of which must succeed.
func (s *stage) batch(entries []string) {
	s.Helper()
	for len(entries) > 0 {
		n := min(500, len(entries))
		a := s.send("POST", "", map[string]string{"Content-Type": "application/fhir+json"}, `{"resourceType":"Bundle","type":"batch","entry":[`+strings.Join(entries[:n], ",")+`]}`)
		if ok := bytes.Count(a.body, []byte(`"status":"20`)); a.status != http.StatusOK || ok != n {
			s.Fatalf("a batch: %d, %d of %d succeed: %.500s", a.status, ok, n, a.body)
		}
		entries = entries[n:]
	}
}

func TestManifest_hasTheMembersOfTheStandardAndNoOthers(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	before := time.Now().Add(-time.Minute)
	first := s.await(s.kick("GET", "$export", ""))
	s.send("DELETE", "Observation/b3", nil, "")
	s.put(observation("b1", "p1", "8867-4", ""))
	location := s.kick("GET", "$export?_outputFormat=ndjson&_since="+url.QueryEscape(first.TransactionTime), "")
	s.await(location)
	a := s.send("GET", location, map[string]string{"Accept": "application/json"}, "")
	var m map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &m); err != nil || a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v %v", a.status, a.header, err)
	}
	text := func(raw json.RawMessage) (v string) {
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Errorf("%s is no string", raw)
		}
		return v
	}
	if at, err := time.Parse(time.RFC3339, text(m["transactionTime"])); err != nil || at.Before(before) || at.After(time.Now().Add(time.Minute)) {
		t.Errorf("transactionTime %s", m["transactionTime"])
	}
	if text(m["request"]) != s.place.Endpoint+"$export?_outputFormat=ndjson&_since="+url.QueryEscape(first.TransactionTime) {
		t.Errorf("request %s", m["request"])
	}
	if string(m["requiresAccessToken"]) != "true" || text(m["outputFormat"]) != "application/fhir+ndjson" || string(m["error"]) != "[]" {
		t.Errorf("%s", a.body)
	}
	for name, want := range map[string]string{"output": "Observation", "deleted": "Bundle"} {
		var items []map[string]json.RawMessage
		if err := json.Unmarshal(m[name], &items); err != nil || len(items) != 1 {
			t.Errorf("%s: %v %s", name, err, m[name])
			continue
		}
		at, err := url.Parse(text(items[0]["url"]))
		if err != nil || !at.IsAbs() || text(items[0]["type"]) != want || string(items[0]["count"]) != "1" {
			t.Errorf("%s: %s", name, m[name])
		}
	}
	for name := range m {
		switch name {
		case "exportJobProperties", "transactionTime", "request", "requiresAccessToken", "outputFormat", "output", "deleted", "error":
		default:
			t.Errorf("%s is no member of a manifest", name)
		}
	}
}

// goesOn holds what a download that broke off asks for, and what there is none of.
func (s *stage) goesOn(file string, plain, packed answer) {
	s.Helper()
	tag, size := plain.header.Get("Etag"), len(plain.body)
	if len(tag) < 10 || packed.header.Get("Etag") == tag || packed.header.Get("Etag") == "" {
		s.Errorf("ETags %q, and packed %q", tag, packed.header.Get("Etag"))
	}
	for _, c := range []struct {
		header map[string]string
		status int
		body   []byte // nil: it is not looked at
	}{
		{map[string]string{"Range": "bytes=10-", "If-Range": tag}, http.StatusPartialContent, plain.body[10:]},
		{map[string]string{"Range": "bytes=10-", "If-Range": `"another"`}, http.StatusOK, plain.body},
		{map[string]string{"Range": "lines=1-2", "Accept-Encoding": "identity"}, http.StatusOK, plain.body},
		{map[string]string{"If-None-Match": tag, "Accept-Encoding": "identity"}, http.StatusNotModified, []byte{}},
		{map[string]string{"If-None-Match": packed.header.Get("Etag"), "Accept-Encoding": "gzip"}, http.StatusNotModified, []byte{}},
		{map[string]string{"If-None-Match": tag, "Accept-Encoding": "gzip"}, http.StatusOK, nil},
		{map[string]string{"If-Match": `"another"`, "Accept-Encoding": "identity"}, http.StatusPreconditionFailed, nil},
		{map[string]string{"If-Match": `"another"`, "Accept-Encoding": "gzip"}, http.StatusPreconditionFailed, nil},
		{map[string]string{"If-Match": tag, "Accept-Encoding": "identity"}, http.StatusOK, plain.body},
		{map[string]string{"Range": fmt.Sprintf("bytes=%d-", size)}, http.StatusRequestedRangeNotSatisfiable, nil},
		{map[string]string{"Range": "bytes=abc"}, http.StatusRequestedRangeNotSatisfiable, nil},
	} {
		a := s.send("GET", file, c.header, "")
		if a.status != c.status || c.body != nil && !bytes.Equal(a.body, c.body) {
			s.Errorf("%v: %d %.200q", c.header, a.status, a.body)
		}
		if a.status >= 400 && (!strings.Contains(string(a.body), `"OperationOutcome"`) || a.header.Get("Content-Type") != "application/fhir+json; charset=utf-8" ||
			c.status == http.StatusRequestedRangeNotSatisfiable && c.header["Range"] != "bytes=abc" && a.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", size)) {
			s.Errorf("%v: %v %s", c.header, a.header, a.body)
		}
	}
}

func TestFiles_haveTheNewestVersionsInFilesOf5000Lines(t *testing.T) {
	t.Parallel()
	s := open(t)
	const n = 5_003
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprintf(`{"resource":{"resourceType":"Basic","id":"b-%d","code":{"text":"first"}},"request":{"method":"PUT","url":"Basic/b-%d"}}`, i, i))
	}
	s.batch(entries)
	s.put(`{"resourceType":"Basic","id":"b-7","code":{"text":"second"}}`)
	s.put(`{"resourceType":"Basic","id":"b-7","code":{"text":"third"}}`)
	m := s.await(s.kick("GET", "$export?_type=Basic,Slot", ""))
	if len(m.Output) != 2 || m.Output[0].Count != 5_000 || m.Output[1].Count != 3 || m.Output[0].URL == m.Output[1].URL {
		t.Fatalf("%+v", m.Output)
	}
	seen := map[string]bool{}
	for _, line := range s.lines(m.Output) {
		if seen[line] {
			t.Errorf("%s is there twice", line)
		}
		seen[line] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d resources", len(seen), n)
	}
	var whole []byte
	for _, f := range m.Output {
		whole = append(whole, s.send("GET", f.URL, nil, "").body...)
	}
	if bytes.Count(whole, []byte(`"versionId":"3"`)) != 1 || !bytes.Contains(whole, []byte("third")) || bytes.Contains(whole, []byte("second")) {
		t.Error("an old version is exported, or the newest is not")
	}
	// What is deleted is told in Bundles of 100 each, and is in no file of output.
	entries = nil
	for i := range 250 {
		entries = append(entries, fmt.Sprintf(`{"request":{"method":"DELETE","url":"Basic/b-%d"}}`, i))
	}
	s.batch(entries)
	s.put(`{"resourceType":"Basic","id":"b-400","code":{"text":"changed"}}`)
	m = s.await(s.kick("GET", "$export?_since="+url.QueryEscape(m.TransactionTime), ""))
	s.want("what has changed", s.lines(m.Output), "Basic/b-400")
	if len(m.Deleted) != 1 || m.Deleted[0].Count != 3 || m.Deleted[0].Type != "Bundle" {
		t.Fatalf("%+v", m.Deleted)
	}
	gone := 0
	for line := range bytes.Lines(s.send("GET", m.Deleted[0].URL, nil, "").body) {
		var b struct {
			ResourceType, Type string
			Entry              []struct {
				Resource json.RawMessage
				Request  struct{ Method, URL string }
			}
		}
		if err := json.Unmarshal(line, &b); err != nil || b.ResourceType != "Bundle" || b.Type != "transaction" || len(b.Entry) == 0 || len(b.Entry) > 100 {
			t.Fatalf("%v: %.200s", err, line)
		}
		for _, e := range b.Entry {
			if gone++; e.Request.Method != "DELETE" || !strings.HasPrefix(e.Request.URL, "Basic/b-") || e.Resource != nil {
				t.Errorf("%+v", e)
			}
		}
	}
	if gone != 250 {
		t.Errorf("%d deletions are told", gone)
	}
}

func TestProvenance_isTheLatestOrAllOfWhatIsExported(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	s.put(`{"resourceType":"Provenance","id":"v2","recorded":"2025-01-01T00:00:00Z","target":[{"reference":"Observation/b1"}],"agent":[{"who":{"reference":"Practitioner/d1"}}]}`)
	s.put(`{"resourceType":"Provenance","id":"other","recorded":"2025-01-01T00:00:00Z","target":[{"reference":"Organization/o1"}],"agent":[{"who":{"reference":"Practitioner/d1"}}]}`)
	both := "$export?_type=Observation,Provenance&_typeFilter=Observation%3Fsubject%3DPatient%2Fp1&includeAssociatedData="
	for ask, want := range map[string]string{
		both + "LatestProvenanceResources":                                                                                  "Observation/b1 Provenance/v2",
		both + "RelevantProvenanceResources":                                                                                "Observation/b1 Provenance/v1 Provenance/v2",
		both + "LatestProvenanceResources,RelevantProvenanceResources":                                                      "Observation/b1 Provenance/v1 Provenance/v2",
		both + "LatestProvenanceResources&includeAssociatedData=RelevantProvenanceResources":                                "Observation/b1 Provenance/v1 Provenance/v2",
		strings.Replace(both, ",Provenance", "", 1) + "LatestProvenanceResources":                                           "Observation/b1 Provenance/v2",
		"Patient/$export?_type=Provenance":                                                                                  "Provenance/v1 Provenance/v2",
		"$export?_type=Provenance":                                                                                          "Provenance/v1 Provenance/v2 Provenance/other",
		"$export?_type=Observation&_typeFilter=Observation%3Fcode%3D718-7":                                                  "Observation/b3",
		"$export?_type=Observation&_typeFilter=Observation%3Fcode%3D718-7&_typeFilter=Observation%3Fsubject%3DPatient%2Fp2": "Observation/b2 Observation/b3",
	} {
		s.want(ask, s.exported("GET", ask, ""), strings.Fields(want)...)
	}
}

// TestProvenance_ofAGroupIsToldThoughItsTargetHasNotChanged: what is recorded, or deleted, about something older is in the
// next export of a group, and of no other's.
func TestProvenance_ofAGroupIsToldThoughItsTargetHasNotChanged(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	note := func(id, target string) {
		s.put(fmt.Sprintf(`{"resourceType":"Provenance","id":%q,"recorded":"2025-01-01T00:00:00Z","target":[{"reference":%q}],"agent":[{"who":{"reference":"Practitioner/d1"}}]}`, id, target))
	}
	note("of-b2", "Observation/b2")
	note("of-b3", "Observation/b3")
	note("of-p1", "Patient/p1")
	m := s.await(s.kick("GET", "Group/g/$export", ""))
	s.want("the first", s.lines(m.Output), "Patient/p1", "Patient/p2", "Observation/b1", "Observation/b2", "Group/g", "Group/inner", "Provenance/v1", "Provenance/of-b2", "Provenance/of-p1")
	note("later-b1", "Observation/b1")
	note("later-b3", "Observation/b3")
	note("later-o1", "Organization/o1")
	for _, gone := range []string{"Provenance/of-b2", "Provenance/of-b3", "Provenance/of-p1", "Observation/b2"} {
		if a := s.send("DELETE", gone, nil, ""); a.status != http.StatusNoContent {
			t.Fatalf("DELETE %s: %d %s", gone, a.status, a.body)
		}
	}
	m = s.await(s.kick("GET", "Group/g/$export?_since="+url.QueryEscape(m.TransactionTime), ""))
	s.want("what was recorded since", s.lines(m.Output), "Provenance/later-b1")
	s.want("what was deleted since", s.lines(m.Deleted), "DELETE Observation/b2", "DELETE Provenance/of-b2", "DELETE Provenance/of-p1")
	s.put(`{"resourceType":"Group","id":"inner","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}},{"entity":{"reference":"Patient/p3"}}]}`)
	since := "Group/g/$export?_since=" + url.QueryEscape(m.TransactionTime)
	s.want("all of who has joined", s.exported("GET", since, ""), "Group/g", "Group/inner", "Patient/p3", "Observation/b3", "Provenance/later-b3")
	s.want("of a former member nothing of who has joined", s.exported("POST", since, parameters("patient", "valueReference", `{"reference":"Patient/p2"}`)), "Group/inner")
}

func TestAttachments_haveURLsThatCanBeOpened(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.put(`{"resourceType":"Binary","id":"scan","contentType":"application/pdf","data":"JVBERg=="}`)
	s.put(`{"resourceType":"Patient","id":"p1","photo":[{"url":"Binary/scan"}]}`)
	s.put(`{"resourceType":"DocumentReference","id":"d1","status":"current","subject":{"reference":"Patient/p1"},"content":[{"attachment":{"contentType":"application/pdf","url":"Binary/scan"}},{"attachment":{"url":"https://elsewhere.test/x"}},{"attachment":{"contentType":"application/pdf","data":"JVBERg=="}}]}`)
	for _, more := range []string{"", "&organizeOutputBy=Patient", "&_elements=Patient.photo"} {
		for _, f := range s.await(s.kick("GET", "Patient/$export?_type=DocumentReference,Patient"+more, "")).Output {
			body := s.send("GET", f.URL, nil, "").body
			at := `"url":"` + s.place.Endpoint + `Binary/scan"`
			if bytes.Contains(body, []byte(`"url":"Binary`)) || f.Type != "" && bytes.Count(body, []byte(at)) != 1 || f.Type == "" && bytes.Count(body, []byte(at)) != 2 {
				t.Errorf("%s: %s", more, body)
			}
			if f.Type != "Patient" && !bytes.Contains(body, []byte(`"subject":{"reference":"Patient/p1"}`)) {
				t.Errorf("another reference is changed: %s", body)
			}
		}
	}
	header := map[string]string{"Accept": "application/pdf"}
	if a := s.send("GET", s.place.Endpoint+"Binary/scan", header, ""); a.status != http.StatusOK || string(a.body) != "%PDF" {
		t.Errorf("the attachment: %d %q", a.status, a.body)
	}
	if resp, err := http.Get(s.place.Endpoint + "Binary/scan"); err != nil || resp.StatusCode < 400 {
		t.Errorf("the attachment without a signature: %v %v", resp, err)
	}
}
