package crash_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tarn/test/server"
)

// soakTime is how long everything goes on together.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("TARN_TEST_SOAK")
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("TARN_TEST_SOAK=%q is no time such as 20m", text)
	}
	return d
}

// footprint is what a process holds.
type footprint struct {
	goroutines, sockets, files int
	resident                   int64
}

func (f footprint) String() string {
	return fmt.Sprintf("%d goroutines, %d sockets, %d files, %d MiB resident", f.goroutines, f.sockets, f.files, f.resident>>20)
}

// TestSoak_returnsToWhereItWas lets writers, readers, searches, exports of all levels, imports and cancels work together,
// and looks at goroutines, open files and memory when all of it has ended: they must be what they were when the same had
// gone on for a short while before. The files of the engine may be more, since there are more data, up to its bound.
func TestSoak_returnsToWhereItWas(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: no soak")
	}
	t.Parallel()
	s := open(t, 1)
	s.live.stop()
	s.noise.stop()
	span := soakTime(t)
	s.work(max(5*time.Second, span/10))
	before := s.settle(footprint{goroutines: 1 << 20, sockets: 1 << 20, files: 1 << 20, resident: 1 << 40})
	done := s.work(span)
	bound := footprint{before.goroutines + 2, before.sockets, before.files + 64, before.resident + before.resident/4 + 32<<20}
	if os.Getenv(server.Race) != "" {
		t.Log("the memory is left out: the race detector takes much itself")
		bound.resident = math.MaxInt64
	}
	after := s.settle(bound)
	t.Logf("soak of %v: %s\nbefore: %v\nafter:  %v", span, done, before, after)
	if after.goroutines > bound.goroutines || after.sockets > bound.sockets || after.files > bound.files || after.resident > bound.resident {
		t.Errorf("after the soak the server holds %v, before it held %v", after, before)
	}
	for _, p := range []server.Place{s.place, s.other} {
		s.prove(p, nil, s.start(p, s.journal, wholeStore), "behind the soak")
	}
}

// settle waits, a minute and a half at most, until the idle server holds no more than the bound, and for the shortest
// time in which it gives memory back.
func (s *stage) settle(bound footprint) (now footprint) {
	s.Helper()
	end := time.Now().Add(90 * time.Second)
	for least := time.Now().Add(12 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		now = s.footprint()
		if time.Now().After(least) && now.goroutines <= bound.goroutines && now.sockets <= bound.sockets && now.files <= bound.files && now.resident <= bound.resident {
			return now
		}
	}
	return now
}

func (s *stage) footprint() (f footprint) {
	s.Helper()
	resp, err := http.Get(s.server.URL + "/metrics")
	must(s.T, err)
	text, err := io.ReadAll(resp.Body)
	must(s.T, err)
	resp.Body.Close()
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "go_goroutines "); ok {
			f.goroutines, _ = strconv.Atoi(strings.TrimSpace(rest))
		}
	}
	if f.goroutines == 0 {
		s.Fatalf("/metrics, status %d, tells no go_goroutines", resp.StatusCode)
	}
	dir := fmt.Sprintf("/proc/%d/fd", s.server.PID())
	all, err := os.ReadDir(dir)
	if err != nil {
		s.Skip("there is no /proc to look at")
	}
	for _, one := range all {
		if to, err := os.Readlink(filepath.Join(dir, one.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			f.sockets++
		} else if err == nil {
			f.files++
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.server.PID()))
	must(s.T, err)
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			f.resident = kib << 10
		}
	}
	return f
}

// work is everything together for a while, each to its end; it tells how much was done.
func (s *stage) work(span time.Duration) string {
	s.Helper()
	s.live = newTraffic(s.T, s.server, s.keys, s.place, s.journal)
	s.noise = newTraffic(s.T, s.server, s.keys, s.other, s.beside)
	end := time.Now().Add(span)
	var all sync.WaitGroup
	var exports, cancels, imports, kicks atomic.Int64
	until := func(f func(n int) error) {
		all.Go(func() {
			for n := 0; time.Now().Before(end) && !s.Failed(); n++ {
				if err := f(n); err != nil {
					s.Error(err)
				}
			}
		})
	}
	until(func(n int) error { // of the whole data store; every third is cancelled
		job, err := s.begin()
		if err != nil {
			return err
		}
		if n%3 == 2 {
			if a, err := s.live.send(http.MethodDelete, "export/"+job, ""); err != nil {
				return fmt.Errorf("DELETE export/%s: %w, %s", job, err, a.Body)
			}
			cancels.Add(1)
		} else {
			exports.Add(1)
		}
		return s.over(job)
	})
	for k, path := range []string{"Patient/$export?_type=Patient,Condition", "Group/g/$export?_since=" + s.since, "$export?_typeFilter=Observation%3Fstatus%3Dfinal&_type=Observation"} {
		until(func(n int) error { // to the server's own bucket: fetched, and given up
			kicks.Add(1)
			return s.kick(path, n%4 == k)
		})
	}
	until(func(int) error { // over and over again: from the second time on each line is an update
		imports.Add(1)
		job, _ := s.importStart(1)
		for {
			j, err := s.describeImport(job)
			if err != nil {
				return err
			}
			if terminal(j.JobStatus) {
				return nil
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	all.Wait()
	s.live.stop()
	s.noise.stop()
	return fmt.Sprintf("%d writes, %d reads and searches, %d exports and %d cancelled ones, %d kick-offs of HL7, %d imports; %d writes without an answer",
		s.live.written.Load()+s.noise.written.Load(), s.live.read.Load()+s.noise.read.Load(), exports.Load(), cancels.Load(), kicks.Load(), imports.Load(), s.lost())
}

// begin starts an export of the whole data store.
func (s *stage) begin() (string, error) {
	out, err := s.root.HealthLake.StartFHIRExportJob(s.Context(), s.place.Export(""))
	if err != nil {
		return "", err
	}
	return *out.JobId, nil
}

// over waits for an export's end and empties its folder.
func (s *stage) over(job string) error {
	for {
		a, err := s.live.send(http.MethodGet, "export/"+job, "")
		if err != nil {
			return err
		}
		switch a.Status {
		case http.StatusAccepted:
			time.Sleep(30 * time.Millisecond)
			continue
		case http.StatusOK:
			var body struct {
				ExportJobProperties struct{ JobStatus string }
			}
			if err := json.Unmarshal(a.Body, &body); err != nil || body.ExportJobProperties.JobStatus == "FAILED" {
				return fmt.Errorf("export %s: %v %s", job, err, a.Body)
			}
			return nil
		}
		return fmt.Errorf("export %s: status %d: %s", job, a.Status, a.Body)
	}
}

// kick is an export by HL7's kick-off to the server's own bucket. Its files are read and deleted, or it is cancelled.
func (s *stage) kick(path string, cancel bool) error {
	a, err := server.SignedWith(s.Context(), s.keys, http.MethodGet, s.place.Endpoint+path, map[string]string{"Prefer": "respond-async", "Accept": "application/fhir+json"}, nil)
	if err != nil {
		return err
	}
	at := a.Header.Get("Content-Location")
	if a.Status == http.StatusTooManyRequests {
		time.Sleep(100 * time.Millisecond)
		return nil
	}
	if a.Status != http.StatusAccepted {
		return fmt.Errorf("GET %s: status %d: %s", path, a.Status, a.Body)
	}
	status := strings.TrimPrefix(at, s.place.Endpoint)
	for !cancel {
		a, err := s.live.send(http.MethodGet, status, "")
		if err != nil {
			return err
		}
		if a.Status == http.StatusAccepted || a.Status == http.StatusTooManyRequests {
			time.Sleep(300 * time.Millisecond) // at most 4 polls a second are answered for long
			continue
		}
		var m struct{ Output []struct{ URL string } }
		if err := json.Unmarshal(a.Body, &m); err != nil || a.Status != http.StatusOK {
			return fmt.Errorf("%s: status %d, %v: %s", path, a.Status, err, a.Body)
		}
		for _, f := range m.Output {
			if a, err := s.live.send(http.MethodGet, strings.TrimPrefix(f.URL, s.place.Endpoint), ""); err != nil || a.Status != http.StatusOK {
				return fmt.Errorf("%s: status %d, %v", f.URL, a.Status, err)
			}
		}
		break
	}
	if a, err := s.live.send(http.MethodDelete, status, ""); err != nil || a.Status != http.StatusAccepted {
		return fmt.Errorf("DELETE %s: status %d, %v: %s", status, a.Status, err, a.Body)
	}
	return nil
}
