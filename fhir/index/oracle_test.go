package index_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
// reading_test.go. TARN_ORACLE_EVERY=1 looks at all resources, a larger number at each so-manieth.
func TestExtract_selectsWhatFHIRPathSelects(t *testing.T) {
	t.Parallel()
	oracle := startOracle(t)
	every := 12
	if n, err := strconv.Atoi(os.Getenv("TARN_ORACLE_EVERY")); err == nil && n > 0 {
		every = n
	}
	var lines [][]byte
	for _, glob := range []string{"r4-examples/*.ndjson.gz", "synthea/*.ndjson.gz", "synthea-v3/*.ndjson.gz"} {
		files, _ := filepath.Glob(filepath.Join(dataFolder(), glob))
		step, most := every, 1<<30
		if glob != "r4-examples/*.ndjson.gz" {
			step, most = every*10, max(5, 600/every)
		}
		for _, f := range files {
			lines = append(lines, sample(t, f, step, most)...)
		}
	}
	if len(lines) == 0 {
		t.Skip("no samples are here: the index is not compared with fhirpath.js")
	}
	selected := oracle(lines)
	parser, x := fhir.NewParser(fhir.Limits{MaxBytes: 64 << 20}), index.NewExtractor()
	seen, compared, differences := map[string]bool{}, 0, 0
	for i, line := range lines {
		doc, err := parser.Scan(line)
		if err != nil {
			t.Fatal(err)
		}
		typ, _ := r4.CodeOfBytes(doc.Root().Member("resourceType").Text())
		got := x.Extract(doc, typ)
		for _, p := range typ.Params() {
			if p.Expression == "" || p.Name == "_id" || p.Name == "_lastUpdated" {
				continue
			}
			compared++
			want, ok := selected[i].entries(typ, p, line)
			if !ok {
				t.Errorf("%s of %s: fhirpath.js says %q", p.Name, typ, selected[i].Errors[p.Name])
				continue
			}
			if len(want) > 0 {
				seen[typ.String()+"."+p.Name] = true
			}
			if diff := cmp.Diff(want, index.EntriesOf(typ, p, got)); diff != "" {
				if differences++; differences < 20 {
					t.Errorf("%s of %s/%s: %s", p.Name, typ, doc.Root().Member("id").Text(), diff)
				}
			}
		}
	}
	t.Logf("%d resources, %d lists of values compared, %d parameters of types with values, %d differences", len(lines), compared, len(seen), differences)
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

// startOracle installs fhirpath.js in a temporary folder.
func startOracle(t *testing.T) func(lines [][]byte) []selection {
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
	return func(lines [][]byte) []selection {
		t.Helper()
		run := exec.Command("node", "select.js", params)
		run.Dir, run.Stdin = folder, bytes.NewReader(append(bytes.Join(lines, []byte("\n")), '\n'))
		var stderr strings.Builder
		run.Stderr = &stderr
		out, err := run.Output()
		if err != nil {
			t.Fatal(err, stderr.String())
		}
		selections := make([]selection, 0, len(lines))
		for line := range bytes.Lines(out) {
			var s selection
			if err := json.Unmarshal(line, &s); err != nil {
				t.Fatal(err)
			}
			selections = append(selections, s)
		}
		if len(selections) != len(lines) {
			t.Fatalf("%d answers for %d resources", len(selections), len(lines))
		}
		return selections
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
func sample(t testing.TB, file string, every, most int) (lines [][]byte) {
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
	s := bufio.NewScanner(z)
	s.Buffer(nil, 64<<20)
	for n := 0; s.Scan() && len(lines) < most; n++ {
		if n%every == 0 && len(s.Bytes()) > 0 {
			lines = append(lines, bytes.Clone(s.Bytes()))
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
