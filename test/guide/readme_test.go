package guide_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	named  = regexp.MustCompile("((?:`Test[A-Za-z0-9_]+`(?:, )?)+)(?: \\(([a-z/]+)\\))?")
	single = regexp.MustCompile(`Test[A-Za-z0-9_]+`)
)

// TestREADME_namesTestsThatAreThere holds README.md to the code: each test that it names is in the folder that it names.
func TestREADME_namesTestsThatAreThere(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("README.md")
	must(t, err)
	tests := map[string]string{} // of a folder, all its test code
	rows := 0
	for line := range strings.Lines(string(b)) {
		found := named.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| The guide says") {
			if rows++; len(found) == 0 {
				t.Errorf("no test holds: %s", line)
			}
		}
		for _, m := range found {
			dir := "."
			if m[2] != "" {
				dir = filepath.Join("..", "..", filepath.FromSlash(m[2]))
			}
			if tests[dir] == "" {
				files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
				must(t, err)
				for _, f := range files {
					code, err := os.ReadFile(f)
					must(t, err)
					tests[dir] += string(code)
				}
			}
			for _, name := range single.FindAllString(m[1], -1) {
				if !strings.Contains(tests[dir], "func "+name+"(t *testing.T)") {
					t.Errorf("%s is not in %s, in: %s", name, dir, line)
				}
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d sentences are there", rows)
	}
}
