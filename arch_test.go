// Package tarn_test holds the house rules that a machine can check: who may import whom, one package comment each, and
// what the code of repeatable bytes may not touch.
package tarn_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors is the house from the roof down. A room imports only from floors below its own; rooms on one floor do not
// import each other. A room stands for its sub-folders too unless they are named themselves.
var floors = [][]string{
	{"cmd/tarn"},
	{"app"},
	{"console", "api/control", "api/rest", "api/bulk", "api/localcloud"},
	{"api/client", "api/edge"},
	{"ingest"},
	{"interaction", "export", "erase"},
	{"search"},
	{"catalog", "synth"},
	{"event", "account"},
	{"store", "job"},
	{"kv/pebble", "kv/postgres", "cloud/local"},
	{"kv", "cloud", "access", "ndjson", "fhir"},
	{"fault"},
}

// inner is the order inside rooms that have floors of their own, from the roof down.
var inner = [][]string{
	{"fhir/profile"}, {"fhir/validate", "fhir/index", "fhir/rewrite"}, {"fhir/path", "fhir/invariant"}, {"fhir/patch"}, {"fhir"}, {"fhir/r4"},
	{"access/iam", "access/sigv4", "access/seal"}, {"access"},
	{"kv/kvtest"}, {"kv"},
	{"cloud/cloudtest"}, {"cloud"},
}

// only names foreign modules and own rooms that stand in few places.
var only = []struct {
	prefix string // of an import path
	in     []string
}{
	{"github.com/cockroachdb/pebble", []string{"kv/pebble"}},
	{"github.com/jackc/pgx", []string{"kv/postgres", "kv/kvtest"}}, // the latter makes databases for tests
	{"github.com/aws/aws-sdk-go-v2", nil},                          // in tests alone
	{"github.com/alecthomas/kong", []string{"cmd/tarn"}},
	{"github.com/jedib0t/go-pretty", []string{"cmd/tarn"}},
	{"tarn/kv/pebble", []string{"app"}},
	{"tarn/kv/postgres", []string{"app"}},
	{"tarn/cloud/local", []string{"app", "api/localcloud"}},
}

// never lists what a room does not import although it stands below.
var never = map[string][]string{
	"console":     {"!tarn/api/client", "!tarn/fault"}, // "!": of our own rooms only these
	"ingest":      {"tarn/access"},
	"interaction": {"tarn/access"},
	"export":      {"tarn/access"},
	"search":      {"tarn/access"},
	"catalog":     {"tarn/access"},
	"synth":       {"tarn/access"},
	"store":       {"tarn/access"},
	"job":         {"tarn/access"},
}

// repeatable is the code whose bytes are a function of (job record, plan entry, store.At(T)) alone.
var repeatable = []string{"export/plan.go", "export/part.go", "export/blocks.go", "export/organized.go"}

type source struct {
	file, room string // slash paths from the root
	ast        *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		all = append(all, source{p, path.Dir(p), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// under reports whether room is dir or lies below it.
func under(room, dir string) bool { return room == dir || strings.HasPrefix(room, dir+"/") }

// floorOf finds the floor and the named room that room belongs to; the longest name wins.
func floorOf(house [][]string, room string) (int, string) {
	floor, name := -1, ""
	for i, rooms := range house {
		for _, r := range rooms {
			if under(room, r) && len(r) > len(name) {
				floor, name = i, r
			}
		}
	}
	return floor, name
}

func TestImports_runDownwardOnly(t *testing.T) {
	for _, s := range sources(t) {
		if under(s.room, "test") || under(s.room, "bench") {
			continue // what stands beside the house may look into it; test/ has a rule of its own below
		}
		from, name := floorOf(floors, s.room)
		if from < 0 {
			t.Errorf("%s: room %q has no floor; a new room is a decision: write it down in docs/design and add it here", s.file, s.room)
			continue
		}
		for _, imp := range s.ast.Imports {
			target := strings.Trim(imp.Path.Value, `"`)
			for _, rule := range only {
				if under(target, rule.prefix) && !slices.ContainsFunc(rule.in, func(r string) bool { return under(s.room, r) }) && !under("tarn/"+s.room, rule.prefix) {
					t.Errorf("%s imports %s, which stands only in %v", s.file, target, rule.in)
				}
			}
			room, ours := strings.CutPrefix(target, "tarn/")
			if !ours {
				continue
			}
			checkNever(t, s, name, target)
			to, toName := floorOf(floors, room)
			switch {
			case to < 0:
				t.Errorf("%s imports %s, which has no floor", s.file, target)
			case name == toName:
				a, an := floorOf(inner, s.room)
				b, bn := floorOf(inner, room)
				if an != bn && b <= a {
					t.Errorf("%s imports %s: inside %s imports run %s", s.file, target, name, "from validate, index to path to patch to fhir to r4, from suites and implementations to the contract")
				}
			case to == from:
				t.Errorf("%s imports %s, which is on the same floor", s.file, target)
			case to < from:
				t.Errorf("%s imports %s, which is on a floor above", s.file, target)
			}
		}
	}
}

func checkNever(t *testing.T, s source, name, target string) {
	t.Helper()
	rules := never[name]
	allowed := false
	whitelist := false
	for _, r := range rules {
		if w, ok := strings.CutPrefix(r, "!"); ok {
			whitelist = true
			allowed = allowed || under(target, w)
		} else if under(target, r) {
			t.Errorf("%s imports %s, which %s must not know", s.file, target, name)
		}
	}
	if whitelist && !allowed && !under(target, "tarn/"+name) {
		t.Errorf("%s imports %s; of our rooms %s knows only %v", s.file, target, name, rules)
	}
}

func TestIndependentChecker_importsNothingOfTheProduct(t *testing.T) {
	for _, s := range sources(t) {
		if !under(s.room, "test/checker") {
			continue
		}
		for _, imp := range s.ast.Imports {
			if target := strings.Trim(imp.Path.Value, `"`); strings.HasPrefix(target, "tarn/") {
				t.Errorf("%s imports %s: the checker must not share code with what it checks", s.file, target)
			}
		}
	}
}

func TestPackages_haveOneComment(t *testing.T) {
	comments := map[string][]string{}
	for _, s := range sources(t) {
		if _, ok := comments[s.room]; !ok {
			comments[s.room] = nil
		}
		if s.ast.Doc != nil {
			comments[s.room] = append(comments[s.room], s.file)
		}
	}
	for room, files := range comments {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments %v; it wants exactly one", room, len(files), files)
		}
	}
}

func TestRepeatableBytes_dependOnNothingElse(t *testing.T) {
	banned := []string{"time", "math/rand", "math/rand/v2", "crypto/rand", "os", "maps"}
	for _, s := range sources(t) {
		if !slices.Contains(repeatable, s.file) {
			continue
		}
		for _, imp := range s.ast.Imports {
			if target := strings.Trim(imp.Path.Value, `"`); slices.Contains(banned, target) {
				t.Errorf("%s imports %s; its output must be a function of job record, plan entry and view alone", s.file, target)
			}
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if m, ok := n.(*ast.MapType); ok {
				t.Errorf("%s: a map (offset %d); its order would show in the output", s.file, m.Pos())
			}
			return true
		})
	}
	for _, f := range repeatable {
		if _, err := os.Stat(f); err != nil {
			t.Errorf("%s is named here but is not there: %v", f, err)
		}
	}
}
