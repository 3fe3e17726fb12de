package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// structure is a row of the table: a type or a nested element.
type structure struct {
	name       string
	kind       r4.Kind
	abstract   bool
	invariants []string
	elements   []row
}

type row struct {
	name                             string
	min, max                         int
	array, choice, summary, modifier bool
	binding                          *binding
	invariants                       []string
	fields                           []field
}

type field struct {
	name, typ string
	targets   []string
}

type binding struct {
	strength r4.Strength
	valueSet string
	codes    map[string][]string // by system; nil where the content cannot be listed
}

// invariant is the text of a key as it stands at a path.
type invariant struct {
	constraint
	path string
}

type structures struct {
	all        []*structure // sorted by name
	invariants []invariant  // sorted by key; several of a key only where their texts differ
	bindings   map[string]*binding
	src        *source
}

const profiles = "http://hl7.org/fhir/StructureDefinition/"

var strengths = map[string]r4.Strength{"required": r4.Required, "extensible": r4.Extensible, "preferred": r4.Preferred,
	"example": r4.Example}

func buildStructures(src *source) (*structures, error) {
	s := &structures{src: src, bindings: map[string]*binding{}}
	for _, name := range slices.Sorted(maps.Keys(src.structures)) {
		if err := s.add(src.structures[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	slices.SortFunc(s.all, func(a, b *structure) int { return strings.Compare(a.name, b.name) })
	slices.SortFunc(s.invariants, func(a, b invariant) int {
		return strings.Compare(a.Key+" "+a.path, b.Key+" "+b.path)
	})
	return s, s.check()
}

// check holds that the table is whole: all types are there and every field's type too.
func (s *structures) check() error {
	names := map[string]*structure{}
	for _, st := range s.all {
		if names[st.name] != nil {
			return fmt.Errorf("%s is there twice", st.name)
		}
		names[st.name] = st
	}
	concrete := 0
	for _, st := range s.all {
		if st.kind == r4.KindResource && !st.abstract {
			concrete++
			if !r4.IsType(st.name) {
				return fmt.Errorf("%s is no resource type of R4", st.name)
			}
		}
		seen := map[string]bool{}
		for _, e := range st.elements {
			for _, f := range e.fields {
				if names[f.typ] == nil {
					return fmt.Errorf("%s.%s is of the type %s, which is not there", st.name, f.name, f.typ)
				}
				if seen[f.name] {
					return fmt.Errorf("%s.%s is there twice", st.name, f.name)
				}
				seen[f.name] = true
			}
		}
	}
	if concrete != r4.Count {
		return fmt.Errorf("%d resource types, want %d", concrete, r4.Count)
	}
	return nil
}

func (s *structures) add(sd *structureDefinition) error {
	kinds := map[string]r4.Kind{"primitive-type": r4.KindPrimitive, "complex-type": r4.KindComplex, "resource": r4.KindResource}
	kind, ok := kinds[sd.Kind]
	if !ok {
		return fmt.Errorf("kind %q", sd.Kind)
	}
	elements := sd.Snapshot.Element
	open := map[string]*structure{} // by path: the type itself and its nested elements
	for i, e := range elements {
		if i == 0 {
			root := &structure{name: sd.Name, kind: kind, abstract: sd.Abstract, invariants: s.keys(e)}
			open[e.Path] = root
			s.all = append(s.all, root)
			continue
		}
		dot := strings.LastIndexByte(e.Path, '.')
		parent := open[e.Path[:dot]]
		if parent == nil {
			return fmt.Errorf("%s has no parent", e.Path)
		}
		if kind == r4.KindPrimitive && e.Path[dot:] == ".value" {
			continue // the JSON value itself
		}
		r, err := s.row(e, e.Path[dot+1:])
		if err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
		if i+1 < len(elements) && strings.HasPrefix(elements[i+1].Path, e.Path+".") {
			nested := &structure{name: e.Path, kind: r4.KindBackbone, invariants: r.invariants}
			open[e.Path] = nested
			s.all = append(s.all, nested)
			r.fields = []field{{name: r.name, typ: e.Path}}
			r.invariants = nil // they are the nested structure's
		}
		parent.elements = append(parent.elements, r)
	}
	return nil
}

func (s *structures) row(e *element, name string) (row, error) {
	r := row{name: name, min: e.Min, max: bound(e.Max), array: bound(e.Base.Max) < 0 || bound(e.Base.Max) > 1,
		choice: strings.HasSuffix(name, "[x]"), summary: e.IsSummary, modifier: e.IsModifier, invariants: s.keys(e)}
	if e.Base.Max == "" {
		return r, fmt.Errorf("no base")
	}
	if e.Binding != nil {
		b, err := s.binding(strengths[e.Binding.Strength], unversioned(e.Binding.ValueSet))
		if err != nil {
			return r, err
		}
		r.binding = b
	}
	if e.ContentReference != "" {
		r.fields = []field{{name: name, typ: strings.TrimPrefix(e.ContentReference, "#")}}
		return r, nil
	}
	if len(e.Type) == 0 || len(e.Type) > 1 && !r.choice {
		return r, fmt.Errorf("%d types", len(e.Type))
	}
	for _, t := range e.Type {
		typ := t.Code
		if strings.HasPrefix(typ, "http://hl7.org/fhirpath/System.") {
			typ = system(e)
		}
		f := field{name: name, typ: typ, targets: targets(t)}
		if stem, ok := strings.CutSuffix(name, "[x]"); ok {
			f.name = stem + strings.ToUpper(typ[:1]) + typ[1:]
		}
		r.fields = append(r.fields, f)
		if slices.Contains(t.Profile, profiles+"SimpleQuantity") {
			r.invariants = append(r.invariants, "sqty-1")
			s.note(constraint{Key: "sqty-1", Severity: "error", Human: "The comparator is not used on a SimpleQuantity",
				Expression: "comparator.empty()"}, "SimpleQuantity")
		}
	}
	return r, nil
}

// system is the FHIR type of what the definitions call a System.String.
func system(e *element) string {
	switch e.Base.Path {
	case "Resource.id":
		return "id"
	case "Extension.url":
		return "uri"
	}
	return "string"
}

func bound(max string) int {
	if max == "*" {
		return -1
	}
	n := 0
	for _, c := range max {
		n = n*10 + int(c-'0')
	}
	return n
}

func targets(t elementType) []string {
	var names []string
	for _, p := range t.TargetProfile {
		name := strings.TrimPrefix(p, profiles)
		if name == "Resource" {
			return nil // any
		}
		names = append(names, name)
	}
	return names
}

// keys are the keys of the element's constraints, without those that every element has.
func (s *structures) keys(e *element) []string {
	var keys []string
	for _, c := range e.Constraint {
		s.note(c, e.Path)
		if c.Key != "ele-1" && c.Key != "ext-1" {
			keys = append(keys, c.Key)
		}
	}
	if e.Path == "Extension" {
		keys = append(keys, "ext-1")
	}
	return keys
}

// note keeps the text of an invariant; a key that says the same elsewhere is kept once.
func (s *structures) note(c constraint, path string) {
	for _, have := range s.invariants {
		if have.constraint == c {
			return
		}
	}
	s.invariants = append(s.invariants, invariant{c, path})
}

func (s *structures) binding(strength r4.Strength, url string) (*binding, error) {
	key := fmt.Sprint(strength, " ", url)
	if b := s.bindings[key]; b != nil {
		return b, nil
	}
	b := &binding{strength: strength, valueSet: url}
	if strength == 0 {
		return nil, fmt.Errorf("binding without a strength")
	}
	if strength == r4.Required {
		var err error
		if b.codes, err = s.src.expand(url); err != nil {
			return nil, err
		}
	}
	s.bindings[key] = b
	return b, nil
}
