// Package whole_test sends a whole population through the real program: in by an import, out by exports, while writers
// change a tenth of it. test/checker proves the exports by its own journal, and catches what is planted in them.
package whole_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tarn/test/server"
)

func TestMain(m *testing.M) { os.Exit(server.Main(m)) }

// input is a folder with the population: the Synthea set where it is there, else an invented one.
func input(t *testing.T) (dir string, resources int) {
	t.Helper()
	data := os.Getenv("TARN_TEST_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	synthea := filepath.Join(data, "synthea")
	if _, err := os.Stat(filepath.Join(synthea, "Patient.ndjson.gz")); err == nil && !testing.Short() {
		return synthea, 189_111
	}
	t.Log("the Synthea set is not there (TARN_TEST_DATA), or -short is on: an invented population of some 20,000 resources takes its place")
	dir = t.TempDir()
	out, stderr, code := server.Tarn(t, "synth", "--patients", "70", "--out", dir, "--json")
	var made struct{ Resources int }
	if err := json.Unmarshal([]byte(out), &made); code != 0 || err != nil {
		t.Fatalf("tarn synth: exit %d, %v\n%s", code, err, stderr)
	}
	return dir, made.Resources
}

// outsider is the checker, built, and what it needs to know.
type outsider struct {
	t               *testing.T
	program         string
	endpoint, paper string
	place           server.Place
}

func newOutsider(t *testing.T, s *server.Server, p server.Place, keys aws.Credentials) *outsider {
	t.Helper()
	o := &outsider{t, filepath.Join(t.TempDir(), "checker"), s.URL, filepath.Join(t.TempDir(), "journal.ndjson"), p}
	if out, err := server.Build(o.program, "./test/checker"); err != nil {
		t.Fatalf("the checker does not build: %v\n%s", err, out)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", keys.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey)
	return o
}

// check runs the checker over an export.
func (o *outsider) check(folder string) (string, int) {
	o.t.Helper()
	out, stderr, code := server.RunWith(o.t, os.Environ(), o.program, "check", "--endpoint", o.endpoint, "--journal", o.paper, "--folder", folder, "--kms-key", o.place.Key)
	return out + stderr, code
}

// load runs the checker's writers and gives the folders of the exports: one beside them, one behind them.
func (o *outsider) load(dir string, resources int) (beside, behind string) {
	o.t.Helper()
	out, stderr, code := server.RunWith(o.t, os.Environ(), o.program, "load", "--endpoint", o.endpoint, "--journal", o.paper, "--datastore", o.place.Datastore,
		"--bucket", o.place.Bucket, "--role", o.place.Role, "--kms-key", o.place.Key, "--input", dir, "--change", "0.1")
	if code != 0 {
		o.t.Fatalf("the load ends with exit %d\n%s%s", code, out, stderr)
	}
	var said struct {
		Imported, Written, Lost, WritesWhileItRan int
		Folder                                    string
	}
	for line := range strings.Lines(out) {
		said.Folder = ""
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			o.t.Fatal(err)
		}
		switch {
		case said.Folder == "":
		case beside == "":
			beside = said.Folder
		default:
			behind = said.Folder
		}
	}
	o.t.Logf("%s", strings.TrimSpace(out))
	if said.Imported != resources || said.Written < resources/10 || said.Lost > 0 || said.WritesWhileItRan == 0 || behind == "" {
		o.t.Fatalf("the load says %+v", said)
	}
	return beside, behind
}

// TestWhole_comesOutAsItWentIn is the proof, and the proof of the proof.
func TestWhole_comesOutAsItWentIn(t *testing.T) {
	dir, resources := input(t)
	s := server.Start(t)
	keys := s.Root(t)
	root := s.As(keys)
	p := root.Build(t, "whole")
	o := newOutsider(t, s, p, keys)
	beside, behind := o.load(dir, resources)
	for what, folder := range map[string]string{"beside the writers": beside, "behind the writers": behind} {
		out, code := o.check(folder)
		t.Logf("%s: %s", what, strings.TrimSpace(out))
		if code != 0 || !strings.Contains(out, "; 0 undecided; 0 problems") {
			t.Errorf("the export %s: exit %d", what, code)
		}
		if out, stderr, code := s.Tarn(t, "verify", folder); code != 0 {
			t.Errorf("tarn verify of the export %s: exit %d\n%s%s", what, code, out, stderr)
		}
	}
	if t.Failed() {
		return
	}
	plant := planting{t, s, root, o, beside}
	plant.lines()
	plant.forgery()
}

// planting puts mistakes into an export that lies in its bucket.
type planting struct {
	t      *testing.T
	s      *server.Server
	root   *server.Clients
	o      *outsider
	folder string
}

// file reads a file of the export.
func (p *planting) file(name string) (bucket, key string, lines [][]byte) {
	p.t.Helper()
	bucket, prefix := server.SplitURI(p.t, p.folder)
	b, _ := p.root.Get(p.t, bucket, prefix+name)
	lines = bytes.SplitAfter(b, []byte("\n"))
	return bucket, prefix + name, lines[:len(lines)-1] // each with its newline
}

func (p *planting) manifest() (m map[string]any, files []any) {
	p.t.Helper()
	_, _, lines := p.file("manifest.json")
	if err := json.Unmarshal(bytes.Join(lines, nil), &m); err != nil {
		p.t.Fatal(err)
	}
	return m, m["output"].([]any)
}

// put writes a file of the export as it shall be.
func (p *planting) put(bucket, key string, lines [][]byte) {
	p.t.Helper()
	p.root.Put(p.t, bucket, key, bytes.Join(lines, nil))
}

// which names the resource of a line.
func (p *planting) which(line []byte) string {
	p.t.Helper()
	var r struct{ ResourceType, ID string }
	if err := json.Unmarshal(line, &r); err != nil {
		p.t.Fatal(err)
	}
	return r.ResourceType + "/" + r.ID
}

// lines plants a missing, a doubled and an altered line in three files; both provers must name each.
func (p *planting) lines() {
	_, files := p.manifest()
	var texts []string // what the checker must say
	var names []string
	for i, plant := range []func(lines [][]byte) ([][]byte, string){
		func(lines [][]byte) ([][]byte, string) {
			return lines[1:], p.which(lines[0]) + ", version 1, is missing"
		},
		func(lines [][]byte) ([][]byte, string) {
			return append([][]byte{lines[0]}, lines...), p.which(lines[0]) + " is doubled"
		},
		func(lines [][]byte) ([][]byte, string) {
			return append([][]byte{altered(p.t, lines[0])}, lines[1:]...), p.which(lines[0]) + " is altered"
		},
	} {
		name := files[i*(len(files)-1)/2].(map[string]any)["name"].(string)
		bucket, key, lines := p.file(name)
		at := untouched(p.t, lines)
		lines[0], lines[at] = lines[at], lines[0] // the order says nothing to the checker; the digest does
		lines, text := plant(lines)
		p.put(bucket, key, lines)
		texts, names = append(texts, text), append(names, name)
	}
	out, code := p.o.check(p.folder)
	if code != 1 {
		p.t.Errorf("the checker ends with exit %d", code)
	}
	verified, _, code := p.s.Tarn(p.t, "verify", p.folder)
	if code != 1 {
		p.t.Errorf("tarn verify ends with exit %d", code)
	}
	for i := range texts {
		if !strings.Contains(out, texts[i]) {
			p.t.Errorf("the checker does not say %q:\n%s", texts[i], out)
		}
		if !strings.Contains(verified, names[i]) {
			p.t.Errorf("tarn verify does not name %s:\n%s", names[i], verified)
		}
	}
}

// forgery makes the manifest agree with what was planted: the folder is at one with itself, and only who knows the data
// store, or what was written into it, can tell.
func (p *planting) forgery() {
	bucket, prefix := server.SplitURI(p.t, p.folder)
	m, files := p.manifest()
	for _, one := range files {
		f := one.(map[string]any)
		b, _ := p.root.Get(p.t, bucket, prefix+f["name"].(string))
		sum := sha256.Sum256(b)
		f["sha256"], f["bytes"], f["count"] = hex.EncodeToString(sum[:]), len(b), bytes.Count(b, []byte("\n"))
	}
	forge(p.t, p.root, bucket, prefix, m, files)
	out, code := p.o.check(p.folder)
	if code != 1 || !strings.Contains(out, "is missing") || !strings.Contains(out, "is doubled") || !strings.Contains(out, "is altered") {
		p.t.Errorf("the checker takes a forged manifest: exit %d\n%s", code, out)
	}
	out, stderr, code := p.s.Tarn(p.t, "verify", p.folder)
	if code != 1 {
		p.t.Errorf("tarn verify takes a forged manifest: exit %d\n%s%s", code, out, stderr)
	}
}

// forge writes a manifest whose totals are those of its files.
func forge(t *testing.T, root *server.Clients, bucket, prefix string, m map[string]any, files []any) {
	t.Helper()
	type total struct {
		Type  string `json:"type"`
		Files int    `json:"files"`
		Count int    `json:"count"`
		Bytes int    `json:"bytes"`
	}
	var types []*total
	count, size := 0, 0
	for _, one := range files {
		f := one.(map[string]any)
		n, b := number(f["count"]), number(f["bytes"])
		if len(types) == 0 || types[len(types)-1].Type != f["type"] {
			types = append(types, &total{Type: f["type"].(string)})
		}
		last := types[len(types)-1]
		last.Files, last.Count, last.Bytes = last.Files+1, last.Count+n, last.Bytes+b
		count, size = count+n, size+b
	}
	m["types"], m["count"], m["bytes"] = types, count, size
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	root.Put(t, bucket, prefix+"manifest.json", b)
}

func number(v any) int {
	switch n := v.(type) {
	case float64:
		return int(n)
	case int:
		return n
	}
	return 0
}

// untouched is the index of a line of version 1 that is not the first of its file.
func untouched(t *testing.T, lines [][]byte) int {
	t.Helper()
	for i := len(lines) - 1; i >= 0; i-- {
		if bytes.Contains(lines[i], []byte(`"versionId":"1"`)) {
			return i
		}
	}
	t.Fatal("every line of the file was changed")
	return 0
}

// altered is a line with one byte of it another: the last letter within a string that is neither id nor meta.
func altered(t *testing.T, line []byte) []byte {
	t.Helper()
	b := bytes.Clone(line)
	from := bytes.Index(b, []byte(`"lastUpdated"`)) + 60
	for i := len(b) - 1; i > from; i-- {
		if b[i-1] >= 'a' && b[i-1] < 'z' && b[i] == '"' {
			b[i-1]++
			return b
		}
	}
	t.Fatal(fmt.Errorf("no letter to alter in a line of %d bytes", len(line)))
	return nil
}
