// Package conformance_test has validators of FHIR R4 by others read what the real program exports.
package conformance_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/test/server"
)

func TestMain(m *testing.M) { os.Exit(server.Main(m)) }

// every says that all lines are read, not perType of each type.
const (
	every   = "TARN_CONFORMANCE" // "full"
	perType = 400
)

// judge is Node with the validators.
type judge struct{ dir string }

// newJudge installs the validators, as package-lock.json pins them, into a folder that goes with the test.
func newJudge(t *testing.T) judge {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s on PATH: validators by others (npm fhir, @solarahealth/fhir-r4) are left out", tool)
		}
	}
	j := judge{t.TempDir()}
	for _, name := range []string{"package.json", "package-lock.json", "accept.js"} {
		text, err := os.ReadFile(name)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(j.dir, name), text, 0o644))
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = j.dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Skipf("the validators cannot be installed (%v), so they are left out:\n%s", err, out)
	}
	return j
}

// verdict is what the validators say of one file.
type verdict struct {
	File         string
	Lines        int
	FHIR         opinion
	Solarahealth opinion
}

type opinion struct {
	Refused, Warned int
	Examples        []string
}

func (j judge) read(t *testing.T, files ...string) []verdict {
	t.Helper()
	node := exec.CommandContext(t.Context(), "node", append([]string{"accept.js"}, files...)...)
	node.Dir = j.dir
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.Bytes())
	}
	var all []verdict
	for line := range bytes.Lines(out) {
		var v verdict
		must(t, json.Unmarshal(line, &v))
		all = append(all, v)
	}
	if len(all) != len(files) {
		t.Fatalf("%d verdicts of %d files\n%s", len(all), len(files), stderr.Bytes())
	}
	return all
}

// TestValidatorsOfOthers_acceptEveryExportedLine imports the Synthea set, exports it, and has both validators read the
// export.
func TestValidatorsOfOthers_acceptEveryExportedLine(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	lines := synthea(t)
	s := server.Start(t)
	root := s.As(s.Root(t))
	p := root.Build(t, "conformance")
	total := 0
	for name, body := range lines {
		root.Put(t, p.Bucket, "in/"+name, body)
		total += bytes.Count(body, []byte("\n"))
	}
	report := root.Import(t, p, "in/").JobProgressReport
	if int(*report.TotalNumberOfResourcesImported) != total || *report.TotalNumberOfResourcesWithCustomerError != 0 {
		t.Fatalf("of %d resources %d are imported, %d are wrong", total, *report.TotalNumberOfResourcesImported, *report.TotalNumberOfResourcesWithCustomerError)
	}
	job := root.AwaitExport(t, p, root.StartExport(t, p, ""))
	m, exported := root.Folder(t, *job.OutputDataConfig.(*types.OutputDataConfigMemberS3Configuration).Value.S3Uri)
	dir := t.TempDir()
	var files []string
	for _, f := range m.Output {
		file := filepath.Join(dir, strings.ReplaceAll(f.Name, "/", "-"))
		must(t, os.WriteFile(file, exported[f.Name], 0o644))
		files = append(files, file)
	}
	seen, warned := 0, 0
	for _, v := range j.read(t, files...) {
		seen += v.Lines
		warned += v.FHIR.Warned
		for name, o := range map[string]opinion{"fhir": v.FHIR, "@solarahealth/fhir-r4": v.Solarahealth} {
			if o.Refused > 0 {
				t.Errorf("npm %s refuses %d of %d lines of %s:\n%s", name, o.Refused, v.Lines, filepath.Base(v.File), strings.Join(o.Examples, "\n"))
			}
		}
	}
	if seen != total {
		t.Errorf("the export has %d lines, want %d", seen, total)
	}
	t.Logf("%d exported lines read by both validators, none refused; npm fhir warns of %d", seen, warned)
}

// TestValidatorsOfOthers_acceptTheCapabilityStatement: what the program says of itself is valid too.
func TestValidatorsOfOthers_acceptTheCapabilityStatement(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	s := server.Start(t)
	keys := s.Root(t)
	p := s.As(keys).Build(t, "metadata")
	answer, err := server.Signed(t.Context(), keys, "GET", p.Endpoint+"metadata", nil)
	must(t, err)
	file := filepath.Join(t.TempDir(), "metadata.ndjson")
	must(t, os.WriteFile(file, answer.Body, 0o644))
	v := j.read(t, file)[0]
	if answer.Status != 200 || v.Lines != 1 || v.FHIR.Refused > 0 || v.Solarahealth.Refused > 0 {
		t.Errorf("status %d: %+v", answer.Status, v)
	}
}

// TestValidatorsOfOthers_refuseWhatIsWrong is the proof of the proof: each validator finds what it is there to find.
func TestValidatorsOfOthers_refuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	dir := t.TempDir()
	wrong := []struct{ what, line string }{
		{"an element that R4 does not know", `{"resourceType":"Patient","surprise":true}`},
		{"a code outside a required value set", `{"resourceType":"Patient","gender":"unsure"}`},
		{"no status, which is required", `{"resourceType":"Observation","code":{"text":"x"}}`},
		{"one where a list is due", `{"resourceType":"Patient","name":{"family":"x"}}`},
		{"a text where a truth is due", `{"resourceType":"Patient","active":"yes"}`},
	}
	var files []string
	for i, c := range wrong {
		files = append(files, filepath.Join(dir, fmt.Sprintf("%d.ndjson", i)))
		must(t, os.WriteFile(files[i], []byte(c.line+"\n"), 0o644))
	}
	for i, v := range j.read(t, files...) {
		if v.FHIR.Refused != 1 || v.Solarahealth.Refused != 1 {
			t.Errorf("%s: npm fhir refuses %d, @solarahealth/fhir-r4 %d", wrong[i].what, v.FHIR.Refused, v.Solarahealth.Refused)
		}
	}
}

// synthea is the Synthea set by file: all lines, or the same perType of each type every time. Where the set is not
// there, an invented population takes its place.
func synthea(t *testing.T) map[string][]byte {
	t.Helper()
	data := os.Getenv("TARN_TEST_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(data, "synthea", "*.ndjson.gz"))
	must(t, err)
	if len(files) == 0 {
		t.Log("the Synthea set is not there (TARN_TEST_DATA): an invented population takes its place")
		dir := t.TempDir()
		if _, stderr, code := server.Tarn(t, "synth", "--patients", "20", "--out", dir); code != 0 {
			t.Fatalf("tarn synth: exit %d\n%s", code, stderr)
		}
		files, err = filepath.Glob(filepath.Join(dir, "*.ndjson"))
		must(t, err)
	}
	full := os.Getenv(every) == "full"
	if !full {
		t.Logf("%d lines of each type are read; %s=full reads all", perType, every)
	}
	lines := map[string][]byte{}
	for _, file := range files {
		body := unzipped(t, file)
		if all := bytes.SplitAfter(body, []byte("\n")); !full && len(all) > perType {
			var some [][]byte
			for i := range perType {
				some = append(some, all[i*(len(all)-1)/perType])
			}
			body = bytes.Join(some, nil)
		}
		lines[strings.TrimSuffix(filepath.Base(file), ".gz")] = body
	}
	return lines
}

func unzipped(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	var b bytes.Buffer
	if !strings.HasSuffix(file, ".gz") {
		_, err = b.ReadFrom(f)
	} else {
		var z *gzip.Reader
		z, err = gzip.NewReader(bufio.NewReader(f))
		must(t, err)
		_, err = b.ReadFrom(z)
	}
	must(t, err)
	return b.Bytes()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
