package guide_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/test/server"
)

// oneType is how many resources of one type a large data store holds: two full files and a part of a third.
const oneType = 12_345

// large is a server with a data store that takes a while to export: oneType resources of one type, and a population of
// some 20 other types.
func large(t *testing.T, name string, args ...string) (*server.Server, *server.Clients, server.Place) {
	t.Helper()
	s := server.Start(t, args...)
	root := s.As(s.Root(t))
	p := root.Build(t, name)
	var b bytes.Buffer
	for n := range oneType {
		fmt.Fprintf(&b, `{"resourceType":"Basic","id":"basic-%05d","code":{"text":"number %d"}}`+"\n", n, n)
	}
	root.Put(t, p.Bucket, "in/Basic.ndjson", b.Bytes())
	populate(t, root, p, "40")
	return s, root, p
}

// populate imports a population, and what lies in the bucket below in/ already.
func populate(t *testing.T, root *server.Clients, p server.Place, patients string) {
	t.Helper()
	dir := t.TempDir()
	if _, stderr, code := server.Tarn(t, "synth", "--patients", patients, "--out", dir); code != 0 {
		t.Fatalf("tarn synth: exit %d\n%s", code, stderr)
	}
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		must(t, err)
		root.Put(t, p.Bucket, "in/"+f.Name(), b)
	}
	report := root.Import(t, p, "in/").JobProgressReport
	if *report.TotalNumberOfResourcesImported < 1000 || *report.TotalNumberOfResourcesWithCustomerError != 0 {
		t.Fatalf("the import reports %+v", report)
	}
}

// TestGuide_putsAtMost5000ResourcesInAFile: 12,345 of one type are files of 5,000, 5,000 and 2,345.
func TestGuide_putsAtMost5000ResourcesInAFile(t *testing.T) {
	t.Parallel()
	_, root, p := large(t, "files")
	j := root.AwaitExport(t, p, root.StartExport(t, p, ""))
	m, files := root.Folder(t, uriOf(j))
	var counts []int
	seen := map[string]bool{}
	for _, f := range m.Output {
		if f.Type != "Basic" {
			continue
		}
		counts = append(counts, f.Count)
		for line := range strings.Lines(string(files[f.Name])) {
			seen[id.FindStringSubmatch(line)[1]] = true
		}
	}
	if fmt.Sprint(counts) != "[5000 5000 2345]" {
		t.Errorf("files of %v", counts)
	}
	for n := range oneType {
		if !seen[fmt.Sprintf("basic-%05d", n)] {
			t.Errorf("basic-%05d is missing", n)
		}
	}
}
