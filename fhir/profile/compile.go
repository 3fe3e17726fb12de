package profile

import (
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// checks are what is to be looked at in an element.
type checks uint16

const (
	checkMin checks = 1 << iota
	checkMax
	checkTypes
	checkFixed
	checkPattern
	checkBinding
	checkTargets
	checkProfiles
	checkLength
	checkRange
	checkRules
	checkMust
	checkInside // kids
	checkSlices
)

// arrange completes the slicings of a tree, and finds what tells items apart.
func (c *compiler) arrange(n *node) {
	if len(n.slices) > 0 {
		if n.slicing == nil && n.isExtension() {
			n.slicing = &slicingRef{by: []discriminatorRef{{"value", "url"}}, rules: "open"}
		}
		for i, s := range n.slices {
			s.parent = -1
			for at := strings.LastIndexByte(s.slice, '/'); at > 0 && s.parent < 0; at = strings.LastIndexByte(s.slice[:at], '/') {
				s.parent = slices.IndexFunc(n.slices[:i], func(o *node) bool { return o.slice == s.slice[:at] })
			}
		}
	}
	for _, kid := range n.kids {
		c.arrange(kid)
	}
	for _, s := range n.slices {
		c.arrange(s)
	}
	n.telling = n.tells()
}

// link binds a tree to the profiles and value sets that it names.
func (c *compiler) link(n *node) {
	if n.binding != nil && (n.binding.strength == "required" || n.binding.strength == "extensible") {
		n.set = c.terms.set(n.binding.set)
	}
	n.link = make([][]*Profile, len(n.types))
	for i, t := range n.types {
		for _, url := range t.profiles {
			if p := c.find(url); p != nil && p.Flaw == "" && p.root != n {
				n.link[i] = append(n.link[i], p)
			}
		}
	}
	for _, s := range n.slices {
		by := n.slicing
		if s.parent >= 0 && n.slices[s.parent].slicing != nil {
			by = n.slices[s.parent].slicing
		}
		if by != nil {
			s.criteria = c.criteriaOf(s, by.by)
		}
		c.link(s)
	}
	for _, kid := range n.kids {
		c.link(kid)
	}
}

// tells reports whether items can be told apart by what the element, or one inside, says.
func (n *node) tells() bool {
	if n.fixed != nil || n.pattern != nil || n.binding != nil && n.binding.strength == "required" {
		return true
	}
	for _, t := range n.types {
		if len(t.profiles) > 0 {
			return true
		}
	}
	for _, kid := range n.kids {
		if kid.telling || kid.max == 0 || kid.min > 0 && kid.base != nil && kid.base.Min == 0 {
			return true
		}
	}
	return slices.ContainsFunc(n.slices, func(s *node) bool { return s.telling && s.min > 0 })
}

// settle finds out what of an element is to be looked at: what FHIR's own definition says already, or for a slice what
// its element says, is left out. general is what the element itself says where n stands below a slice.
func (c *compiler) settle(n, general *node) {
	n.checks = n.ownChecks(general)
	if n.rules = n.ownRules(general); len(n.rules) > 0 {
		n.checks |= checkRules
	}
	for _, s := range n.slices {
		c.settle(s, n)
	}
	if len(n.slices) > 0 {
		n.checks |= checkSlices
	}
	for _, kid := range n.kids {
		var twin *node
		if general != nil {
			twin = general.kid(kid.name)
		}
		if twin == kid {
			twin = nil
		}
		c.settle(kid, twin)
	}
	n.members = map[string]member{}
	for _, kid := range n.kids {
		if kid.checks == 0 {
			continue
		}
		at := len(n.watch)
		n.watch = append(n.watch, kid)
		for i := range kid.fields {
			n.members[kid.fields[i].Name] = member{at, i}
		}
	}
	if len(n.watch) > 0 {
		n.checks |= checkInside
	}
	if n.content != nil {
		n.checks |= checkInside
	}
	n.needsBack = n.checks&checkInside != 0
}

func (n *node) ownChecks(general *node) checks {
	var want checks
	add := func(on bool, c checks) {
		if on {
			want |= c
		}
	}
	root := n.base == nil
	slice := n.of != nil
	add(n.min > 0 && !root && (slice || n.min != n.base.Min), checkMin)
	add(n.max >= 0 && !root && (slice || n.max != n.base.Max), checkMax)
	add(!root && n.restrictsTypes(), checkTypes)
	add(n.fixed != nil, checkFixed)
	add(n.pattern != nil, checkPattern)
	add(n.set != nil && !n.sameBinding(), checkBinding)
	add(!root && n.restrictsTargets(), checkTargets)
	add(!root && n.hasLinks() && !n.isExtension(), checkProfiles)
	add(n.maxLength > 0, checkLength)
	add(n.least != nil || n.greatest != nil, checkRange)
	add(n.must && !root, checkMust)
	if general == nil {
		return want
	}
	drop := func(same bool, c checks) {
		if same {
			want &^= c
		}
	}
	if general != n.of { // below a slice; a slice's own numbers are those of the slice
		drop(general.min == n.min, checkMin)
		drop(general.max == n.max, checkMax)
		drop(general.must, checkMust)
	}
	drop(slices.EqualFunc(general.types, n.types, sameType), checkTypes|checkTargets|checkProfiles)
	drop(general.fixed.equal(n.fixed), checkFixed)
	drop(general.pattern.equal(n.pattern), checkPattern)
	drop(general.set == n.set && general.binding != nil && n.binding != nil && general.binding.strength == n.binding.strength, checkBinding)
	drop(general.maxLength == n.maxLength, checkLength)
	drop(general.least.equal(n.least) && general.greatest.equal(n.greatest), checkRange)
	return want
}

func sameType(a, b typeRef) bool {
	return a.code == b.code && slices.Equal(a.profiles, b.profiles) && slices.Equal(a.targets, b.targets)
}

// restrictsTypes reports whether the profile allows fewer types than FHIR.
func (n *node) restrictsTypes() bool {
	if len(n.types) == 0 {
		return false
	}
	if len(n.fields) == 1 {
		return n.fields[0].Type != nil && n.fields[0].Type.Name == "Resource" && !slices.ContainsFunc(n.types, func(t typeRef) bool { return t.code == "Resource" })
	}
	for i := range n.fields {
		if f := &n.fields[i]; f.Type != nil && !n.allows(f.Type) {
			return true
		}
	}
	return false
}

// sameBinding reports whether FHIR itself binds the element as strongly to the same value set: a required binding is
// then checked without profiles, and what FHIR leaves to the user the profile does too.
func (n *node) sameBinding() bool {
	if n.base == nil || n.base.Binding == nil {
		return false
	}
	url, _ := splitCanonical(n.binding.set)
	strength := r4.Required
	if n.binding.strength == "extensible" {
		strength = r4.Extensible
	}
	return n.base.Binding.ValueSet == url && n.base.Binding.Strength <= strength
}

// restrictsTargets reports whether references may point to fewer types than FHIR allows.
func (n *node) restrictsTargets() bool {
	for _, t := range n.types {
		if t.code != "Reference" || len(t.targets) == 0 {
			continue
		}
		var base []string
		for i := range n.fields {
			if f := &n.fields[i]; f.Type != nil && f.Type.Name == "Reference" {
				base = f.Targets
			}
		}
		if len(t.targets) != len(base) || slices.ContainsFunc(t.targets, func(target string) bool {
			name, core := strings.CutPrefix(target, coreBase)
			return !core || !slices.Contains(base, name)
		}) {
			return true
		}
	}
	return false
}

func (n *node) hasLinks() bool {
	for _, t := range n.types {
		if len(t.profiles) > 0 {
			return true
		}
	}
	return false
}
