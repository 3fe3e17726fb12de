package ingest_test

import (
	"encoding/json"
	"testing"

	"tarn/ingest"
)

// TestImport_reportAgreesWithItsManifest compares what DescribeFHIRImportJob tells of an import with the manifest that it
// wrote, for one with a packed file and a bad line, and for one with a file that cannot be read.
func TestImport_reportAgreesWithItsManifest(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir()).prepare()
	s.upload("lines/a.ndjson", patient("a")+`{"resourceType":"Nobody","id":"x"}`+"\n")
	s.upload("lines/b.ndjson.gz", pack(t, "gz", packedLines(2000)))
	s.upload("damaged/a.ndjson", patient("a"))
	s.upload("damaged/b.ndjson.gz", "nonsense")
	s.upload("damaged/c.ndjson", patient("c"))
	for folder, want := range map[string]struct {
		state                   string
		files, imported, unread float64
	}{"lines": {"COMPLETED_WITH_ERRORS", 2, 2, 0}, "damaged": {"FAILED", 3, 1, 1}} {
		j := s.run(folder + "/")
		if j.JobStatus != want.state {
			t.Errorf("%s: %s %s", folder, j.JobStatus, j.Message)
		}
		var m map[string]any
		must(t, json.Unmarshal([]byte(s.object("log/"+ingest.Folder(s.data.DatastoreId, j.JobId)+"manifest.json")), &m))
		p := j.JobProgressReport
		for member, report := range map[string]float64{
			"numberOfScannedFiles": float64(p.TotalNumberOfScannedFiles), "sizeOfScannedFilesInMB": p.TotalSizeOfScannedFilesInMB,
			"numberOfFilesImported":                 float64(p.TotalNumberOfImportedFiles),
			"numberOfFilesReadWithCustomerError":    float64(p.TotalNumberOfFilesReadWithCustomerError),
			"numberOfResourcesScanned":              float64(p.TotalNumberOfResourcesScanned),
			"numberOfResourcesImportedSuccessfully": float64(p.TotalNumberOfResourcesImported),
			"numberOfResourcesWithCustomerError":    float64(p.TotalNumberOfResourcesWithCustomerError),
		} {
			if m[member] != report {
				t.Errorf("%s: %s is %v in the manifest and %v in the report", folder, member, m[member], report)
			}
		}
		if m["numberOfScannedFiles"] != want.files || m["numberOfFilesReadWithSuccess"] != want.imported || m["numberOfFilesImported"] != want.imported ||
			m["numberOfFilesReadWithCustomerError"] != want.unread || p.TotalSizeOfScannedFilesInMB == 0 {
			t.Errorf("%s: %v", folder, m)
		}
	}
}
