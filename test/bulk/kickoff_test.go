package bulk_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// outcomeOf fails the test where an answer is no OperationOutcome as an error has to have.
func (s *stage) outcomeOf(what string, a answer, status int) {
	s.Helper()
	var o struct {
		ResourceType string
		Issue        []struct{ Severity, Code string }
	}
	err := json.Unmarshal(a.body, &o)
	if a.status != status || err != nil || o.ResourceType != "OperationOutcome" || len(o.Issue) == 0 || o.Issue[0].Severity == "" || o.Issue[0].Code == "" ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "application/fhir+json") {
		s.Errorf("%s: %d %s %.300s; want %d and an OperationOutcome", what, a.status, a.header.Get("Content-Type"), a.body, status)
	}
}

// parameters is a Parameters resource of name, value[x] and JSON of the value, in threes.
func parameters(threes ...string) string {
	var list []string
	for i := 0; i+2 < len(threes); i += 3 {
		list = append(list, fmt.Sprintf(`{"name":%q,%q:%s}`, threes[i], threes[i+1], threes[i+2]))
	}
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(list, ",") + `]}`
}

func TestKickOff_assumesTheHeadersThatAreMissing(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	for _, level := range []string{"$export", "Patient/$export", "Group/g/$export"} {
		for name, header := range map[string]map[string]string{
			"none":            {},
			"Prefer":          {"Prefer": "respond-async"},
			"Accept":          {"Accept": "application/fhir+json"},
			"lenient":         {"Accept": "application/fhir+json", "Prefer": "respond-async, handling=lenient"},
			"lenient, twice;": {"Prefer": "handling=lenient; respond-async"},
		} {
			for method, body := range map[string]string{"GET": "", "POST": `{"resourceType":"Parameters"}`} {
				h := map[string]string{}
				for k, v := range header {
					h[k] = v
				}
				if body != "" {
					h["Content-Type"] = "application/fhir+json"
				}
				a := s.send(method, level+"?_type=Patient", h, body)
				location := a.header.Get("Content-Location")
				if a.status != http.StatusAccepted || !strings.HasPrefix(location, s.place.Endpoint+"export/") {
					t.Errorf("%s %s with %s: %d, Content-Location %q: %s", method, level, name, a.status, location, a.body)
					continue
				}
				if a := s.send("DELETE", location, nil, ""); a.status != http.StatusAccepted {
					t.Errorf("DELETE: %d %s", a.status, a.body)
				}
			}
		}
	}
}

func TestKickOff_takesWhatParametersHold(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	for name, test := range map[string]struct {
		at, body string
		want     string
	}{
		"strings":             {"$export", parameters("_type", "valueString", `"Patient"`, "_outputFormat", "valueString", `"ndjson"`), "Patient/p1 Patient/p2 Patient/p3"},
		"codes":               {"$export", parameters("_type", "valueCode", `"Organization"`, "_type", "valueCode", `"Practitioner"`), "Organization/o1 Practitioner/d1"},
		"uris":                {"$export", parameters("_type", "valueUri", `"Organization"`), "Organization/o1"},
		"codings":             {"$export", parameters("_type", "valueString", `"Provenance"`, "includeAssociatedData", "valueCoding", `{"code":"LatestProvenanceResources"}`), ""},
		"a list":              {"$export", parameters("_type", "valueString", `"Organization,Practitioner"`), "Organization/o1 Practitioner/d1"},
		"instants":            {"$export", parameters("_type", "valueString", `"Organization"`, "_since", "valueInstant", `"2020-01-01T00:00:00Z"`), "Organization/o1"},
		"times":               {"$export", parameters("_type", "valueString", `"Organization"`, "_until", "valueDateTime", `"2020-01-01T00:00:00+01:00"`), ""},
		"booleans":            {"$export", parameters("_type", "valueString", `"Organization"`, "allowPartialManifests", "valueBoolean", "false"), "Organization/o1"},
		"a reference":         {"Patient/$export", parameters("_type", "valueString", `"Observation"`, "patient", "valueReference", `{"reference":"Patient/p2"}`), "Observation/b2"},
		"an absolute one":     {"Patient/$export", parameters("_type", "valueString", `"Observation"`, "patient", "valueReference", fmt.Sprintf(`{"reference":%q}`, s.place.Endpoint+"Patient/p2")), "Observation/b2"},
		"several patients":    {"Group/g/$export", parameters("_type", "valueString", `"Patient"`, "patient", "valueReference", `{"reference":"Patient/p1"}`, "patient", "valueReference", `{"reference":"Patient/p2"}`), "Patient/p1 Patient/p2"},
		"a filter":            {"$export", parameters("_type", "valueString", `"Observation"`, "_typeFilter", "valueString", `"Observation?code=718-7"`), "Observation/b3"},
		"several filters":     {"$export", parameters("_type", "valueString", `"Observation"`, "_typeFilter", "valueString", `"Observation?code=718-7"`, "_typeFilter", "valueString", `"Observation?subject=Patient/p2"`), "Observation/b2 Observation/b3"},
		"elements":            {"$export", parameters("_type", "valueString", `"Organization"`, "_elements", "valueString", `"id,name"`), "Organization/o1"},
		"URL and body":        {"$export?_type=Organization", parameters("_type", "valueString", `"Practitioner"`), "Organization/o1 Practitioner/d1"},
		"associated, several": {"$export", parameters("_type", "valueString", `"Organization"`, "includeAssociatedData", "valueString", `"LatestProvenanceResources,RelevantProvenanceResources"`), "Organization/o1"},
	} {
		t.Run(name, func(t *testing.T) {
			s.want(name, s.exported("POST", test.at, test.body), strings.Fields(test.want)...)
		})
	}
	// The manifest names the URL alone.
	if m := s.await(s.kick("POST", "$export", parameters("_type", "valueString", `"Organization"`))); m.Request != s.place.Endpoint+"$export" {
		t.Errorf("request is %s", m.Request)
	}
	for name, body := range map[string]string{
		"a value of no known type": parameters("_type", "valueQuantity", `{"value":1}`),
		"a number":                 parameters("_since", "valueInstant", "1"),
		"no name":                  parameters("", "valueString", `"Patient"`),
		"no value":                 `{"resourceType":"Parameters","parameter":[{"name":"_type"}]}`,
		"no list":                  `{"resourceType":"Parameters","parameter":{}}`,
	} {
		s.outcomeOf(name, s.send("POST", "$export", map[string]string{"Content-Type": "application/fhir+json"}, body), http.StatusBadRequest)
	}
}

func TestKickOff_refusesWithAnOutcome(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	future := time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	for _, level := range []string{"$export", "Patient/$export", "Group/g/$export"} {
		for _, wrong := range [][2]string{
			{"_outputFormat", "application/xml"}, {"_outputFormat", "text/html"}, {"_outputFormat", "application/json"}, {"_outputFormat", "x-custom"},
			{"_since", "not-a-date"}, {"_since", "2020-13-01T00:00:00Z"}, {"_since", "2020"}, {"_since", future}, {"_until", "tomorrow"}, {"_until", future},
			{"_type", "MyType"}, {"_type", "Patient,MyType"}, {"_typeFilter", "Patient"}, {"_typeFilter", "Patient?_include=Patient:organization"},
			{"_typeFilter", "Patient?_count=1"}, {"_typeFilter", "Patient?_elements=id"}, {"_elements", "Patient.name.family"}, {"_elements", "MyType.id"}, {"_elements", "nonsense"}, {"_elements", "id,nonsense"},
			{"includeAssociatedData", "_myCustom"}, {"organizeOutputBy", "Encounter"}, {"unheardOf", "1"},
			{"_until", "1969-12-31T23:59:59Z"}, {"exportType", "hl7.fhir.us.davinci-atr"},
		} {
			a := s.send("GET", level+"?"+wrong[0]+"="+url.QueryEscape(wrong[1]), nil, "")
			s.outcomeOf(fmt.Sprintf("GET %s %v", level, wrong), a, http.StatusBadRequest)
			name := wrong[0]
			if _, shape, ok := strings.Cut(wrong[1], "?"); ok { // a parameter of the search within
				name, _, _ = strings.Cut(shape, "=")
			}
			if !strings.Contains(string(a.body), name) {
				t.Errorf("GET %s %v: the outcome does not name it: %s", level, wrong, a.body)
			}
			s.outcomeOf(fmt.Sprintf("POST %s %v", level, wrong), s.send("POST", level, map[string]string{"Content-Type": "application/fhir+json"},
				parameters(wrong[0], "valueString", fmt.Sprintf("%q", wrong[1]))), http.StatusBadRequest)
		}
		s.outcomeOf(level, s.send("PUT", level, map[string]string{"Content-Type": "application/fhir+json"}, "{}"), http.StatusMethodNotAllowed)
	}
	for _, twice := range []string{"_since=2020-01-01T00:00:00Z&_since=2021-01-01T00:00:00Z", "_outputFormat=ndjson&_outputFormat=application/ndjson"} {
		s.outcomeOf(twice, s.send("GET", "$export?"+twice, nil, ""), http.StatusBadRequest)
	}
	s.outcomeOf("once in the URL, once in the body", s.send("POST", "$export?_since=2020-01-01T00:00:00Z", map[string]string{"Content-Type": "application/fhir+json"},
		parameters("_since", "valueInstant", `"2021-01-01T00:00:00Z"`)), http.StatusBadRequest)
	s.outcomeOf("another list", s.send("GET", "Group/g/$davinci-data-export?exportType=hl7.fhir.us.davinci-pdex", nil, ""), http.StatusBadRequest)
	patient := parameters("patient", "valueReference", `{"reference":"Patient/p1"}`)
	for at, status := range map[string]int{"$export": http.StatusBadRequest, "Group/none/$export": http.StatusNotFound} {
		s.outcomeOf("patient at "+at, s.send("POST", at, map[string]string{"Content-Type": "application/fhir+json"}, patient), status)
	}
	s.outcomeOf("a patient of another server", s.send("POST", "Patient/$export", map[string]string{"Content-Type": "application/fhir+json"},
		parameters("patient", "valueReference", `{"reference":"https://other.example.org/fhir/Patient/p1"}`)), http.StatusBadRequest)
	for _, at := range []string{"Group/none/$export", "Group/none/$davinci-data-export", "export/none", "export/none/files/Patient/x.ndjson"} {
		s.outcomeOf(at, s.send("GET", at, nil, ""), http.StatusNotFound)
	}
	s.outcomeOf("DELETE of none", s.send("DELETE", "export/none", nil, ""), http.StatusNotFound)
	if a := s.send("DELETE", "Group/g", nil, ""); a.status != http.StatusNoContent {
		t.Fatal(a.status)
	}
	a := s.send("GET", "Group/g/$export", nil, "")
	if a.status != http.StatusNotFound && a.status != http.StatusGone {
		t.Errorf("a deleted group: %d %s", a.status, a.body)
	}
	s.outcomeOf("a deleted group", a, a.status)
}

func TestKickOff_passesOverWhatALenientCallerAsksFor(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	for _, ask := range []string{"organizeOutputBy=Encounter", "includeAssociatedData=_myCustom", "unheardOf=1", "patient=Patient%2Fp1"} {
		s.outcomeOf(ask, s.send("GET", "Patient/$export?_type=Patient&"+ask, map[string]string{"Prefer": "respond-async"}, ""), http.StatusBadRequest)
		a := s.send("GET", "Patient/$export?_type=Patient&"+ask, map[string]string{"Prefer": "respond-async, handling=lenient"}, "")
		if a.status != http.StatusAccepted {
			t.Errorf("%s: %d %s", ask, a.status, a.body)
			continue
		}
		m := s.await(a.header.Get("Content-Location"))
		name, _, _ := strings.Cut(ask, "=")
		if len(m.Output) != 1 || len(m.Error) != 1 || m.Error[0].Type != "OperationOutcome" {
			t.Errorf("%s: %+v", ask, m)
		} else if told := s.send("GET", m.Error[0].URL, nil, ""); !strings.Contains(string(told.body), name) {
			t.Errorf("%s is told as %s", ask, told.body)
		}
	}
}

func TestMetadata_namesTheExports(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	type operations []struct{ Name, Definition string }
	var said struct {
		Instantiates []string
		Rest         []struct {
			Operation operations
			Resource  []struct {
				Type      string
				Operation operations
			}
		}
	}
	a := s.send("GET", "metadata", nil, "")
	if err := json.Unmarshal(a.body, &said); err != nil {
		t.Fatal(err)
	}
	if len(said.Instantiates) != 1 || said.Instantiates[0] != "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data" {
		t.Errorf("it instantiates %v", said.Instantiates)
	}
	const definition = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
	var found []string
	note := func(at string, list operations) {
		for _, op := range list {
			if op.Name == "export" {
				found = append(found, at+" "+strings.TrimPrefix(op.Definition, definition))
				s.await(s.kick("GET", at+"$export", ""))
			}
		}
	}
	note("", said.Rest[0].Operation)
	for _, r := range said.Rest[0].Resource {
		note(map[string]string{"Patient": "Patient/", "Group": "Group/g/"}[r.Type], r.Operation)
	}
	if got := strings.Join(found, ", "); got != " export, Group/g/ group-export, Patient/ patient-export" {
		t.Errorf("exports are named as %q", got)
	}
}
