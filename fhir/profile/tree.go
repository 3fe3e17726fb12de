package profile

import (
	"slices"

	"tarn/fhir/r4"
)

// node is one element of a profile, or one slice of it, in a tree that is laid over FHIR's own definition: what it does
// not say holds as FHIR has it. After the set is compiled it is shared and not changed.
type node struct {
	name  string      // of the element: component, value[x]; of the root the type
	slice string      // name of the slice; empty for the element itself
	label string      // Observation.component:systolic.code, for messages
	made  *int        // counts the nodes of a set while it is compiled
	up    *node       // the element that holds it; of a slice that of its element
	of    *node       // of a slice: the element that is sliced
	base  *r4.Element // nil for a root

	element // what the profile says; id, path and slice of it are not used

	fields  []r4.Field // JSON names that the element can have here, with their types
	kids    []*node    // elements inside that the profile names
	slices  []*node    // in their order; re-slices stand behind what they slice
	content *node      // whose kids hold for this element too

	// Compiled:
	checks    checks
	members   map[string]member // JSON name to what is to be looked at
	watch     []*node           // the kids that members point to
	criteria  []criterion       // of a slice: what tells that an item belongs to it
	parent    int               // of a re-slice: the place of what it slices; else -1
	set       *valueSet         // of the binding; nil where it is not known
	rules     []rule            // the invariants that are the profile's own
	link      [][]*Profile      // for each of types: its profiles as far as they are installed
	telling   bool              // holds something by which satisfies can tell items apart
	needsBack bool              // primitives: what stands in _name matters
}

// member is where a JSON name leads.
type member struct {
	kid   int
	field int
}

// newRoot is the tree of a profile that says nothing yet. made counts the nodes of all trees.
func newRoot(typ string, made *int) *node {
	*made++
	n := &node{name: typ, label: typ, element: element{min: unset, max: unset}, parent: -1, made: made}
	if st := r4.StructureOf(typ); st != nil {
		n.fields = []r4.Field{{Type: st}}
	}
	return n
}

// structures are the definitions of what can stand in the element.
func (n *node) structures() []*r4.Structure {
	var all []*r4.Structure
	for i := range n.fields {
		f := &n.fields[i]
		if f.Type == nil || n.base != nil && !n.allows(f.Type) {
			continue
		}
		if f.Type.Name == "Resource" && len(n.types) > 0 {
			for _, t := range n.types {
				if st := r4.StructureOf(t.code); st != nil {
					all = append(all, st)
				}
			}
			continue
		}
		all = append(all, f.Type)
	}
	return all
}

// allows reports whether the profile leaves the type standing.
func (n *node) allows(st *r4.Structure) bool {
	if len(n.types) == 0 || len(n.fields) < 2 {
		return true
	}
	return slices.ContainsFunc(n.types, func(t typeRef) bool { return t.code == st.Name })
}

// find is FHIR's definition of an element inside by its name in definitions, or by the JSON name of one type of a
// choice, which is then told.
func (n *node) find(name string) (base *r4.Element, field *r4.Field) {
	for _, st := range n.structures() {
		for i := range st.Elements {
			e := &st.Elements[i]
			if e.Name == name || e.Choice && e.Name == name+"[x]" {
				return e, nil
			}
		}
		if p, ok := st.FindString(name); ok {
			return &st.Elements[p.Element], &st.Elements[p.Element].Fields[p.Field]
		}
	}
	return nil, nil
}

// child is the element inside of that name; it is made where the tree does not have it. nil: FHIR has none.
func (n *node) child(name string) *node {
	if kid := n.kid(name); kid != nil {
		return kid
	}
	base, field := n.find(name)
	if base == nil && n.content != nil {
		return n.content.child(name)
	}
	if base == nil {
		return nil
	}
	kid := n.kid(base.Name)
	if kid == nil {
		*n.made++
		kid = &node{made: n.made, name: base.Name, label: n.label + "." + base.Name, up: n, base: base, fields: base.Fields,
			element: element{min: unset, max: unset}, parent: -1}
		n.kids = append(n.kids, kid)
	}
	if field != nil && base.Choice {
		kid.shorten()
		return kid.sliceOf(name)
	}
	return kid
}

// kid is the element inside of that name; nil where the profile does not name it.
func (n *node) kid(name string) *node {
	for _, kid := range n.kids {
		if kid.name == name || kid.base != nil && kid.base.Choice && kid.name == name+"[x]" {
			return kid
		}
	}
	return nil
}

// shorten is for a choice that is named by one of its types: valueQuantity. Where nothing else was said of its slicing,
// that allows only the types that are named so (http://hl7.org/fhir/R4/profiling.html#slicing).
func (n *node) shorten() {
	if n.slicing == nil {
		n.slicing = &slicingRef{by: []discriminatorRef{{"type", "$this"}}, rules: "closed"}
	}
}

// sliceOf is the slice of that name; it is made where the tree does not have it.
func (n *node) sliceOf(name string) *node {
	for _, s := range n.slices {
		if s.slice == name {
			return s
		}
	}
	*n.made++
	s := &node{made: n.made, name: n.name, slice: name, label: n.label + ":" + name, up: n.up, of: n, base: n.base, fields: n.fields,
		element: element{min: unset, max: unset}, parent: -1}
	if n.base != nil && n.base.Choice {
		for i := range n.fields {
			if f := &n.fields[i]; f.Name == name && f.Type != nil {
				s.types = []typeRef{{code: f.Type.Name}}
			}
		}
		if n.slicing == nil {
			n.slicing = &slicingRef{by: []discriminatorRef{{"type", "$this"}}, rules: "open"}
		}
	}
	n.slices = append(n.slices, s)
	return s
}

// clone copies a tree, so that another profile can be laid over it.
func (n *node) clone() *node {
	twins := map[*node]*node{}
	copied := n.copyInto(twins)
	for _, twin := range twins {
		if twin.content != nil {
			twin.content = twins[twin.content]
		}
		twin.of = twins[twin.of]
		twin.up = twins[twin.up]
	}
	return copied
}

func (n *node) copyInto(twins map[*node]*node) *node {
	*n.made++
	twin := *n
	twins[n] = &twin
	twin.kids = make([]*node, len(n.kids))
	for i, kid := range n.kids {
		twin.kids[i] = kid.copyInto(twins)
	}
	twin.slices = make([]*node, len(n.slices))
	for i, s := range n.slices {
		twin.slices[i] = s.copyInto(twins)
	}
	return &twin
}

// size is how many nodes the tree has.
func (n *node) size() int {
	size := 1
	for _, kid := range n.kids {
		size += kid.size()
	}
	for _, s := range n.slices {
		size += s.size()
	}
	return size
}
