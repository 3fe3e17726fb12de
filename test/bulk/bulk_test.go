// Package bulk_test drives exports by HL7's Bulk Data Access against a real server, as a client of the standard does.
package bulk_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tarn/test/server"
)

func TestMain(m *testing.M) { os.Exit(server.Main(m)) }

// stage is a server with one data store.
type stage struct {
	*testing.T
	clients *server.Clients
	place   server.Place
}

func open(t *testing.T) *stage {
	t.Helper()
	return openOn(t, server.Start(t))
}

func openOn(t *testing.T, s *server.Server) *stage {
	t.Helper()
	c := s.As(s.Root(t))
	return &stage{t, c, c.Build(t, "bulk")}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a signed request; at is an absolute URL or a path below the data store's base.
func (s *stage) send(method, at string, header map[string]string, body string) answer {
	s.Helper()
	if !strings.HasPrefix(at, "http") {
		at = s.place.Endpoint + at
	}
	a, err := server.SignedWith(s.Context(), s.clients.Keys, method, at, header, []byte(body))
	if err != nil {
		s.Fatal(err)
	}
	return answer{a.Status, a.Header, a.Body}
}

func (s *stage) put(body string) {
	s.Helper()
	var r struct{ ResourceType, ID string }
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		s.Fatal(err)
	}
	if a := s.send("PUT", r.ResourceType+"/"+r.ID, map[string]string{"Content-Type": "application/fhir+json"}, body); a.status > 201 {
		s.Fatalf("PUT %s/%s: %d %s", r.ResourceType, r.ID, a.status, a.body)
	}
}

type item struct {
	Type, URL string
	Count     int

	ContinuesInFile string
}

type manifest struct {
	TransactionTime     string
	Request             string
	RequiresAccessToken *bool
	Output              []item
	Deleted             []item
	Error               []item
	OutputOrganizedBy   string
	ExportJobProperties struct{ JobStatus, JobID string }
}

// kick starts an export and returns the address of its status.
func (s *stage) kick(method, at, body string) string {
	s.Helper()
	a := s.send(method, at, map[string]string{"Accept": "application/fhir+json", "Prefer": "respond-async", "Content-Type": "application/fhir+json"}, body)
	location := a.header.Get("Content-Location")
	if a.status != http.StatusAccepted || !strings.HasPrefix(location, s.place.Endpoint+"export/") {
		s.Fatalf("%s %s: %d, Content-Location %q: %s", method, at, a.status, location, a.body)
	}
	return location
}

// await polls as a client does.
func (s *stage) await(location string) manifest {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		a := s.send("GET", location, map[string]string{"Accept": "application/json"}, "")
		if a.status == http.StatusTooManyRequests {
			time.Sleep(time.Second) // as Retry-After has it
			continue
		}
		var m manifest
		if err := json.Unmarshal(a.body, &m); err != nil {
			s.Fatalf("GET %s: %d %s", location, a.status, a.body)
		}
		switch {
		case a.status == http.StatusOK:
			if a.header.Get("Content-Type") != "application/json" {
				s.Errorf("the manifest is %s", a.header.Get("Content-Type"))
			}
			return m
		case a.status != http.StatusAccepted || a.header.Get("X-Progress") == "" || len(a.header.Get("X-Progress")) > 100 || a.header.Get("Retry-After") == "" || m.ExportJobProperties.JobStatus == "":
			s.Fatalf("GET %s: %d %v %s", location, a.status, a.header, a.body)
		case time.Now().After(deadline):
			s.Fatalf("the export does not end: %s", a.body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// lines fetches files and gives their lines as Type/id, sorted.
func (s *stage) lines(items []item) []string {
	s.Helper()
	var all []string
	for _, f := range items {
		a := s.send("GET", f.URL, map[string]string{"Accept": "application/fhir+ndjson"}, "")
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/fhir+ndjson" {
			s.Fatalf("GET %s: %d %s %s", f.URL, a.status, a.header.Get("Content-Type"), a.body)
		}
		n := 0
		for line := range bytes.Lines(a.body) {
			var r struct {
				ResourceType, ID string
				Entry            []struct{ Request struct{ Method, URL string } }
			}
			if err := json.Unmarshal(line, &r); err != nil || r.ResourceType != f.Type {
				s.Errorf("%s: %v: %s", f.URL, err, line)
			}
			n++
			for _, e := range r.Entry {
				all = append(all, e.Request.Method+" "+e.Request.URL)
			}
			if r.Entry == nil {
				all = append(all, r.ResourceType+"/"+r.ID)
			}
		}
		if n != f.Count {
			s.Errorf("%s has %d lines, the manifest says %d", f.URL, n, f.Count)
		}
	}
	slices.Sort(all)
	return all
}

// exported is what an export of that kick-off holds.
func (s *stage) exported(method, at, body string) []string {
	s.Helper()
	return s.lines(s.await(s.kick(method, at, body)).Output)
}

func (s *stage) want(what string, got []string, want ...string) {
	s.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("%s holds\n  %s\nwant\n  %s", what, strings.Join(got, " "), strings.Join(want, " "))
	}
}

// refused asks for a kick-off that must fail with an OperationOutcome.
func (s *stage) refused(method, at, body string, status int, words string) {
	s.Helper()
	a := s.send(method, at, map[string]string{"Prefer": "respond-async", "Content-Type": "application/fhir+json"}, body)
	if a.status != status || !strings.Contains(string(a.body), `"OperationOutcome"`) || !strings.Contains(string(a.body), words) {
		s.Errorf("%s %s: %d %s; want %d with %q", method, at, a.status, a.body, status, words)
	}
}

func (s *stage) populate() {
	for _, body := range []string{
		`{"resourceType":"Organization","id":"o1","name":"Clinic"}`,
		`{"resourceType":"Practitioner","id":"d1","name":[{"family":"Doe"}]}`,
		`{"resourceType":"Patient","id":"p1","gender":"female","name":[{"family":"One"}],"managingOrganization":{"reference":"Organization/o1"}}`,
		`{"resourceType":"Patient","id":"p2","gender":"male","name":[{"family":"Two"}]}`,
		`{"resourceType":"Patient","id":"p3","gender":"male","name":[{"family":"Three"}]}`,
		observation("b1", "p1", "8867-4", `,"performer":[{"reference":"Practitioner/d1"}]`),
		observation("b2", "p2", "8867-4", ""),
		observation("b3", "p3", "718-7", ""),
		`{"resourceType":"Observation","id":"lone","status":"final","code":{"text":"of nobody"}}`,
		`{"resourceType":"Group","id":"inner","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}}]}`,
		`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Patient/p3"},"inactive":true},{"entity":{"reference":"Group/inner"}},{"entity":{"reference":"Patient/p3"},"period":{"end":"2020-01-01"}}]}`,
		`{"resourceType":"Provenance","id":"v1","recorded":"2024-01-01T00:00:00Z","target":[{"reference":"Observation/b1"}],"agent":[{"who":{"reference":"Practitioner/d1"}}]}`,
	} {
		s.put(body)
	}
}

func observation(id, patient, code, more string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","code":{"coding":[{"system":"http://loinc.org","code":%q}]},"subject":{"reference":"Patient/%s"}%s}`, id, code, patient, more)
}

func TestExport_bySystemPatientAndGroup(t *testing.T) {
	t.Parallel()
	open(t).exportsLevels()
}

// exportsLevels exports by all levels and parameters.
func (s *stage) exportsLevels() {
	s.Helper()
	s.populate()
	all := []string{"Organization/o1", "Practitioner/d1", "Patient/p1", "Patient/p2", "Patient/p3", "Observation/b1", "Observation/b2", "Observation/b3",
		"Observation/lone", "Group/inner", "Group/g", "Provenance/v1"}
	s.want("the system", s.exported("GET", "$export", ""), all...)
	s.want("the system by POST", s.exported("POST", "$export", `{"resourceType":"Parameters"}`), all...)
	s.want("all patients", s.exported("GET", "Patient/$export", ""), "Patient/p1", "Patient/p2", "Patient/p3", "Observation/b1", "Observation/b2", "Observation/b3",
		"Group/inner", "Group/g", "Provenance/v1")
	s.want("the group, nested and without who has left", s.exported("GET", "Group/g/$export", ""), "Patient/p1", "Patient/p2", "Observation/b1", "Observation/b2",
		"Group/inner", "Group/g", "Provenance/v1")
	s.want("the group with what it refers to", s.exported("GET", "Group/g/$export?includeAssociatedData=_ReferencedResources&_type=Patient,Observation,Practitioner,Organization", ""),
		"Patient/p1", "Patient/p2", "Observation/b1", "Observation/b2", "Practitioner/d1", "Organization/o1")
	s.want("one patient", s.exported("POST", "Patient/$export", `{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/p3"}},{"name":"_type","valueString":"Observation,Patient"}]}`),
		"Patient/p3", "Observation/b3")
	s.want("one member", s.exported("POST", "Group/g/$export", `{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/p2"}},{"name":"_type","valueString":"Observation"}]}`),
		"Observation/b2")
	s.want("types", s.exported("GET", "$export?_type=Patient,Organization", ""), "Patient/p1", "Patient/p2", "Patient/p3", "Organization/o1")
	s.want("types, repeated", s.exported("GET", "$export?_type=Patient&_type=Organization", ""), "Patient/p1", "Patient/p2", "Patient/p3", "Organization/o1")
	s.want("filters, OR-ed within a type", s.exported("GET", "$export?_type=Patient,Observation&_typeFilter=Observation%3Fcode%3D718-7,Observation%3Fsubject%3DPatient%2Fp1", ""),
		"Patient/p1", "Patient/p2", "Patient/p3", "Observation/b1", "Observation/b3")
	s.want("a filter with a comma of its own", s.exported("GET", "$export?_type=Observation&_typeFilter=Observation%3Fcode%3D718-7,http%3A%2F%2Floinc.org%7C8867-4", ""),
		"Observation/b1", "Observation/b2", "Observation/b3")
	s.want("Provenance of what is exported", s.exported("GET", "$export?_type=Observation,Provenance&_typeFilter=Observation%3Fcode%3D718-7&includeAssociatedData=RelevantProvenanceResources", ""), "Observation/b3")
	s.want("a member attribution list", s.exported("GET", "Group/g/$davinci-data-export", ""), "Patient/p1", "Patient/p2", "Group/inner", "Group/g", "Organization/o1")

	s.want("of that list, with its name", s.exported("GET", "Group/g/$davinci-data-export?_type=Patient,Organization&exportType=hl7.fhir.us.davinci-atr", ""), "Patient/p1", "Patient/p2", "Organization/o1")
	s.want("since the beginning", s.exported("GET", "$export?_type=Organization&_since=1970-01-01T00:00:00Z&_since=1970-01-01T00:00:00Z", ""), "Organization/o1")
	s.want("since before it", s.exported("GET", "$export?_type=Organization&_since=1900-01-01T00:00:00Z", ""), "Organization/o1")

	s.refused("POST", "Group/g/$export", `{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/p3"}}]}`, 400, "no member")
	s.refused("POST", "Patient/$export", `{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/none"}}]}`, 400, "not there")
	s.refused("POST", "$export", `{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/p1"}}]}`, 400, "patient")
	s.refused("GET", "Group/none/$export", "", 404, "Group/none")
	s.refused("GET", "Patient/$export?_type=Organization", "", 400, "_type")
	s.refused("GET", "$export?_type=Nonsense", "", 400, "Nonsense")
	s.refused("GET", "$export?_typeFilter=Observation%3Fnonsense%3D1", "", 400, "nonsense")
	s.refused("GET", "$export?_typeFilter=Observation%3F_sort%3Ddate", "", 400, "_sort")
	s.refused("GET", "$export?_outputFormat=text%2Fcsv", "", 400, "_outputFormat")
	s.refused("GET", "$export?_since=yesterday", "", 400, "_since")
	s.refused("GET", "$export?nonsense=1", "", 400, "nonsense")
	s.refused("GET", "$export?organizeOutputBy=Encounter", "", 400, "organizeOutputBy")
	s.refused("GET", "$export?_elements=Patient.nonsense", "", 400, "_elements")
	s.refused("PUT", "$export", "", 405, "not supported")
	s.put(`{"resourceType":"Provenance","id":"of-p1","recorded":"2024-01-01T00:00:00Z","target":[{"reference":"Patient/p1"}],"agent":[{"who":{"reference":"Practitioner/d1"}}]}`)
	s.want("with the Provenance of what is in it", s.exported("GET", "Group/g/$davinci-data-export?includeAssociatedData=LatestProvenanceResources", ""),
		"Patient/p1", "Patient/p2", "Group/inner", "Group/g", "Organization/o1", "Practitioner/d1", "Provenance/of-p1")
}

func TestManifest_hasWhatTheStandardWants(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	for _, format := range []string{"application/fhir%2Bndjson", "application/fhir+ndjson", "application%2Fndjson", "ndjson"} {
		s.await(s.kick("GET", "$export?_outputFormat="+format, ""))
	}
	location := s.kick("GET", "$export?_type=Patient", "")
	m := s.await(location)
	if _, err := time.Parse(time.RFC3339, m.TransactionTime); err != nil || m.Request != s.place.Endpoint+"$export?_type=Patient" || m.RequiresAccessToken == nil ||
		!*m.RequiresAccessToken || len(m.Output) != 1 || m.Output[0].Type != "Patient" || m.Output[0].Count != 3 || m.Error == nil || len(m.Error) != 0 {
		t.Errorf("the manifest is %+v", m)
	}
	a := s.send("GET", location, nil, "")
	if until, err := http.ParseTime(a.header.Get("Expires")); err != nil || time.Until(until) < 47*time.Hour || time.Until(until) > 48*time.Hour {
		t.Errorf("Expires is %q", a.header.Get("Expires"))
	}
	if empty := s.await(s.kick("GET", "$export?_type=Slot", "")); empty.Output == nil || len(empty.Output) != 0 {
		t.Errorf("nothing to export gives %+v", empty.Output)
	}
	file := m.Output[0].URL
	plain := s.send("GET", file, map[string]string{"Accept-Encoding": "identity"}, "")
	packed := s.send("GET", file, map[string]string{"Accept-Encoding": "gzip"}, "")
	r, err := gzip.NewReader(bytes.NewReader(packed.body))
	if err != nil || packed.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("gzip: %v, %v", err, packed.header)
	}
	if unpacked, err := io.ReadAll(r); err != nil || !bytes.Equal(unpacked, plain.body) {
		t.Errorf("gzip and identity differ: %v", err)
	}
	part := s.send("GET", file, map[string]string{"Range": "bytes=10-29"}, "")
	if part.status != http.StatusPartialContent || !bytes.Equal(part.body, plain.body[10:30]) {
		t.Errorf("a range: %d %q", part.status, part.body)
	}
	s.goesOn(file, plain, packed)
	for _, wrong := range []string{"../manifest.json", "manifest.json", "Patient/nothing.ndjson", "%2e%2e/x.ndjson"} {
		if a := s.send("GET", location+"/files/"+wrong, nil, ""); a.status < 400 || a.status > 499 {
			t.Errorf("%s: %d", wrong, a.status)
		}
	}
	elements := s.await(s.kick("GET", "$export?_type=Patient,Observation&_elements=Patient.name,Observation.code", ""))
	for _, f := range elements.Output {
		body := string(s.send("GET", f.URL, nil, "").body)
		if !strings.Contains(body, "SUBSETTED") || strings.Contains(body, "gender") || strings.Contains(body, "subject") || f.Type == "Observation" && !strings.Contains(body, `"status"`) {
			t.Errorf("_elements gives %s", body)
		}
	}
	a = s.send("GET", "$export?_type=Patient&nonsense=1&organizeOutputBy=Encounter", map[string]string{"Prefer": "respond-async, handling=lenient"}, "")
	lenient := s.await(a.header.Get("Content-Location"))
	if len(lenient.Error) != 1 || lenient.Error[0].Count != 2 {
		t.Fatalf("lenient: %+v", lenient)
	}
	if told := string(s.send("GET", lenient.Error[0].URL, nil, "").body); !strings.Contains(told, "nonsense") || !strings.Contains(told, "organizeOutputBy") {
		t.Errorf("what was passed over: %s", told)
	}
}

func TestDelete_cancelsOrGivesUpTheFiles(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	location := s.kick("GET", "$export", "")
	m := s.await(location)
	if a := s.send("DELETE", location, nil, ""); a.status != http.StatusAccepted {
		t.Errorf("DELETE of one that is done: %d %s", a.status, a.body)
	}
	for _, at := range []string{location, m.Output[0].URL} {
		if a := s.send("GET", at, nil, ""); a.status != http.StatusNotFound && a.status != http.StatusGone || !strings.Contains(string(a.body), "OperationOutcome") {
			t.Errorf("GET %s after DELETE: %d %s", at, a.status, a.body)
		}
	}
	if a := s.send("DELETE", location, nil, ""); a.status != http.StatusNotFound {
		t.Errorf("DELETE again: %d %s", a.status, a.body)
	}
	running := s.kick("GET", "$export", "")
	if a := s.send("DELETE", running, nil, ""); a.status != http.StatusAccepted {
		t.Errorf("DELETE at once: %d %s", a.status, a.body)
	}
	if a := s.send("GET", running, nil, ""); a.status != http.StatusNotFound || !strings.Contains(string(a.body), "OperationOutcome") {
		t.Errorf("GET after DELETE: %d %s", a.status, a.body)
	}
	if a := s.send("GET", "export/0123456789abcdef0123456789abcdef", nil, ""); a.status != http.StatusNotFound {
		t.Errorf("an unknown job: %d %s", a.status, a.body)
	}
}

func TestSince_tellsChangesAndDeletionsOfAGroupToo(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	s.exportsChanges()
}

// exportsChanges exports what has changed and what was deleted.
func (s *stage) exportsChanges() {
	s.Helper()
	first := s.await(s.kick("GET", "Group/g/$export", ""))
	since := "?_since=" + first.TransactionTime
	s.want("nothing since", s.exported("GET", "Group/g/$export"+since, ""))
	s.put(observation("b2", "p2", "718-7", ""))
	s.put(observation("b3", "p3", "8867-4", ""))
	if a := s.send("DELETE", "Observation/b1", nil, ""); a.status != http.StatusNoContent {
		s.Fatal(a.status)
	}
	s.send("DELETE", "Observation/lone", nil, "")
	m := s.await(s.kick("GET", "Group/g/$export"+since, ""))
	s.want("the group's changes", s.lines(m.Output), "Observation/b2")
	s.want("the group's deletions", s.lines(m.Deleted), "DELETE Observation/b1")
	m = s.await(s.kick("GET", "$export"+since, ""))
	s.want("all changes", s.lines(m.Output), "Observation/b2", "Observation/b3")
	s.want("all deletions", s.lines(m.Deleted), "DELETE Observation/b1", "DELETE Observation/lone")
	s.put(`{"resourceType":"Group","id":"inner","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}},{"entity":{"reference":"Patient/p3"}}]}`)
	m = s.await(s.kick("GET", "Group/g/$export?_since="+m.TransactionTime, ""))
	s.want("all of who has joined", s.lines(m.Output), "Group/inner", "Group/g", "Patient/p3", "Observation/b3")
	s.want("until the first", s.exported("GET", "$export?_type=Observation&_until="+first.TransactionTime, ""))
}
