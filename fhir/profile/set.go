package profile

import (
	"slices"
	"strings"
	"sync"

	"tarn/fhir/r4"
)

// Profile is one compiled profile, or the definition of an extension.
type Profile struct {
	Definition
	Flaw     string // why it cannot be checked; empty where it can
	resource bool
	contexts []context
	root     *node
	def      *definition
	state    uint8 // of the compiler
}

// Set is the profiles of the packages of a data store, compiled. It is immutable and safe for concurrent use. The nil Set
// has none.
type Set struct {
	profiles   map[string][]*Profile // by URL, the newest version first
	extensions bool                  // there are definitions of extensions
	explain    bool
	checkers   *sync.Pool
}

// NewSet compiles packages. What one of them refers to is looked for in all; of several versions the newest is meant
// where a canonical names none. A profile that cannot be compiled stays known, with its Flaw.
func NewSet(packages ...*Package) *Set {
	s := &Set{profiles: map[string][]*Profile{}, checkers: &sync.Pool{New: func() any { return new(checker) }}}
	c := &compiler{set: s, terms: newTerminology(packages)}
	for _, p := range packages {
		for _, d := range p.profiles {
			one := &Profile{Definition: Definition{URL: d.url, Version: d.version, Name: d.name, Type: d.typ}, Flaw: d.flaw,
				resource: d.resource, contexts: d.contexts, def: d}
			s.profiles[d.url] = append(s.profiles[d.url], one)
			c.all = append(c.all, one)
		}
	}
	for _, versions := range s.profiles {
		slices.SortStableFunc(versions, func(a, b *Profile) int {
			switch {
			case newer(a.Version, b.Version):
				return -1
			case newer(b.Version, a.Version):
				return 1
			}
			return 0
		})
	}
	c.compile()
	return s
}

// find is the profile of a canonical; nil where there is none.
func (s *Set) find(canonical string) *Profile {
	if s == nil {
		return nil
	}
	versions := s.profiles[canonical]
	if versions == nil && strings.ContainsAny(canonical, "|#") {
		url, version := splitCanonical(canonical)
		versions = s.profiles[url]
		for _, p := range versions {
			if p.Version == version {
				return p
			}
		}
		if version != "" {
			return nil
		}
	}
	if len(versions) == 0 {
		return nil
	}
	return versions[0]
}

// Profiles are all profiles of the set in the order of their URLs and, of one URL, the newest version first.
func (s *Set) Profiles() []*Profile {
	var all []*Profile
	for _, versions := range s.profiles {
		all = append(all, versions...)
	}
	slices.SortStableFunc(all, func(a, b *Profile) int { return strings.Compare(a.URL, b.URL) })
	return all
}

// compiler makes the trees of a set.
type compiler struct {
	set   *Set
	terms *terminology
	all   []*Profile
	made  int // nodes of all trees
}

const (
	growing = 1 + iota
	grown
)

func (c *compiler) compile() {
	for _, p := range c.all {
		c.grow(p)
	}
	for _, p := range c.all {
		if p.Flaw == "" {
			c.arrange(p.root)
		}
	}
	for _, p := range c.all {
		if p.Flaw == "" {
			c.link(p.root)
		}
	}
	for _, p := range c.all {
		if p.Flaw == "" {
			c.settle(p.root, nil)
		}
		p.def = nil
		c.set.extensions = c.set.extensions || p.Type == "Extension"
	}
}

// grow makes the tree of a profile from its snapshot, or from its differential over what it is based on.
func (c *compiler) grow(p *Profile) {
	if p.state != 0 || p.Flaw != "" {
		return
	}
	p.state = growing
	defer func() { p.state = grown }()
	if r4.StructureOf(p.Type) == nil {
		p.Flaw = "it is about " + clip(p.Type) + ", which is no type of FHIR R4"
		return
	}
	elements := p.def.snapshot
	p.root = newRoot(p.Type, &c.made)
	if len(elements) == 0 {
		elements = p.def.differential
		if base := c.find(p.def.base); base != nil {
			if base.state == growing {
				p.Flaw = "it is based on itself"
				return
			}
			c.grow(base)
			if base.Flaw != "" {
				p.Flaw = "it is based on " + clip(p.def.base) + ", which cannot be checked"
				return
			}
			if c.made+base.root.size() > mostNodes {
				p.Flaw = errTooMany.Error()
				return
			}
			p.root = base.root.clone()
		} else if p.def.base != coreBase+p.Type && !builtIn(p.root, p.def.base) {
			p.Flaw = "it is based on " + clip(p.def.base) + ", which is not installed"
			return
		}
	}
	if err := grow(p.root, elements); err != nil {
		p.Flaw = err.Error()
	}
}

// builtIn lays over the root what FHIR's own profiles of data types say.
func builtIn(root *node, url string) bool {
	if url != coreBase+"SimpleQuantity" || root.name != "Quantity" {
		return false
	}
	root.child("comparator").max = 0
	return true
}

func (c *compiler) find(canonical string) *Profile { return c.set.find(canonical) }

// Known reports whether the set has a profile of the canonical URL.
func (s *Set) Known(canonical string) bool { return s.find(canonical) != nil }
