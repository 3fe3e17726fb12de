package fhir_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"tarn/ndjson"
)

// samples are the lines of the files that match pattern below the folder of test data, every nth of each file; the test
// is skipped where they are absent. The map has one entry for each file.
func samples(t testing.TB, pattern string, nth int64) map[string][][]byte {
	t.Helper()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../shared/data"
	}
	paths, _ := filepath.Glob(filepath.Join(folder, pattern))
	if len(paths) == 0 {
		t.Skipf("no test data: %s is left out", pattern)
	}
	files := make(map[string][][]byte)
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := ndjson.NewReader(unzipped, ndjson.ReaderOptions{})
		for {
			line, err := reader.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if line.Number%nth == 0 {
				files[filepath.Base(path)] = append(files[filepath.Base(path)], append([]byte(nil), line.Bytes...))
			}
		}
		file.Close()
	}
	return files
}
