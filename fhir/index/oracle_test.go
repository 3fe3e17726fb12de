package index_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
)

// dataFolder is the folder of sample data, which is not part of the project.
func dataFolder() string {
	if folder := os.Getenv("TARN_TEST_DATA"); folder != "" {
		return folder
	}
	return "../../../shared/data"
}

// The values of each parameter are those that fhirpath.js selects by HL7's own expressions, read by the code of
// reading_test.go. It looks at a sample; TARN_ORACLE_EVERY=1 looks at all official examples and a larger sample of
// Synthea's resources, all at every resource there is.
func TestExtract_selectsWhatFHIRPathSelects(t *testing.T) {
	t.Parallel()
	start := oracleFolder(t)
	every, all := 12, os.Getenv("TARN_ORACLE_EVERY") == "all"
	if n, err := strconv.Atoi(os.Getenv("TARN_ORACLE_EVERY")); err == nil && n > 0 {
		every = n
	}
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		for _, glob := range []string{"r4-examples/*.ndjson.gz", "synthea/*.ndjson.gz", "synthea-v3/*.ndjson.gz"} {
			files, _ := filepath.Glob(filepath.Join(dataFolder(), glob))
			step, most := every, 1<<30
			switch {
			case all:
				step = 1
			case glob != "r4-examples/*.ndjson.gz":
				step, most = every*10, max(5, 600/every)
			}
			for _, f := range files {
				for line := range sample(t, f, step, most) {
					select {
					case lines <- line:
					case <-t.Context().Done():
						return
					}
				}
			}
		}
	}()
	total := comparison{seen: map[string]bool{}}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		look := start()
		wg.Go(func() {
			parser, x := fhir.NewParser(fhir.Limits{MaxBytes: 64 << 20}), index.NewExtractor()
			for line := range lines {
				s, err := look(line)
				if err != nil { // the process has ended
					t.Error(err)
					return
				}
				doc, err := parser.Scan(line)
				if err != nil {
					t.Error(err)
					continue
				}
				total.add(t, &s, doc, x, line)
			}
		})
	}
	wg.Wait()
	if total.resources == 0 {
		t.Skip("no samples are here: the index is not compared with fhirpath.js")
	}
	t.Logf("%d resources, %d lists of values compared, %d parameters of types with values, %d differences", total.resources, total.compared, len(total.seen), total.differences)
}

// comparison counts what was compared.
type comparison struct {
	sync.Mutex
	resources, compared, differences int
	seen                             map[string]bool
}

// add compares the index of a resource with what was selected in it.
func (c *comparison) add(t *testing.T, s *selection, doc *fhir.Doc, x *index.Extractor, line []byte) {
	typ, _ := r4.CodeOfBytes(doc.Root().Member("resourceType").Text())
	got := x.Extract(doc, typ)
	compared := 0
	var found []string
	for _, p := range typ.Params() {
		if p.Expression == "" || p.Name == "_id" || p.Name == "_lastUpdated" {
			continue
		}
		compared++
		want, ok := s.entries(typ, p, line)
		if !ok {
			t.Errorf("%s of %s: fhirpath.js says %q", p.Name, typ, s.Errors[p.Name])
			continue
		}
		if len(want) > 0 {
			found = append(found, typ.String()+"."+p.Name)
		}
		if diff := cmp.Diff(want, index.EntriesOf(typ, p, got)); diff != "" {
			c.Lock()
			if c.differences++; c.differences < 20 {
				t.Errorf("%s of %s/%s: %s", p.Name, typ, doc.Root().Member("id").Text(), diff)
			}
			c.Unlock()
		}
	}
	c.Lock()
	defer c.Unlock()
	c.resources++
	c.compared += compared
	for _, name := range found {
		c.seen[name] = true
	}
}

// selection is what fhirpath.js selects in one resource.
type selection struct {
	Plain  map[string][]node
	Tuples map[string][][][]node
	Errors map[string]string
}

// node is a type and a value.
type node struct {
	typ   string
	value any
}

func (n *node) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&n.typ, &n.value})
}

// entries are what the index should hold for a parameter.
func (s *selection) entries(typ r4.Code, p *r4.SearchParam, line []byte) (want []string, ok bool) {
	if s.Errors[p.Name] != "" {
		return nil, false
	}
	r := &reading{}
	if p.Type == r4.ParamReference || p.Type == r4.ParamComposite {
		if json.Unmarshal(line, &r.resource) != nil {
			return nil, false
		}
	}
	if p.Type != r4.ParamComposite {
		nodes, ok := s.Plain[p.Name]
		for _, n := range nodes {
			want = append(want, r.values(p.Type, n.typ, n.value)...)
		}
		slices.Sort(want)
		return slices.Compact(want), ok
	}
	r.alone = true
	for _, element := range s.Tuples[p.Name] {
		parts := make([][]string, len(element))
		for i, nodes := range element {
			for _, n := range nodes {
				parts[i] = append(parts[i], r.values(index.PartTypes(typ, p)[i], n.typ, n.value)...)
			}
		}
		want = append(want, tuples(parts)...)
	}
	slices.Sort(want)
	return slices.Compact(want), true
}

// oracleFolder installs fhirpath.js in a temporary folder; what it gives starts a process that looks at one resource after
// the other.
func oracleFolder(t *testing.T) func() func(line []byte) (selection, error) {
	t.Helper()
	definitions := filepath.Join(dataFolder(), "definitions/hl7.fhir.r4.core-4.0.1/SearchParameter.ndjson.gz")
	if _, err := os.Stat(definitions); err != nil {
		t.Skip("HL7's definitions are not here: the index is not compared with fhirpath.js")
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not here: the index is not compared with fhirpath.js")
		}
	}
	folder := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "select.js"} {
		text, err := os.ReadFile(filepath.Join("testdata/oracle", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("fhirpath.js cannot be installed: the index is not compared with it: %v: %s", err, out)
	}
	params := filepath.Join(folder, "params.ndjson")
	if err := os.WriteFile(params, unzip(t, definitions), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() func(line []byte) (selection, error) {
		t.Helper()
		run := exec.Command("node", "select.js", params)
		run.Dir, run.Stderr = folder, os.Stderr
		in, err := run.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := run.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := errors.Join(in.Close(), run.Wait()); err != nil {
				t.Error(err)
			}
		})
		answers := bufio.NewReader(out)
		return func(line []byte) (s selection, err error) {
			if _, err = in.Write(append(bytes.TrimSpace(line), '\n')); err != nil {
				return s, err
			}
			answer, err := answers.ReadBytes('\n')
			if err != nil {
				return s, err
			}
			return s, json.Unmarshal(answer, &s)
		}
	}
}

func unzip(t testing.TB, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sample are each so-manieth line of a file, at most so many.
func sample(t testing.TB, file string, every, most int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		f, err := os.Open(file)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Error(err)
			return
		}
		s := bufio.NewScanner(z)
		s.Buffer(nil, 64<<20)
		for n := 0; most > 0 && s.Scan(); n++ {
			if n%every != 0 || len(s.Bytes()) == 0 {
				continue
			}
			if most--; !yield(bytes.Clone(s.Bytes())) {
				return
			}
		}
		if err := s.Err(); err != nil {
			t.Error(err)
		}
	}
}
