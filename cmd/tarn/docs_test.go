package main

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestDocs_nameEveryCommandAndFlag(t *testing.T) {
	b, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	parser, err := newParser()
	if err != nil {
		t.Fatal(err)
	}
	var check func(n *kong.Node, path string)
	check = func(n *kong.Node, path string) {
		for _, f := range n.Flags {
			if !strings.Contains(page, "--"+f.Name) {
				t.Errorf("docs/cli.md says nothing of %s --%s", path, f.Name)
			}
			if f.Name != "help" && f.Name != "config" && f.Name != "version" && (len(f.Envs) != 1 || !strings.HasPrefix(f.Envs[0], "TARN_")) {
				t.Errorf("%s --%s has the variables %v", path, f.Name, f.Envs)
			}
		}
		for _, child := range n.Children {
			name := path + " " + child.Name
			if strings.Count(name, " ") == 1 && !strings.Contains(page, "`"+name) {
				t.Errorf("docs/cli.md says nothing of %s", name)
			} else if !strings.Contains(page, child.Name) {
				t.Errorf("docs/cli.md says nothing of %s", name)
			}
			check(child, name)
		}
	}
	check(parser.Model.Node, "tarn")
}
