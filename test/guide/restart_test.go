package guide_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/test/server"
)

// TestGuide_endsAnExportThatARestartInterrupts stops the process in the middle of exports, by SIGTERM and by SIGKILL at
// several moments: the job ends after the restart, and its bytes are those of an export that nothing disturbed.
func TestGuide_endsAnExportThatARestartInterrupts(t *testing.T) {
	t.Parallel()
	s, root, p := large(t, "restart", "--export-workers", "1")
	calm := root.AwaitExport(t, p, root.StartExport(t, p, "undisturbed"))
	want, _ := root.Folder(t, uriOf(calm))
	for what, c := range map[string]struct {
		stop  func(testing.TB)
		after int // files
	}{
		"SIGTERM after 2 files":  {s.Terminate, 2},
		"SIGKILL at once":        {s.Kill, 0},
		"SIGKILL after 1 file":   {s.Kill, 1},
		"SIGKILL after 12 files": {s.Kill, 12},
	} {
		hit := false
		for range 30 { // the job may end before the signal arrives
			job := root.StartExport(t, p, what)
			bucket, prefix := server.SplitURI(t, uriOf(root.DescribeExport(t, p, job)))
			for c.after > 0 && len(root.Objects(t, bucket, prefix)) < c.after {
			}
			c.stop(t)
			stopped := time.Now()
			s.Restart(t)
			j := root.AwaitExport(t, p, job)
			if hit = j.EndTime.After(stopped); hit {
				sameBytes(t, root, p, what, want, uriOf(j))
				break
			}
		}
		if !hit {
			t.Errorf("%s: every export ended before it", what)
		}
	}
}

// sameBytes holds an export against another one of the same transaction, and against the digests that the server
// computes anew from the data store.
func sameBytes(t *testing.T, root *server.Clients, p server.Place, what string, want server.Manifest, uri string) {
	t.Helper()
	m, _ := root.Folder(t, uri)
	if m.TxID != want.TxID {
		t.Fatalf("%s: as of transaction %d, the undisturbed export as of %d; nothing was written between them", what, m.TxID, want.TxID)
	}
	if diff := cmp.Diff(nameless(want), nameless(m)); diff != "" {
		t.Errorf("%s: not the bytes of the undisturbed export (-undisturbed +interrupted):\n%s", what, diff)
	}
	a, err := server.Signed(t.Context(), root.Keys, "GET", p.Endpoint+"export/"+m.JobID+"/digests", nil)
	must(t, err)
	var digests server.Manifest
	if err := json.Unmarshal(a.Body, &digests); err != nil || a.Status != 200 {
		t.Fatalf("%s: digests: status %d, %v", what, a.Status, err)
	}
	if diff := cmp.Diff(digests.Output, m.Output); diff != "" {
		t.Errorf("%s: not what the store says (-store +manifest):\n%s", what, diff)
	}
}

// nameless is what a manifest says of its files, with the number in their names that is the job's taken out.
func nameless(m server.Manifest) []server.File {
	files := make([]server.File, len(m.Output))
	for i, f := range m.Output {
		parts := strings.Split(f.Name, "-")
		if len(parts) == 4 {
			parts[1] = "N"
		}
		f.Name = strings.Join(parts, "-")
		files[i] = f
	}
	return files
}
