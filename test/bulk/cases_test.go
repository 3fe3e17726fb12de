package bulk_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// suite is the folder of test cases of others; TARN_TEST_DATA names another place of the data.
func suite() string {
	data := os.Getenv("TARN_TEST_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	return filepath.Join(data, "suites", "bulk-data")
}

var (
	testName = regexp.MustCompile(`\bTest[A-Za-z0-9]+_[A-Za-z0-9]+`)
	folder   = regexp.MustCompile(`\b \(([a-z/]+)\)$`)
)

// TestCases_haveTestsOrReasons holds testdata/cases.txt to the code, and to the suites of others where they are there:
// each case of theirs has a row, and each test that a row names is there.
func TestCases_haveTestsOrReasons(t *testing.T) {
	t.Parallel()
	rows := readCases(t)
	code := map[string]string{}
	for id, row := range rows {
		names := testName.FindAllString(row, -1)
		if len(names) == 0 && !strings.HasPrefix(row, "not: ") {
			t.Errorf("%s names neither a test nor why there is none: %s", id, row)
		}
		dir := "."
		if m := folder.FindStringSubmatch(row); m != nil {
			dir = filepath.Join("..", "..", filepath.FromSlash(m[1]))
		}
		if code[dir] == "" {
			code[dir] = testCode(t, dir)
		}
		for _, name := range names {
			if !strings.Contains(code[dir], "func "+name+"(t *testing.T)") {
				t.Errorf("%s: there is no %s in %s", id, name, dir)
			}
		}
	}
	if len(rows) < 100 {
		t.Errorf("only %d rows", len(rows))
	}
	cases, err := casesOf(suite())
	if errors.Is(err, fs.ErrNotExist) {
		t.Logf("left out: whether all cases have a row, since %s is not there (TARN_TEST_DATA)", suite())
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]bool{}
	for _, id := range cases {
		if theirs[id] = true; rows[id] == "" {
			t.Errorf("the case %s has no row", id)
		}
	}
	for id := range rows {
		if !theirs[id] {
			t.Errorf("the row %s belongs to no case", id)
		}
	}
	t.Logf("%d cases", len(cases))
}

// readCases is the table: id -> names of tests, or why there is none.
func readCases(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "cases.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		id, row, ok := strings.Cut(line, "|")
		if id = strings.TrimSpace(id); !ok || rows[id] != "" {
			t.Errorf("no row, or a second one: %s", line)
		}
		rows[id] = strings.TrimSpace(row)
	}
	return rows
}

func testCode(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// casesOf are the ids of all cases: of the Bulk Data Tester by file and number in it, of the requirements that bind a
// server, and of HL7's examples.
func casesOf(dir string) (ids []string, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "bdt-cases.json"))
	if err != nil {
		return nil, err
	}
	var bdt struct{ Cases []struct{ File string } }
	if err := json.Unmarshal(b, &bdt); err != nil {
		return nil, err
	}
	numbers := map[string]int{}
	for _, c := range bdt.Cases {
		numbers[c.File]++
		ids = append(ids, fmt.Sprintf("bdt %s %d", c.File, numbers[c.File]))
	}
	f, err := os.Open(filepath.Join(dir, "inferno-requirements.csv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if strings.HasSuffix(row[0], "_2.0.0") && strings.HasPrefix(row[4], "SHALL") && row[5] == "Server" {
			ids = append(ids, "requirement "+row[1])
		}
	}
	examples, err := filepath.Glob(filepath.Join(dir, "hl7-manifest-examples", "*.json"))
	for _, name := range examples {
		ids = append(ids, "example "+strings.TrimSuffix(filepath.Base(name), ".json"))
	}
	return ids, err
}
