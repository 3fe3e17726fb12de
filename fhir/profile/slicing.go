package profile

import (
	"tarn/fhir"
)

// slicesRun is the state of going through the items of a sliced element.
type slicesRun struct {
	n       *node
	from    int  // of the counts, one for each slice
	ordinal int  // place of the slice that came last
	outside bool // an item that belongs to no slice came
	blind   bool // an item came that may belong to slices, but that cannot be told
	told    bool
}

// fallback is the name of the slice of all that belongs to no other.
const fallback = "@default"

func (c *checker) startSlices(n *node) slicesRun {
	run := slicesRun{n: n, from: len(c.counts), ordinal: -1}
	for range n.slices {
		c.counts = append(c.counts, 0)
	}
	return run
}

// sliced finds the slice of an item and holds the item against it.
func (c *checker) sliced(run *slicesRun, it item) {
	n := run.n
	found, doubt, rest := -1, false, -1
	for i, s := range n.slices {
		if s.parent >= 0 {
			continue
		}
		if s.slice == fallback {
			rest = i
			continue
		}
		switch c.belongs(s, it) {
		case yes:
			found = i
		case unknown:
			doubt = true
		}
		if found >= 0 {
			break
		}
	}
	if found < 0 && !doubt {
		found = rest
	}
	if found < 0 {
		c.unsliced(run, it, doubt)
		return
	}
	if n.slicing != nil && n.slicing.ordered && found < run.ordinal {
		c.fail(fhir.CodeStructure, it.where(), "", n.slices[found], "the slices must stand in the order of the profile; this one comes too late")
	}
	if run.outside && n.slicing != nil && n.slicing.rules == "openAtEnd" {
		c.fail(fhir.CodeStructure, it.where(), "", n.slices[found], "items of no slice may stand at the end only")
	}
	run.ordinal = max(run.ordinal, found)
	c.counts[run.from+found]++
	c.check(n.slices[found], it)
	for i, s := range n.slices { // re-slices
		if s.parent == found && c.belongs(s, it) == yes {
			c.counts[run.from+i]++
			c.check(s, it)
		}
	}
}

// unsliced is for an item that belongs to no slice, or to one that cannot be told.
func (c *checker) unsliced(run *slicesRun, it item, doubt bool) {
	n := run.n
	if doubt {
		run.blind = true
		if !run.told {
			run.told = true
			c.tell(it.where(), "", n, "which slice this belongs to cannot be told here")
		}
		return
	}
	run.outside = true
	if n.slicing == nil || n.slicing.rules != "closed" {
		return
	}
	if n.base != nil && n.base.Choice {
		if n.checks&checkTypes != 0 {
			return // told already
		}
		c.fail(fhir.CodeStructure, it.where(), "", n, "the profile does not allow this type here")
		return
	}
	c.fail(fhir.CodeStructure, it.where(), "", n, "this belongs to no slice, and the profile allows none else")
}

// endSlices holds how many items each slice has against what the profile wants.
func (c *checker) endSlices(run *slicesRun, of item) {
	for i, s := range run.n.slices {
		count := c.counts[run.from+i]
		if run.blind && int(count) < s.min {
			c.tell(of.where(), s.name, s, "whether it is there cannot be told here")
			continue
		}
		if s.parent >= 0 && c.counts[run.from+s.parent] == 0 {
			continue // what is re-sliced is absent itself
		}
		c.number(s, count, of)
	}
	c.counts = c.counts[:run.from]
}
