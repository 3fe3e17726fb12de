package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// What make verify does, where npm and the registry can be had.
func TestTable_isWhatTheDefinitionsGive(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`(?m)^DEFINITIONS = (\S+) (\S+)$`).FindSubmatch(makefile)
	if pinned == nil {
		t.Fatal("the Makefile pins no definitions")
	}
	folder := filepath.Join(t.TempDir(), "definitions")
	fetch := exec.CommandContext(t.Context(), "sh", "fetch.sh", string(pinned[1]), string(pinned[2]), folder)
	if out, err := fetch.CombinedOutput(); err != nil {
		t.Skipf("%s cannot be had (%v), so the table is not generated anew:\n%s", pinned[1], err, out)
	}
	if err := run(filepath.Join(folder, "package/dist/fhir/r4"), "../definitions.bin", "../param_codes.txt", true); err != nil {
		t.Error(err)
	}
}
