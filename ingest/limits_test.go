package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"tarn/ingest"
	"tarn/job"
)

// TestImport_holdsToItsLimits gives imports that are at a limit and one over it.
func TestImport_holdsToItsLimits(t *testing.T) {
	t.Parallel()
	line := patient("p-1")
	size := int64(len(line))
	bomb := strings.Repeat(line, 2000)
	for name, c := range map[string]struct {
		limits ingest.Limits
		files  map[string]string
		says   string // nothing: the import is COMPLETED
		stays  int    // resources
	}{
		"as many files as may be":  {ingest.Limits{Files: 2}, map[string]string{"a.ndjson": line, "b.ndjson": patient("b"), "c.txt": line}, "", 2},
		"too many files":           {ingest.Limits{Files: 2}, map[string]string{"a.ndjson": line, "b.ndjson": line, "c.ndjson": line}, "more than 2 files", 0},
		"a file as large as may":   {ingest.Limits{FileBytes: size}, map[string]string{"a.ndjson": line}, "", 1},
		"too large a file":         {ingest.Limits{FileBytes: size - 1}, map[string]string{"a.ndjson": "\n", "b.ndjson": line}, fmt.Sprintf("s3://bucket/in/b.ndjson has %d bytes; the limit of one file is %d", size, size-1), 0},
		"as much as may be":        {ingest.Limits{JobBytes: 2 * size}, map[string]string{"a.ndjson": line, "b.ndjson": line}, "", 1},
		"too much":                 {ingest.Limits{JobBytes: 2*size - 1}, map[string]string{"a.ndjson": line, "b.ndjson": line}, fmt.Sprintf("more than %d bytes", 2*size-1), 0},
		"unpacked, as much as may": {ingest.Limits{FileBytes: int64(len(bomb))}, map[string]string{"a.ndjson.gz": pack(t, "gz", bomb)}, "", 1},
		"a gzip bomb":              {ingest.Limits{FileBytes: int64(len(bomb)) - 1}, map[string]string{"a.ndjson.gz": pack(t, "gz", bomb)}, "s3://bucket/in/a.ndjson.gz has more than", 1},
		"a zstd bomb":              {ingest.Limits{FileBytes: int64(len(bomb)) - 1}, map[string]string{"a.ndjson.zst": pack(t, "zst", bomb)}, "when it is unpacked, and one file may not have more", 1},
		"a bomb of one line":       {ingest.Limits{FileBytes: 40 << 20}, map[string]string{"a.ndjson.zst": pack(t, "zst", line+strings.Repeat(" ", 41<<20))}, "one file may not have more", 0},
		"bombs that are too much together": {ingest.Limits{JobBytes: int64(len(bomb)) + 9}, map[string]string{"a.ndjson.gz": pack(t, "gz", bomb), "b.ndjson.gz": pack(t, "gz", bomb)},
			"s3://bucket/in/b.ndjson.gz has more than 9 bytes when it is unpacked, and the files of one import together may not have more", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.svc = ingest.New(ingest.Options{Datastores: w, Ledger: w.ledger, Cloud: w.cloud, Limits: c.limits})
			for name, text := range c.files {
				w.cloud.set("in/"+name, text)
			}
			rec := w.start()
			w.work()
			got := w.describe(rec)
			if want := map[bool]job.State{true: job.Completed, false: job.Failed}[c.says == ""]; got.State != want || !strings.Contains(got.Message, c.says) {
				t.Errorf("%s %q", got.State, got.Message)
			}
			if c.says != "" && !strings.Contains(got.Message, "Divide") {
				t.Errorf("no remedy: %q", got.Message)
			}
			if n := len(w.versions()); n < min(c.stays, 1) || n > c.stays && c.stays > 0 || c.stays == 0 && n > 1 {
				t.Errorf("%d resources stay", n)
			}
		})
	}
}
