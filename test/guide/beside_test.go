package guide_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/test/server"
)

// TestGuide_letsResourcesChangeWhileAnExportRuns creates, reads, updates and deletes a resource between two looks at an
// export that both say IN_PROGRESS; nothing of it is in the export.
func TestGuide_letsResourcesChangeWhileAnExportRuns(t *testing.T) {
	t.Parallel()
	_, root, p := large(t, "beside", "--export-workers", "1")
	for attempt := range 50 { // a machine that is fast, or busy elsewhere, may end the export before the resource is through
		job := root.StartExport(t, p, "")
		for root.DescribeExport(t, p, job).JobStatus == types.JobStatusSubmitted {
		}
		if root.DescribeExport(t, p, job).JobStatus != types.JobStatusInProgress {
			continue
		}
		patient := fmt.Sprintf("beside-%d", attempt)
		change(t, root, p, patient)
		during := root.DescribeExport(t, p, job).JobStatus == types.JobStatusInProgress
		_, files := root.Folder(t, uriOf(root.AwaitExport(t, p, job)))
		for name, b := range files {
			if bytes.Contains(b, []byte(patient)) || bytes.Contains(b, []byte("changed beside an export")) {
				t.Errorf("%s shows what was written behind its transaction", name)
			}
		}
		if during {
			return
		}
	}
	t.Fatal("no export ran long enough to change a resource beside it")
}

// change creates, reads, updates and deletes resources, an imported one among them, and sees each change at once.
func change(t *testing.T, c *server.Clients, p server.Place, patient string) {
	t.Helper()
	send := func(status int, method, path, body string) []byte {
		t.Helper()
		a, err := server.Signed(t.Context(), c.Keys, method, p.Endpoint+path, []byte(body))
		must(t, err)
		if a.Status != status {
			t.Errorf("%s %s: status %d, want %d\n%s", method, path, a.Status, status, a.Body)
		}
		return a.Body
	}
	created := send(201, "POST", "Patient", `{"resourceType":"Patient","language":"en","name":[{"family":"`+patient+`"}]}`)
	m := id.FindSubmatch(created)
	if m == nil {
		t.Fatalf("created %s", created)
	}
	at := "Patient/" + string(m[1])
	if read := send(200, "GET", at, ""); !bytes.Equal(read, created) {
		t.Errorf("read %s, created %s", read, created)
	}
	send(200, "PUT", at, `{"resourceType":"Patient","id":"`+string(m[1])+`","name":[{"family":"`+patient+`","given":["changed"]}]}`)
	if read := send(200, "GET", at, ""); !bytes.Contains(read, []byte(`"versionId":"2"`)) || !bytes.Contains(read, []byte("changed")) {
		t.Errorf("read %s after its update", read)
	}
	send(200, "PUT", "Basic/basic-00007", `{"resourceType":"Basic","id":"basic-00007","code":{"text":"changed beside an export"}}`)
	send(204, "DELETE", at, "")
	send(410, "GET", at, "")
	send(200, "PUT", "Basic/basic-00007", `{"resourceType":"Basic","id":"basic-00007","code":{"text":"number 7"}}`)
}
