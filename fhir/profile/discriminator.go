package profile

import (
	"strings"

	"tarn/fhir/r4"
)

// criterion is one thing that tells whether an item belongs to a slice: a discriminator, and what the slice says there.
type criterion struct {
	kind  criterionKind
	steps []step
	want  *node    // what the slice says of the element that the steps lead to; nil: nothing
	url   string   // of an extension
	types []string // of kind byType
	links []*Profile
	open  bool // links are not all installed
	there bool // of kind byPresence: it must be there, else it must not
}

type criterionKind uint8

const (
	byValue criterionKind = iota
	byURL
	byType
	byProfile
	byPresence
)

// step leads from an item to others.
type step struct {
	kind   stepKind
	fields []r4.Field // of a member
	base   *r4.Element
	name   string // type or URL
}

type stepKind uint8

const (
	toMember stepKind = iota
	toType
	toExtension
	toTarget
)

// position is where a path has led at the time of compiling.
type position struct {
	at      *node // nil: the profile names nothing here
	types   []*r4.Structure
	targets []string // profiles of what a reference points to
	leads   bool     // resolve() came
}

// criteriaOf compiles the discriminators of a slicing for one slice.
func (c *compiler) criteriaOf(s *node, by []discriminatorRef) []criterion {
	var all []criterion
	for _, d := range by {
		all = append(all, c.criterionOf(s, d))
	}
	return all
}

func (c *compiler) criterionOf(s *node, d discriminatorRef) criterion {
	words := splitPath(d.path)
	pos := position{at: s, types: s.structures()}
	cr := criterion{}
	if len(words) == 1 && words[0] == "url" && s.isExtension() {
		if url := s.extensionURL(); url != "" {
			return criterion{kind: byURL, url: url}
		}
	}
	for _, word := range words {
		st, ok := c.follow(&pos, word)
		if !ok {
			return criterion{kind: byValue} // no such path: nothing can be told
		}
		if st != nil {
			cr.steps = append(cr.steps, *st)
		}
	}
	cr.want = pos.at
	switch d.kind {
	case "exists":
		cr.kind = byPresence
		cr.there = pos.at == nil || pos.at.max != 0
	case "type":
		cr.kind = byType
		cr.types = c.typesAt(&pos)
	case "profile":
		cr.kind = byProfile
		urls := pos.targets
		if !pos.leads && pos.at != nil {
			for _, t := range pos.at.types {
				urls = append(urls, t.profiles...)
			}
		}
		for _, url := range urls {
			if p := c.find(url); p != nil && p.Flaw == "" {
				cr.links = append(cr.links, p)
			} else {
				cr.open = true
			}
		}
		cr.want = nil
	default:
		cr.kind = byValue
		if pos.leads && pos.at == nil {
			for _, url := range pos.targets {
				if p := c.find(url); p != nil && p.Flaw == "" {
					cr.kind = byProfile
					cr.links = append(cr.links, p)
				}
			}
			cr.kind = byProfile
			cr.open = len(cr.links) != len(pos.targets)
		}
	}
	return cr
}

// typesAt are the names of the types that a slice allows where a path has led.
func (c *compiler) typesAt(pos *position) []string {
	var names []string
	if pos.leads {
		for _, target := range pos.targets {
			if p := c.find(target); p != nil {
				target = p.Type
			}
			names = append(names, strings.TrimPrefix(target, coreBase))
		}
		return names
	}
	if pos.at != nil {
		for _, t := range pos.at.types {
			names = append(names, t.code)
		}
	}
	return names
}

// follow moves a position on by one word of a path. The step is nil where nothing is to be done at run time.
func (c *compiler) follow(pos *position, word string) (*step, bool) {
	name, argument, _ := strings.Cut(word, "(")
	argument = strings.Trim(strings.TrimSuffix(argument, ")"), `'" `)
	switch {
	case word == "$this":
		return nil, true
	case name == "resolve":
		pos.leads = true
		pos.targets = nil
		if pos.at != nil {
			for _, t := range pos.at.types {
				pos.targets = append(pos.targets, t.targets...)
			}
		}
		pos.at = nil
		pos.types = nil
		for _, target := range pos.targets {
			p := c.find(target)
			if p != nil && len(pos.targets) == 1 {
				pos.at = p.root
			}
			if p != nil {
				target = p.Type
			}
			if st := r4.StructureOf(strings.TrimPrefix(target, coreBase)); st != nil {
				pos.types = append(pos.types, st)
			}
		}
		if len(pos.types) == 0 {
			return &step{kind: toTarget}, true
		}
		return &step{kind: toTarget}, true
	case name == "ofType" || name == "as":
		if pos.at != nil {
			for _, s := range pos.at.slices {
				if len(s.types) == 1 && s.types[0].code == argument {
					pos.at = s
					break
				}
			}
		}
		pos.types = nil
		if st := r4.StructureOf(argument); st != nil {
			pos.types = []*r4.Structure{st}
		}
		return &step{kind: toType, name: argument}, true
	case name == "extension" && strings.Contains(word, "("):
		var at *node
		if list := c.inner(pos.at, "extension"); list != nil {
			for _, s := range list.slices {
				if s.extensionURL() == argument {
					at = s
				}
			}
		}
		if at == nil {
			if p := c.find(argument); p != nil {
				at = p.root
			}
		}
		pos.at, pos.types = at, []*r4.Structure{r4.StructureOf("Extension")}
		return &step{kind: toExtension, name: argument}, true
	}
	st := &step{kind: toMember}
	var found []*r4.Structure
	for _, structure := range pos.types {
		for i := range structure.Elements {
			e := &structure.Elements[i]
			if e.Name != word && !(e.Choice && e.Name == word+"[x]") {
				continue
			}
			st.base = e
			st.fields = append(st.fields, e.Fields...)
			for j := range e.Fields {
				found = append(found, e.Fields[j].Type)
			}
		}
	}
	if st.fields == nil {
		return nil, false
	}
	pos.at = c.inner(pos.at, word)
	pos.types = found
	if pos.at != nil {
		if narrowed := pos.at.structures(); len(narrowed) > 0 {
			pos.types = narrowed
		}
	}
	return st, true
}

// inner is what a profile says of an element inside: in the element's own tree, or in the profile of its type.
func (c *compiler) inner(n *node, name string) *node {
	if n == nil {
		return nil
	}
	kid := n.kid(name)
	if kid != nil && kid.telling {
		return kid
	}
	for _, s := range n.slices { // code.coding.code, where the slice says it of code.coding:loinc.code
		if inner := s.kid(name); inner != nil && inner.telling {
			return inner
		}
	}
	if kid != nil {
		return kid
	}
	if n.content != nil {
		return n.content.kid(name)
	}
	for _, t := range n.types {
		for _, url := range t.profiles {
			if p := c.find(url); p != nil && p.root != nil && p.root != n {
				return p.root.kid(name)
			}
		}
	}
	return nil
}

func (n *node) isExtension() bool { return n.name == "extension" || n.name == "modifierExtension" }

// extensionURL is the URL of the extensions that belong to a slice, or empty.
func (n *node) extensionURL() string {
	if kid := n.kid("url"); kid != nil && kid.fixed != nil {
		return kid.fixed.text
	}
	for _, t := range n.types {
		if len(t.profiles) == 1 {
			url, _ := splitCanonical(t.profiles[0])
			return url
		}
	}
	return ""
}

// splitPath divides a discriminator's path at its dots, those within parentheses left alone.
func splitPath(path string) []string {
	var words []string
	depth, from := 0, 0
	for i := range len(path) {
		switch path[i] {
		case '(':
			depth++
		case ')':
			depth--
		case '.':
			if depth == 0 {
				words = append(words, path[from:i])
				from = i + 1
			}
		}
	}
	return append(words, path[from:])
}
