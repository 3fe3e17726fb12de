package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mostNodes bounds the elements and slices of all compiled profiles of a data store.
const mostNodes = 500_000

var errTooMany = errors.New("the installed profiles have too many elements together")

// grower lays the elements of one definition over a tree.
type grower struct {
	root *node
	last map[string]*node // by path: the element or slice that came last
	byID map[string]*node
}

// grow lays the elements over the root.
func grow(root *node, all []element) error {
	g := &grower{root: root, last: map[string]*node{}, byID: map[string]*node{}}
	for i := range all {
		e := &all[i]
		n, err := g.place(e)
		if err != nil {
			return err
		}
		if *root.made > mostNodes {
			return errTooMany
		}
		if n.content == nil && strings.Contains(e.content, "#") {
			n.content = g.named(e.content[strings.LastIndexByte(e.content, '#')+1:])
		}
		n.say(e)
		g.last[e.path] = n
		g.byID[e.path] = n
		if e.id != "" {
			g.byID[e.id] = n
		}
	}
	return nil
}

// named is the element of that id; it is made where no element was about it yet. nil: FHIR has none.
func (g *grower) named(id string) *node {
	if n := g.byID[id]; n != nil {
		return n
	}
	n := g.root
	_, rest, _ := strings.Cut(id, ".")
	for word := range strings.SplitSeq(rest, ".") {
		if n = n.child(word); n == nil {
			return nil
		}
	}
	return n
}

// place is the node that an element is about. Its id tells; where it has none, the order does.
func (g *grower) place(e *element) (*node, error) {
	path := strings.Split(e.path, ".")
	ids := strings.Split(e.id, ".")
	if path[0] != g.root.name && g.root.up == nil && len(path) > 1 {
		return nil, fmt.Errorf("its element %s is of another type", clip(e.path))
	}
	if len(path) == 1 {
		return g.root, nil
	}
	if len(path) > 40 {
		return nil, fmt.Errorf("its element %s lies too deep", clip(e.path))
	}
	if len(ids) == len(path) {
		n := g.root
		for i := 1; i < len(ids); i++ {
			name, slice, _ := strings.Cut(ids[i], ":")
			n = n.child(name)
			if n == nil {
				return nil, noElement(e.path)
			}
			if slice != "" {
				if n.of != nil { // valueQuantity:valueQuantity
					n = n.of
				}
				if n.base.Choice && path[i] != name && path[i]+"[x]" != name {
					n.shorten()
				}
				n = n.sliceOf(slice)
			}
		}
		return n, nil
	}
	up := g.root
	for i := 2; i < len(path); i++ {
		if known := g.last[strings.Join(path[:i], ".")]; known != nil {
			up = known
		} else if up = up.child(path[i-1]); up == nil {
			return nil, noElement(e.path)
		}
	}
	n := up.child(path[len(path)-1])
	if n == nil {
		return nil, noElement(e.path)
	}
	for prefix := range g.last {
		if strings.HasPrefix(prefix, e.path+".") {
			delete(g.last, prefix)
		}
	}
	if e.slice != "" {
		if n.of != nil {
			n = n.of
		}
		n = n.sliceOf(e.slice)
	}
	return n, nil
}

func noElement(path string) error {
	return fmt.Errorf("its element %s is none of FHIR R4", clip(path))
}

// say takes over what an element says.
func (n *node) say(e *element) {
	if e.min != unset {
		n.min = e.min
	}
	if e.max != unset {
		n.max = e.max
	}
	n.must = n.must || e.must
	if len(e.types) > 0 {
		n.types = e.types
	}
	if e.fixed != nil {
		n.fixed = e.fixed
	}
	if e.pattern != nil {
		n.pattern = e.pattern
	}
	if e.least != nil {
		n.least = e.least
	}
	if e.greatest != nil {
		n.greatest = e.greatest
	}
	if e.maxLength > 0 {
		n.maxLength = e.maxLength
	}
	if e.binding != nil && e.binding.set != "" {
		n.binding = e.binding
	}
	if e.slicing != nil {
		n.slicing = e.slicing
	}
	for _, rule := range e.invariants {
		if !slices.ContainsFunc(n.invariants, func(have invariantRef) bool { return have.key == rule.key }) {
			n.invariants = append(n.invariants[:len(n.invariants):len(n.invariants)], rule)
		}
	}
}
