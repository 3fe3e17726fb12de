package validate_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"tarn/ndjson"
)

// shared is a path below the folder of test data, which may be absent.
func shared(path string) string {
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	return filepath.Join(folder, path)
}

// samples are the lines of the files that match pattern below the folder of test data, every nth of each file; none where
// they are absent.
func samples(t testing.TB, pattern string, nth int64) map[string][][]byte {
	t.Helper()
	paths, _ := filepath.Glob(shared(pattern))
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
