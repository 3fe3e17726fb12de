package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/ingest"
	"tarn/job"
	"tarn/store"
)

// runUntil lets a worker work until stop is closed, and then drain; as a server that is stopped, or that has died if the
// worker is deaf.
func (w *world) runUntil(stop <-chan struct{}) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.runner().Run(ctx) }()
	<-stop
	cancel()
	must(w.t, <-done)
}

// TestImport_isCancelledWhoeverWorksOnIt cancels an import that waits, one that nobody works on since its server is gone,
// and one that runs.
func TestImport_isCancelledWhoeverWorksOnIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 3 {
			w.cloud.set(fmt.Sprintf("in/%d.ndjson", i), patient(fmt.Sprintf("p-%d", i))+"broken\n")
		}
		first, second := w.start(), w.start()
		stop := make(chan struct{})
		w.cloud.onGet = func(key string) {
			if key == "in/2.ndjson" { // two files are done
				w.cloud.onGet = nil
				close(stop)
				time.Sleep(time.Second)
			}
		}
		w.runUntil(stop)
		if got := w.describe(first); got.State != job.InProgress {
			t.Fatalf("%s %s", got.State, got.Message)
		}
		cancel := func(rec job.Record) {
			got, err := w.svc.Cancel(t.Context(), datastore, rec.ID)
			if err != nil || got.State != job.CancelSubmitted {
				t.Errorf("%s, %v", got.State, err)
			}
		}
		cancel(second)
		cancel(first)
		w.work()
		for _, rec := range []job.Record{first, second} {
			if got := w.describe(rec); got.State != job.CancelCompleted {
				t.Errorf("%s %s", got.State, got.Message)
			}
		}
		if left := w.riders(); left > 0 {
			t.Errorf("%d pieces are left", left)
		}
		if got := w.output(second); len(got) != 0 {
			t.Errorf("an import that never ran has written %v", got)
		}
		logs, versions := w.output(first), w.versions()
		if len(versions) < 2 || len(logs) != 2*len(versions)+1 || !strings.Contains(logs["manifest.json"], fmt.Sprintf(`"numberOfResourcesImportedSuccessfully": %d`, len(versions))) {
			t.Errorf("%d resources stay, and the logs are %v", len(versions), logs)
		}

		third := w.start()
		w.cloud.onGet = func(key string) {
			if key == "in/1.ndjson" {
				w.cloud.onGet = nil
				cancel(third)
			}
		}
		begin := time.Now()
		w.work()
		if got := w.describe(third); got.State != job.CancelCompleted || time.Since(begin) > 5*time.Second {
			t.Errorf("%s %s after %v", got.State, got.Message, time.Since(begin))
		}
		if _, err := w.svc.Cancel(t.Context(), datastore, third.ID); err == nil {
			t.Error("an import that has ended was cancelled")
		}
		if left := w.riders(); left > 0 {
			t.Errorf("%d pieces are left", left)
		}
	})
}

// TestImport_addsNothingBehindItsCancel lets a worker go on that does not know that its job was taken over and cancelled.
func TestImport_addsNothingBehindItsCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.set("in/a.ndjson", patient("a"))
		w.cloud.set("in/b.ndjson", patient("b"))
		rec := w.start()
		w.cloud.onGet = func(key string) {
			if key != "in/b.ndjson" {
				return
			}
			w.cloud.onGet = nil
			// The other worker's tidying, by its traces: the place says that the job has ended.
			name := []byte("import/" + rec.ID + "/place")
			at, err := w.data.Rider(t.Context(), name)
			must(t, err)
			ended := strings.Replace(string(at), "{", `{"ended":"The import was cancelled.",`, 1)
			_, err = w.data.Commit(t.Context(), store.Transaction{Riders: []store.Rider{{Key: name, Value: []byte(ended)}}})
			must(t, err)
		}
		w.work()
		if got := w.describe(rec); got.State != job.Failed || got.Message != "The import was cancelled." {
			t.Errorf("%s %s", got.State, got.Message)
		}
		if v := w.versions(); len(v) != 1 {
			t.Errorf("%v", v)
		}
	})
}

// TestImport_isCancelledByItsClient cancels imports of a whole server: one that runs, and one that waits behind it; and
// lets one fail in the middle.
func TestImport_isCancelledByItsClient(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir()).prepare()
	var text strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&text, `{"resourceType":"Observation","id":"o-%d","status":"final","code":{"text":"note"}}`+"\n", i)
	}
	s.upload("in/a.ndjson", patient("a")+"broken\n")
	s.upload("in/b.ndjson", text.String())
	first, err := s.client.StartImport(t.Context(), s.request("in/"))
	must(t, err)
	second, err := s.client.StartImport(t.Context(), s.request("in/"))
	must(t, err)
	for {
		j, err := s.client.DescribeImport(t.Context(), s.data.DatastoreId, first)
		must(t, err)
		if j.JobStatus == "IN_PROGRESS" || j.JobProgressReport.TotalNumberOfResourcesScanned > 0 {
			break
		}
	}
	for _, id := range []string{second, first} {
		status, err := s.client.CancelImport(t.Context(), s.data.DatastoreId, id)
		if err != nil || status != "CANCEL_SUBMITTED" && status != "CANCEL_IN_PROGRESS" && status != "CANCEL_COMPLETED" {
			t.Fatalf("%s, %v", status, err)
		}
	}
	for _, id := range []string{first, second} {
		if j := s.wait(id); j.JobStatus != "CANCEL_COMPLETED" {
			t.Errorf("%s %s", j.JobStatus, j.Message)
		}
	}
	s.tells(first)
	for o, err := range s.client.Objects(t.Context(), bucket, "log/"+ingest.Folder(s.data.DatastoreId, second)) {
		t.Errorf("an import that never ran has written %s (%v)", o.Key, err)
	}

	s.upload("bad/a.ndjson", patient("x")+"broken\n")
	s.upload("bad/b.ndjson.gz", "this is not gzip")
	third, err := s.client.StartImport(t.Context(), s.request("bad/"))
	must(t, err)
	if j := s.wait(third); j.JobStatus != "FAILED" || !strings.Contains(j.Message, "bad/b.ndjson.gz") {
		t.Errorf("%s %s", j.JobStatus, j.Message)
	}
	s.tells(third)
}

// tells holds the logs and the manifest of an import that did not come to its end against its report.
func (s *server) tells(id string) {
	s.t.Helper()
	j, err := s.client.DescribeImport(s.t.Context(), s.data.DatastoreId, id)
	must(s.t, err)
	folder := "log/" + ingest.Folder(s.data.DatastoreId, id)
	imported := j.JobProgressReport.TotalNumberOfResourcesImported
	if manifest := s.object(folder + "manifest.json"); !strings.Contains(manifest, fmt.Sprintf(`"numberOfResourcesImportedSuccessfully": %d,`, imported)) {
		s.t.Errorf("%d were imported, and the manifest is %s", imported, manifest)
	}
	lines := 0
	for o, err := range s.client.Objects(s.t.Context(), bucket, folder+"SUCCESS/") {
		must(s.t, err)
		lines += strings.Count(s.object(o.Key), "\n")
	}
	if int64(lines) != imported {
		s.t.Errorf("%d were imported, and %d stand in the logs", imported, lines)
	}
}
