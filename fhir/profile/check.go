package profile

import (
	"strconv"

	"tarn/fhir"
)

// check holds one item against what the profile says of it.
func (c *checker) check(n *node, it item) {
	if c.quiet > 0 && c.failed || n.checks == 0 || c.depth > mostDepth || c.tired() {
		return
	}
	if n.checks&(checkTypes|checkFixed|checkPattern|checkBinding|checkTargets|checkProfiles|checkLength|checkRange|checkRules) != 0 && !c.value(n, it) || n.checks&checkInside == 0 {
		return
	}
	inside := it.inside()
	if len(n.watch) > 0 {
		c.inside(n, it, inside)
	}
	if n.content != nil && n.content.checks&checkInside != 0 && n.content != n {
		c.depth++
		c.inside(n.content, it, inside)
		c.depth--
	}
}

// inside holds the elements of an object against what the profile says of them. The object may be absent: a primitive
// without _name.
func (c *checker) inside(n *node, it item, object fhir.Node) {
	from := len(c.counts)
	for range n.watch {
		c.counts = append(c.counts, 0)
	}
	if object.Kind() == fhir.Object {
		for m := object.First(); m.Exists(); m = m.Next() {
			key := m.Key()
			if m.KeyEscaped() {
				c.text = m.AppendKey(c.text[:0])
				key = c.text
			}
			var plain, back fhir.Node
			beside := len(key) > 1 && key[0] == '_'
			if beside {
				key = key[1:]
			}
			to, ok := n.members[string(key)]
			if !ok {
				continue
			}
			kid := n.watch[to.kid]
			if beside {
				if plain = object.Member(kid.fields[to.field].Name); plain.Exists() {
					continue // seen, or to be seen, with its value
				}
				back = m
			} else {
				plain = m
				if kid.needsBack && m.Kind() != fhir.Object {
					back = object.Member("_" + kid.fields[to.field].Name)
				}
			}
			c.counts[from+to.kid] += c.element(kid, to.field, plain, back, it)
		}
	}
	for i, kid := range n.watch {
		c.number(kid, c.counts[from+i], it)
	}
	c.counts = c.counts[:from]
}

// number holds how often an element, or a slice, is there against what the profile wants.
func (c *checker) number(n *node, count int32, of item) {
	if count == 0 && n.of == nil && n.lacks() { // the slices say it better
		for _, s := range n.slices {
			if s.parent < 0 {
				c.number(s, 0, of)
			}
		}
		return
	}
	if n.checks&checkMin != 0 && int(count) < n.min {
		words := "it must be there"
		if n.min > 1 {
			words = "it must be there at least " + strconv.Itoa(n.min) + " times, and is " + strconv.Itoa(int(count))
		}
		c.fail(codeRequired, of.where(), n.name, n, words)
	}
	if n.checks&checkMax != 0 && int(count) > n.max {
		words := "it must not be there"
		if n.max > 0 {
			words = "it may be there at most " + strconv.Itoa(n.max) + " times, and is " + strconv.Itoa(int(count))
		}
		c.fail(fhir.CodeStructure, of.where(), n.name, n, words)
	}
	if count > 0 {
		return
	}
	if n.checks&checkMust != 0 && n.min <= 0 {
		c.tell(of.where(), n.name, n, "it must be supported, and is not there")
	}
}

// lacks reports whether there are slices that must be there; of a choice, the element itself tells that.
func (n *node) lacks() bool {
	if n.base != nil && n.base.Choice {
		return false
	}
	for _, s := range n.slices {
		if s.min > 0 && s.parent < 0 {
			return true
		}
	}
	return false
}

// element holds all items of an element that is there, and says how many they are.
func (c *checker) element(n *node, field int, plain, back fhir.Node, of item) int32 {
	typ := n.fields[field].Type
	if plain.Kind() != fhir.Array && back.Kind() != fhir.Array {
		it := item{n: plain, x: back, typ: typ}
		c.check(n, it)
		if len(n.slices) > 0 {
			run := c.startSlices(n)
			c.sliced(&run, it)
			c.endSlices(&run, of)
		}
		return 1
	}
	var run slicesRun
	if len(n.slices) > 0 {
		run = c.startSlices(n)
	}
	count := int32(0)
	p, x := plain.First(), back.First()
	for p.Exists() || x.Exists() {
		it := item{n: p, x: x, typ: typ}
		count++
		c.check(n, it)
		if len(n.slices) > 0 {
			c.sliced(&run, it)
		}
		p, x = p.Next(), x.Next()
	}
	if len(n.slices) > 0 {
		c.endSlices(&run, of)
	}
	return count
}
