package bulk_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"tarn/test/server"
)

// TestErase_isDoneThoughTheServerIsKilled erases patients whose server is killed while it is at it, and looks at all that
// is told of them afterwards: each address of the FHIR API, and the files of former exports to the server's own bucket.
func TestErase_isDoneThoughTheServerIsKilled(t *testing.T) {
	t.Parallel()
	srv := server.Start(t)
	s := openOn(t, srv)
	s.populate()
	const patients = 6
	for p := range patients {
		id := fmt.Sprintf("e%d", p)
		s.put(fmt.Sprintf(`{"resourceType":"Patient","id":%q,"name":[{"family":"Erased"}]}`, id))
		var entries []string
		for i := range 200 {
			entries = append(entries, fmt.Sprintf(`{"resource":%s,"request":{"method":"PUT","url":"Observation/%s-%d"}}`, observation(fmt.Sprintf("%s-%d", id, i), id, "8867-4", ""), id, i))
		}
		s.batch(entries)
	}
	holding, other := s.kick("GET", "$export?_type=Patient", ""), s.kick("GET", "$export?_type=Practitioner", "")
	former := s.await(holding)
	s.await(other)
	for p := range patients {
		id := fmt.Sprintf("e%d", p)
		a := s.send("POST", "Patient/"+id+"/$erase?compartment=true", nil, "")
		at := a.header.Get("Content-Location")
		if a.status != http.StatusAccepted || at == "" {
			t.Fatalf("$erase: %d %v %s", a.status, a.header, a.body)
		}
		time.Sleep(time.Duration(p) * 8 * time.Millisecond) // at another place of its way each time
		srv.Kill(t)
		srv.Restart(t)
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if a = s.send("GET", at, nil, ""); a.status == http.StatusOK {
				break
			}
			if a.status != http.StatusAccepted || time.Now().After(end) {
				t.Fatalf("GET %s: %d %s", at, a.status, a.body)
			}
		}
		for _, read := range []string{"Patient/" + id, "Patient/" + id + "/_history/1", "Observation/" + id + "-7"} {
			if a := s.send("GET", read, nil, ""); a.status != http.StatusGone {
				t.Errorf("GET %s: %d %s", read, a.status, a.body)
			}
		}
		if a := s.send("GET", "Observation?_summary=count&patient="+id, nil, ""); !bytes.Contains(a.body, []byte(`"total":0`)) {
			t.Errorf("observations of %s: %s", id, a.body)
		}
	}
	if a := s.send("GET", holding, nil, ""); a.status != http.StatusNotFound {
		t.Errorf("the status of an export that held them: %d %s", a.status, a.body)
	}
	if a := s.send("GET", former.Output[0].URL, nil, ""); a.status != http.StatusGone {
		t.Errorf("its file: %d %s", a.status, a.body)
	}
	s.want("an export that held none of them", s.lines(s.await(other).Output), "Practitioner/d1")
	s.want("what is left", s.exported("GET", "$export?_type=Patient,Observation", ""),
		"Patient/p1", "Patient/p2", "Patient/p3", "Observation/b1", "Observation/b2", "Observation/b3", "Observation/lone")
	since := s.await(s.kick("GET", "$export?_type=Patient&_since="+url.QueryEscape(former.TransactionTime), ""))
	if len(since.Deleted) != 1 || len(since.Output) != 0 {
		t.Fatalf("%+v", since)
	}
	told := s.send("GET", since.Deleted[0].URL, nil, "").body
	for p := range patients {
		if !bytes.Contains(told, fmt.Appendf(nil, `"Patient/e%d"`, p)) {
			t.Errorf("Patient/e%d is not told as deleted: %s", p, told)
		}
	}
}
