package profile

import (
	"strconv"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// value holds what an item itself is against the profile. It is false where the item is of a type that the profile does
// not allow, so that nothing more can be said of it.
func (c *checker) value(n *node, it item) bool {
	if n.checks&checkTypes != 0 && !c.allowed(n, it) {
		c.fail(fhir.CodeStructure, it.where(), "", n, "the profile does not allow this type here")
		return false
	}
	bare := !it.n.Exists() || it.n.Kind() == fhir.Null // a primitive that has only extensions
	if n.checks&checkFixed != 0 && !bare && !n.fixed.isExactly(it.n) {
		c.fail(fhir.CodeValue, it.where(), "", n, "it must be exactly ", n.fixed.brief())
	}
	if n.checks&checkPattern != 0 && !bare && !n.pattern.isWithin(it.n) {
		c.fail(fhir.CodeValue, it.where(), "", n, "it must have at least ", n.pattern.brief())
	}
	if (n.checks&checkFixed != 0 || n.checks&checkPattern != 0) && bare {
		c.fail(fhir.CodeValue, it.where(), "", n, "it must have a value")
	}
	if n.checks&checkLength != 0 && it.n.Kind() == fhir.String && length(it.n) > n.maxLength {
		c.fail(fhir.CodeTooLong, it.n, "", n, "it may have at most "+strconv.Itoa(n.maxLength)+" characters")
	}
	if n.checks&checkRange != 0 && !bare {
		if n.least != nil {
			if order, ok := n.least.compare(it.n); ok && order < 0 {
				c.fail(fhir.CodeValue, it.n, "", n, "it must be at least ", n.least.brief())
			}
		}
		if n.greatest != nil {
			if order, ok := n.greatest.compare(it.n); ok && order > 0 {
				c.fail(fhir.CodeValue, it.n, "", n, "it may be at most ", n.greatest.brief())
			}
		}
	}
	if n.checks&checkBinding != 0 && !bare {
		c.bound(n, it)
	}
	if n.checks&checkTargets != 0 {
		c.targetsOf(n, it)
	}
	if n.checks&checkProfiles != 0 {
		c.typeProfiles(n, it)
	}
	if n.checks&checkRules != 0 {
		c.ruled(n, it)
	}
	return true
}

// allowed reports whether the profile allows the item's type.
func (c *checker) allowed(n *node, it item) bool {
	typ := it.typ
	if typ != nil && typ.Name == "Resource" {
		typ = typeOf(it.n)
	}
	if typ == nil {
		return true
	}
	for i := range n.types {
		if code := n.types[i].code; code == typ.Name || code == "Resource" || code == "DomainResource" {
			return true
		}
	}
	return false
}

// bound holds coded content against the value set that it is bound to.
func (c *checker) bound(n *node, it item) {
	if it.typ != nil && it.typ.Primitive != 0 && it.typ.Primitive != r4.CodeValue && len(n.fields) > 1 && len(n.types) != 1 {
		return // of a choice, the coded types are meant
	}
	found, any := c.coded(n.set, it)
	required := n.binding.strength == "required"
	switch {
	case found == yes:
	case found == unknown:
		c.tell(it.where(), "", n, "whether this is in the value set ", n.set.url, " cannot be told here")
	case required && any:
		c.fail(codeBinding, it.where(), "", n, "it must be out of the value set ", n.set.url)
	case required:
		c.fail(codeBinding, it.where(), "", n, "it must have a code out of the value set ", n.set.url)
	case any:
		c.warn(codeBinding, it.where(), n, "it should be out of the value set ", n.set.url)
	}
}

// coded is whether an item has a code that is in the set, and whether it has any code.
func (c *checker) coded(set *valueSet, it item) (found verdict, any bool) {
	if it.typ == nil {
		return unknown, false
	}
	switch it.typ.Name {
	case "CodeableConcept":
		for coding := it.n.Member("coding").First(); coding.Exists(); coding = coding.Next() {
			v, has := c.coding(set, coding)
			found, any = found.or(v), any || has
		}
		return found, any
	case "Coding", "Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity":
		return c.coding(set, it.n)
	}
	if it.typ.Primitive == 0 || it.n.Kind() != fhir.String {
		return unknown, false
	}
	c.code = it.n.AppendText(c.code[:0])
	return set.has(nil, c.code), true
}

func (c *checker) coding(set *valueSet, n fhir.Node) (found verdict, any bool) {
	system, code := n.Member("system"), n.Member("code")
	if code.Kind() != fhir.String {
		return no, false
	}
	c.code = code.AppendText(c.code[:0])
	if system.Kind() != fhir.String {
		return no, true // a code of no system is no concept of any set
	}
	c.text = system.AppendText(c.text[:0])
	return set.has(c.text, c.code), true
}

// typeProfiles holds an item against the profiles of its type: one of them must fit.
func (c *checker) typeProfiles(n *node, it item) {
	typ := it.typ
	if typ != nil && typ.Name == "Resource" {
		typ = typeOf(it.n)
	}
	if typ == nil {
		return
	}
	for i := range n.types {
		t := &n.types[i]
		if t.code != typ.Name || len(t.profiles) == 0 {
			continue
		}
		links := n.link[i]
		switch {
		case len(links) != len(t.profiles) && !(len(t.profiles) == 1 && t.profiles[0] == coreBase+"SimpleQuantity"):
			c.tell(it.where(), "", n, "its profile ", t.profiles[0], " is not installed")
		case len(t.profiles) == 1 && len(links) == 0: // SimpleQuantity
			if m := it.n.Member("comparator"); m.Exists() {
				c.fail(fhir.CodeStructure, m, "", n, "a SimpleQuantity has no comparator")
			}
		case len(links) == 1:
			c.against(links[0], it, typ)
		default:
			for _, p := range links {
				if c.conforms(p, it, typ) {
					return
				}
			}
			c.fail(fhir.CodeStructure, it.where(), "", n, "it fits none of the profiles that it may have")
		}
		return
	}
}

// against holds an item against another profile.
func (c *checker) against(p *Profile, it item, typ *r4.Structure) {
	if c.depth > mostDepth {
		return
	}
	outer, within := c.profile, c.within
	c.profile = p
	if typ.Kind == r4.KindResource {
		c.within = it.n
	}
	c.depth++
	it.typ = typ
	c.check(p.root, it)
	c.depth--
	c.profile, c.within = outer, within
}

// conforms reports whether an item fits a profile, without a report.
func (c *checker) conforms(p *Profile, it item, typ *r4.Structure) bool {
	failed := c.failed
	c.failed = false
	c.quiet++
	from := len(c.counts)
	c.against(p, it, typ)
	c.counts = c.counts[:from]
	fits := !c.failed
	c.quiet--
	c.failed = failed
	return fits
}
