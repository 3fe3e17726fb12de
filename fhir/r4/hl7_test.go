package r4_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir/r4"
)

// eachOfHL7 reads one file of HL7's own package; it skips the test where the data is not here.
func eachOfHL7[T any](t *testing.T, file string, visit func(*T)) {
	t.Helper()
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../../shared/data"
	}
	f, err := os.Open(filepath.Join(folder, "definitions/hl7.fhir.r4.core-4.0.1", file+".ndjson.gz"))
	if err != nil {
		t.Skip("HL7's definitions are not here: the table is not compared with them")
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		v := new(T)
		if err := json.Unmarshal(lines.Bytes(), v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		visit(v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

type hl7Structure struct {
	Name, Kind, Derivation, FHIRVersion string
	Abstract                            bool
	Snapshot                            struct{ Element []hl7Element }
}

type hl7Element struct {
	Path, Max             string
	Min                   int
	Base                  struct{ Path, Max string }
	IsSummary, IsModifier bool
	ContentReference      string
	Type                  []struct {
		Code                   string
		Profile, TargetProfile []string
	}
	Binding    *struct{ Strength, ValueSet string }
	Constraint []struct{ Key, Human, Severity, Expression string }
}

// line is an element in words, the same from HL7's definition and from the table.
type line struct {
	Path, Max                       string
	Min                             int
	Array, Summary, Modifier        bool
	Fields                          []string
	Strength, ValueSet, Constraints string
}

func (e *hl7Element) line(t *testing.T, root string) line {
	dot := strings.LastIndexByte(e.Path, '.')
	name := e.Path[dot+1:]
	l := line{Path: e.Path, Min: e.Min, Max: e.Max, Array: e.Base.Max != "0" && e.Base.Max != "1", Summary: e.IsSummary, Modifier: e.IsModifier}
	if e.ContentReference != "" {
		l.Fields = []string{name + ":" + e.ContentReference[1:]}
	}
	var keys []string
	for _, typ := range e.Type {
		code := typ.Code
		if strings.Contains(code, "System.") {
			code = map[string]string{"Resource.id": "id", "Extension.url": "uri"}[e.Base.Path]
			if code == "" {
				code = "string"
			}
		}
		f := name + ":" + code
		if stem, ok := strings.CutSuffix(name, "[x]"); ok {
			f = stem + strings.ToUpper(code[:1]) + code[1:] + ":" + code
		}
		var targets []string
		for _, target := range typ.TargetProfile {
			targets = append(targets, strings.TrimPrefix(target, "http://hl7.org/fhir/StructureDefinition/"))
		}
		if !slices.Contains(targets, "Resource") && len(targets) > 0 {
			f += "(" + strings.Join(targets, ",") + ")"
		}
		l.Fields = append(l.Fields, f)
		if slices.Contains(typ.Profile, "http://hl7.org/fhir/StructureDefinition/SimpleQuantity") {
			keys = append(keys, "sqty-1")
		} else if len(typ.Profile) > 0 {
			t.Errorf("%s has the profile %v", e.Path, typ.Profile)
		}
	}
	if e.Binding != nil {
		l.Strength = e.Binding.Strength
		l.ValueSet, _, _ = strings.Cut(e.Binding.ValueSet, "|")
	}
	var own []string
	for _, c := range e.Constraint {
		if c.Key != "ele-1" && (c.Key != "ext-1" || root == "Extension" && e.Path == root) {
			own = append(own, c.Key)
		}
		path := e.Path
		inv, ok := r4.InvariantOf(c.Key, path)
		if !ok || inv.Severity != c.Severity {
			t.Errorf("%s: invariant %s: %v", e.Path, c.Key, inv)
		}
		if inv.Path == path && (inv.Human != c.Human || inv.Expression != c.Expression) {
			t.Errorf("%s: invariant %s says %q %q", e.Path, c.Key, inv.Human, inv.Expression)
		}
	}
	l.Constraints = strings.Join(append(own, keys...), " ")
	return l
}

// lineOf is the same from the table.
func lineOf(path string, e *r4.Element) line {
	l := line{Path: path, Min: e.Min, Array: e.Array, Summary: e.Summary, Modifier: e.Modifier, Constraints: strings.Join(e.Invariants, " ")}
	l.Max = map[int]string{-1: "*", 0: "0", 1: "1", 2: "2", 3: "3"}[e.Max]
	for _, f := range e.Fields {
		text := f.Name + ":" + f.Type.Name
		if f.Targets != nil {
			text += "(" + strings.Join(f.Targets, ",") + ")"
		}
		l.Fields = append(l.Fields, text)
	}
	if e.Binding != nil {
		l.Strength = map[r4.Strength]string{r4.Required: "required", r4.Extensible: "extensible", r4.Preferred: "preferred", r4.Example: "example"}[e.Binding.Strength]
		l.ValueSet = e.Binding.ValueSet
	}
	return l
}

func TestStructures_areThoseOfHL7(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	elements := 0
	eachOfHL7(t, "StructureDefinition", func(sd *hl7Structure) {
		if sd.FHIRVersion != "4.0.1" || sd.Kind == "logical" || sd.Derivation == "constraint" || sd.Name == "MetadataResource" {
			return
		}
		list := sd.Snapshot.Element
		nested := func(i int) bool { return i+1 < len(list) && strings.HasPrefix(list[i+1].Path, list[i].Path+".") }
		next := map[string]int{} // of a structure: the place of the next element
		for i := range list {
			want := list[i].line(t, sd.Name)
			if i == 0 || nested(i) {
				s := r4.StructureOf(want.Path)
				seen[want.Path] = true
				if s == nil {
					t.Errorf("%s is not there", want.Path)
					return
				}
				if s.Abstract != (i == 0 && sd.Abstract) || strings.Join(s.Invariants, " ") != want.Constraints {
					t.Errorf("%s: abstract %v, invariants %v, want %v", s.Name, s.Abstract, s.Invariants, want.Constraints)
				}
				kind := map[string]r4.Kind{"primitive-type": r4.KindPrimitive, "complex-type": r4.KindComplex, "resource": r4.KindResource}[sd.Kind]
				if i > 0 {
					kind = r4.KindBackbone
					want.Constraints = ""
					want.Fields = []string{want.Path[strings.LastIndexByte(want.Path, '.')+1:] + ":" + want.Path}
				}
				if s.Kind != kind {
					t.Errorf("%s is of the kind %d", s.Name, s.Kind)
				}
				if (s.Primitive != 0) != (kind == r4.KindPrimitive) || s.Primitive != 0 && s.Primitive.String() != s.Name {
					t.Errorf("%s is the primitive %d", s.Name, s.Primitive)
				}
			}
			if i == 0 || sd.Kind == "primitive-type" && strings.HasSuffix(want.Path, ".value") {
				continue
			}
			parent := want.Path[:strings.LastIndexByte(want.Path, '.')]
			s := r4.StructureOf(parent)
			at := next[parent]
			next[parent]++
			if at >= len(s.Elements) {
				t.Errorf("%s is not there", want.Path)
				continue
			}
			elements++
			if diff := cmp.Diff(want, lineOf(parent+"."+s.Elements[at].Name, &s.Elements[at])); diff != "" {
				t.Errorf("%s: HL7 (-), table (+):\n%s", want.Path, diff)
			}
		}
		for parent, n := range next {
			if s := r4.StructureOf(parent); len(s.Elements) != n {
				t.Errorf("%s has %d elements, want %d", parent, len(s.Elements), n)
			}
		}
	})
	for i := range r4.Structures() {
		if name := r4.Structures()[i].Name; !seen[name] {
			t.Errorf("%s is not HL7's", name)
		}
	}
	t.Logf("%d structures, %d elements: no difference", len(seen), elements)
}
