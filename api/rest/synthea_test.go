package rest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tarn/fhir"
)

// person is a patient of Synthea's with 300 resources about him, and those who treated him.
const person = "77f70af5-b53b-4e55-a122-8cd68784c258"

var (
	localReference = regexp.MustCompile(`"reference":"([A-Z][A-Za-z]+)/([^"#]+)"`)
	identifierOf   = regexp.MustCompile(`"identifier":\[\{"system":"([^"]+)","value":"([^"]+)"`)
)

// record is what Synthea says of one person.
type record struct {
	own    [][]byte          // the resources about the person
	others [][]byte          // practitioners and organizations
	where  map[string]string // a conditional reference for each of others, by Type/id
}

func syntheaRecord(t testing.TB) record {
	t.Helper()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	files, _ := filepath.Glob(filepath.Join(folder, "synthea/*.ndjson.gz"))
	if len(files) == 0 {
		t.Skip("Synthea's resources are not here: that its bundles can be posted is left out")
	}
	r := record{where: map[string]string{}}
	about := []byte(`"reference":"Patient/` + person + `"`)
	referred := map[string]bool{}
	var others [][]byte
	for _, file := range files {
		name := filepath.Base(file)
		for _, line := range readLines(t, file) {
			switch {
			case strings.HasPrefix(name, "Practitioner"), strings.HasPrefix(name, "Organization"):
				others = append(others, line)
			case bytes.Contains(line, about), strings.HasPrefix(name, "Patient") && bytes.Contains(line, []byte(`"id":"`+person+`"`)):
				r.own = append(r.own, line)
				for _, m := range localReference.FindAllSubmatch(line, -1) {
					referred[string(m[1])+"/"+string(m[2])] = true
				}
			}
		}
	}
	p := fhir.NewParser(fhir.Limits{})
	for _, line := range others {
		res, err := p.Parse(line)
		must(t, err)
		if at := res.Type() + "/" + res.ID(); referred[at] {
			m := identifierOf.FindSubmatch(line)
			r.where[at] = fmt.Sprintf("%s?identifier=%s|%s", res.Type(), m[1], m[2])
			r.others = append(r.others, line)
		}
	}
	return r
}

// hospitals is the batch that stores who treats people.
func (r record) hospitals(t testing.TB) []byte {
	var b bytes.Buffer
	b.WriteString(`{"resourceType":"Bundle","type":"batch","entry":[`)
	p := fhir.NewParser(fhir.Limits{})
	for i, line := range r.others {
		res, err := p.Parse(line)
		must(t, err)
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"resource":%s,"request":{"method":"PUT","url":"%s/%s"}}`, line, res.Type(), res.ID())
	}
	b.WriteString("]}")
	return b.Bytes()
}

// transaction is the Bundle that Synthea would write: resources refer to each other by urn:uuid, to who treats by
// criteria.
func (r record) transaction(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[`)
	own := map[string]bool{}
	p := fhir.NewParser(fhir.Limits{})
	for _, line := range r.own {
		res, err := p.Parse(line)
		must(t, err)
		own[res.Type()+"/"+res.ID()] = true
	}
	for i, line := range r.own {
		res, err := p.Parse(line)
		must(t, err)
		if i > 0 {
			b.WriteByte(',')
		}
		line = localReference.ReplaceAllFunc(line, func(ref []byte) []byte {
			m := localReference.FindSubmatch(ref)
			switch at := string(m[1]) + "/" + string(m[2]); {
			case own[at]:
				return fmt.Appendf(nil, `"reference":"urn:uuid:%s"`, m[2])
			case r.where[at] != "":
				return fmt.Appendf(nil, `"reference":"%s"`, r.where[at])
			}
			return ref
		})
		fmt.Fprintf(&b, `{"fullUrl":"urn:uuid:%s","resource":%s,"request":{"method":"POST","url":"%s"}}`, res.ID(), line, res.Type())
	}
	b.WriteString("]}")
	return b.Bytes()
}

// A bundle of Synthea's comes back resource by resource as it was, but for the ids, and those go along everywhere.
func TestSynthea_bundleIsStoredWhole(t *testing.T) {
	t.Parallel()
	r := syntheaRecord(t)
	f := newFace(t)
	header := http.Header{"Content-Type": {"application/fhir+json"}}
	if resp, got := f.send(t, http.MethodPost, "/", header, r.hospitals(t)); resp.StatusCode != http.StatusOK || bytes.Contains(got, []byte(`"outcome"`)) {
		t.Fatalf("%d %.2000s", resp.StatusCode, got)
	}
	body := r.transaction(t)
	resp, got := f.send(t, http.MethodPost, "/", header, body)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %.2000s", resp.StatusCode, got)
	}
	var answer struct {
		Type  string
		Entry []struct {
			Response struct{ Status, Location string }
		}
	}
	must(t, json.Unmarshal(got, &answer))
	if answer.Type != "transaction-response" || len(answer.Entry) != len(r.own) {
		t.Fatalf("%s with %d entries for %d", answer.Type, len(answer.Entry), len(r.own))
	}
	t.Logf("%d resources, %d bytes", len(r.own), len(body))
	p := fhir.NewParser(fhir.Limits{})
	var before, after []string // ids, as they stood and as they stand
	for i, e := range answer.Entry {
		res, err := p.Parse(r.own[i])
		must(t, err)
		at, _, _ := strings.Cut(e.Response.Location, "/_history/")
		if e.Response.Status != "201" || !strings.HasPrefix(at, res.Type()+"/") {
			t.Fatalf("entry %d: %+v", i, e.Response)
		}
		before, after = append(before, at), append(after, res.Type()+"/"+res.ID())
	}
	var pairs []string
	for i := range before {
		pairs = append(pairs, `"reference":"`+before[i]+`"`, `"reference":"`+after[i]+`"`)
	}
	back := strings.NewReplacer(pairs...)
	stamps := regexp.MustCompile(`"versionId":"1","lastUpdated":"[^"]+",?`)
	for i := range before {
		resp, got := f.send(t, http.MethodGet, before[i], nil, nil)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", before[i], resp.StatusCode)
		}
		id := strings.Cut
		_, stored, _ := id(before[i], "/")
		_, given, _ := id(after[i], "/")
		text := strings.Replace(string(got), `"id":"`+stored+`"`, `"id":"`+given+`"`, 1)
		text = strings.Replace(stamps.ReplaceAllString(back.Replace(text), ""), `,"meta":{}`, "", 1)
		if want := string(r.own[i]); text != want {
			t.Fatalf("%s is\n%s\nwant\n%s", before[i], text, want)
		}
	}
	everything := "Patient/" + strings.TrimPrefix(before[patientAt(t, r)], "Patient/") + "/$everything?_count=1000"
	resp, got = f.send(t, http.MethodGet, everything, nil, nil)
	if want := fmt.Sprintf(`"total":%d`, len(r.own)+len(r.others)); resp.StatusCode != http.StatusOK || !bytes.Contains(got, []byte(want)) {
		t.Errorf("%s: %d, want %s: %.300s", everything, resp.StatusCode, want, got)
	}
}

func patientAt(t testing.TB, r record) int {
	for i, line := range r.own {
		if bytes.HasPrefix(line, []byte(`{"resourceType":"Patient"`)) {
			return i
		}
	}
	t.Fatal("no patient")
	return 0
}

// BenchmarkSynthea posts bundles of some 300 entries, one client after another and two at once.
func BenchmarkSynthea(b *testing.B) {
	r := syntheaRecord(b)
	f := newFace(b)
	header := http.Header{"Content-Type": {"application/fhir+json"}}
	f.send(b, http.MethodPost, "/", header, r.hospitals(b))
	body := r.transaction(b)
	post := func(b *testing.B) {
		if resp, got := f.send(b, http.MethodPost, "/", header, body); resp.StatusCode != http.StatusOK {
			b.Errorf("%d %.300s", resp.StatusCode, got)
		}
	}
	b.Run("alone", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			post(b)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bundles/s")
	})
	b.Run("parallel", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.SetParallelism(2)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				post(b)
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "bundles/s")
	})
}
