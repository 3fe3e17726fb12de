package profile_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/profile"
)

// pack makes a package of the files; package.json is made where it is not among them.
func pack(t testing.TB, files map[string]string) []byte {
	t.Helper()
	if _, ok := files["package/package.json"]; !ok {
		files["package/package.json"] = `{"name":"test.profiles","version":"1.0.0","fhirVersions":["4.0.1"]}`
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for _, name := range names {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// setOf compiles resources as one package.
func setOf(t testing.TB, resources ...string) *profile.Set {
	t.Helper()
	files := map[string]string{}
	for i, r := range resources {
		files[fmt.Sprintf("package/%03d.json", i)] = r
	}
	p, err := profile.Read(bytes.NewReader(pack(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	set := profile.NewSet(p)
	for _, one := range set.Profiles() {
		if one.Flaw != "" {
			t.Fatalf("%s: %s", one.URL, one.Flaw)
		}
	}
	return set
}

// check gives the issues as lines: severity code expression: sentence.
func check(t testing.TB, set interface {
	Check(doc *fhir.Doc, resource fhir.Node, url string, report func(fhir.Issue)) bool
	Extensions(doc *fhir.Doc, report func(fhir.Issue))
}, resource string, urls ...string) []string {
	t.Helper()
	parser := fhir.NewParser(fhir.Limits{MaxBytes: 64 << 20})
	if _, err := parser.Parse([]byte(resource)); err != nil {
		t.Fatalf("%v in %s", err, resource)
	}
	var lines []string
	report := func(i fhir.Issue) {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", i.Severity, i.Code, strings.Join(i.Expression, " "), i.Details))
	}
	for _, url := range urls {
		if !set.Check(parser.Doc(), parser.Doc().Root(), url, report) {
			t.Fatalf("%s is not known", url)
		}
	}
	set.Extensions(parser.Doc(), report)
	return lines
}

// shared is a file of the shared test data; it ends the test where that is not there.
func shared(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	file := filepath.Join(folder, name)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the shared data is not here: %s is not looked at", name)
	}
	return file
}

// lines reads a compressed NDJSON file.
func lines(t testing.TB, file string, yield func(line []byte)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(unzipped)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		yield(scanner.Bytes())
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
}

// core is HL7's own profiles, extensions and value sets of FHIR R4.
func core(t testing.TB) *profile.Set {
	t.Helper()
	files := map[string]string{}
	for _, typ := range []string{"StructureDefinition", "ValueSet", "CodeSystem"} {
		lines(t, shared(t, "definitions/hl7.fhir.r4.core-4.0.1/"+typ+".ndjson.gz"), func(line []byte) {
			files[fmt.Sprintf("package/%s-%04d.json", typ, len(files))] = string(line)
		})
	}
	p, err := profile.Read(bytes.NewReader(pack(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	return profile.NewSet(p)
}

func profilesOf(line []byte) []string {
	var r struct{ Meta struct{ Profile []string } }
	_ = json.Unmarshal(line, &r)
	return r.Meta.Profile
}
