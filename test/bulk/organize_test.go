package bulk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// blocks fetches files that are organized by patient: Patient/id -> Type/id in the order of lines. It checks their form.
func (s *stage) blocks(m manifest) map[string][]string {
	s.Helper()
	if m.OutputOrganizedBy != "Patient" {
		s.Errorf("output is organized by %q", m.OutputOrganizedBy)
	}
	all := map[string][]string{}
	patient, next := "", ""
	for _, f := range m.Output {
		a := s.send("GET", f.URL, nil, "")
		if a.status != http.StatusOK || f.Type != "" {
			s.Fatalf("GET %s, of type %q: %d %s", f.URL, f.Type, a.status, a.body)
		}
		n := 0
		for line := range bytes.Lines(a.body) {
			var r struct {
				ResourceType, ID string
				Parameter        []struct {
					Name           string
					ValueReference struct{ Reference string }
				}
			}
			if err := json.Unmarshal(line, &r); err != nil {
				s.Fatal(err)
			}
			if n++; r.ResourceType == "Parameters" && len(r.Parameter) == 1 && r.Parameter[0].Name == "header" {
				last := patient
				patient = r.Parameter[0].ValueReference.Reference
				if goesOn := n == 1 && next == f.URL; goesOn != (last == patient) || !goesOn && all[patient] != nil {
					s.Errorf("%s, line %d: a block of %s behind one of %s, which goes on in %q", f.URL, n, patient, last, next)
				}
				continue
			}
			if n == 1 {
				s.Errorf("%s begins with %s", f.URL, line)
			}
			all[patient] = append(all[patient], r.ResourceType+"/"+r.ID)
		}
		if n != f.Count || n > 5000 || next != "" && next != f.URL {
			s.Errorf("%s has %d lines, the manifest says %d; %q was to follow", f.URL, n, f.Count, next)
		}
		next = f.ContinuesInFile
	}
	if next != "" {
		s.Errorf("the last file goes on in %s", next)
	}
	return all
}

func (s *stage) wantBlocks(what string, m manifest, want map[string]string) {
	s.Helper()
	got := s.blocks(m)
	for patient, list := range want {
		slices.Sort(got[patient])
		if now := strings.Join(got[patient], " "); now != list {
			s.Errorf("%s: the block of %s holds\n%s, want\n%s", what, patient, now, list)
		}
	}
	if len(got) != len(want) {
		s.Errorf("%s: %d blocks, want %d", what, len(got), len(want))
	}
}

func TestOrganize_servesBlocksOfPatients(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	by := "organizeOutputBy=Patient"
	all := map[string]string{"Patient/p1": "Group/g Observation/b1 Patient/p1 Provenance/v1", "Patient/p2": "Group/inner Observation/b2 Patient/p2", "Patient/p3": "Group/g Observation/b3 Patient/p3"}
	m := s.await(s.kick("GET", "Patient/$export?"+by, ""))
	s.wantBlocks("patients", m, all)
	if len(m.Error) != 0 {
		t.Errorf("patients: %+v", m.Error)
	}
	m = s.await(s.kick("POST", "$export", parameters("organizeOutputBy", "valueString", `"Patient"`)))
	s.wantBlocks("the system", m, all)
	if len(m.Error) != 1 || !strings.Contains(string(s.send("GET", m.Error[0].URL, nil, "").body), "belongs to no patient") {
		t.Errorf("what is left out is not told: %+v", m.Error)
	}
	for name, test := range map[string]struct {
		at   string
		want map[string]string
	}{
		"a group": {"Group/g/$export?" + by, map[string]string{"Patient/p1": "Group/g Observation/b1 Patient/p1 Provenance/v1", "Patient/p2": "Group/inner Observation/b2 Patient/p2"}},
		"types":   {"Patient/$export?_type=Observation&" + by, map[string]string{"Patient/p1": "Observation/b1", "Patient/p2": "Observation/b2", "Patient/p3": "Observation/b3"}},
		"a filter": {"Patient/$export?_type=Patient,Observation&_typeFilter=Observation%3Fcode%3D8867-4&_typeFilter=Patient%3Fgender%3Dmale&" + by,
			map[string]string{"Patient/p1": "Observation/b1", "Patient/p2": "Observation/b2 Patient/p2", "Patient/p3": "Patient/p3"}},
		"references": {"Patient/$export?_type=Observation,Patient,Practitioner,Organization&includeAssociatedData=_ReferencedResources&" + by,
			map[string]string{"Patient/p1": "Observation/b1 Organization/o1 Patient/p1 Practitioner/d1", "Patient/p2": "Observation/b2 Patient/p2", "Patient/p3": "Observation/b3 Patient/p3"}},
		"elements": {"Patient/$export?_type=Observation&_elements=Observation.code&" + by, map[string]string{"Patient/p1": "Observation/b1", "Patient/p2": "Observation/b2", "Patient/p3": "Observation/b3"}},
	} {
		s.wantBlocks(name, s.await(s.kick("GET", test.at, "")), test.want)
	}
	s.put(observation("b4", "p2", "718-7", ""))
	s.send("DELETE", "Observation/b3", nil, "")
	m = s.await(s.kick("GET", "Patient/$export?_since="+strings.ReplaceAll(m.TransactionTime, "+", "%2B")+"&"+by, ""))
	s.wantBlocks("changes", m, map[string]string{"Patient/p2": "Observation/b4"})
	s.want("deletions", s.lines(m.Deleted), "DELETE Observation/b3")
	s.refused("GET", "$export?_type=Organization&"+by, "", 400, "belong to no patient")
	s.refused("GET", "$export?organizeOutputBy=Group", "", 400, "organizeOutputBy")
}

// TestOrganize_dividesTheBlockOfAPatientWhoHasMuch: more than two files' worth of one patient, beside one with little.
func TestOrganize_dividesTheBlockOfAPatientWhoHasMuch(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	const n = 10_500
	var entries []string
	for i := range n {
		id := fmt.Sprintf("much-%d", i)
		entries = append(entries, fmt.Sprintf(`{"resource":%s,"request":{"method":"PUT","url":"Observation/%s"}}`, observation(id, "p2", "8867-4", ""), id))
	}
	s.batch(entries)
	m := s.await(s.kick("GET", "Patient/$export?_type=Patient,Observation&organizeOutputBy=Patient", ""))
	got := s.blocks(m)
	if len(got["Patient/p2"]) != n+2 || got["Patient/p2"][0] != "Patient/p2" || len(got["Patient/p1"]) != 2 || len(got["Patient/p3"]) != 2 || len(m.Output) != 4 {
		t.Errorf("%d resources of p2, %d files", len(got["Patient/p2"]), len(m.Output))
	}
	if id := m.ExportJobProperties.JobID; len(id) != 32 {
		t.Errorf("job %q", id)
	}
}
