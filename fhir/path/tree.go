package path

import "tarn/fhir/r4"

// tree is a node of the tree that a walk follows: what to do with a value that has been reached, and where to go on.
type tree struct {
	found    []int    // outs that every value here is
	targets  []ofType // outs that references to a type are
	groups   []int    // composites that this element is a base of
	branches []branch // what is done if a condition holds
	first    *tree    // what is done with the first value only
	edges    []edge
	slots    []uint8 // hash of a name -> 1 + index into edges
}

type ofType struct {
	out    int
	target r4.Code
}

type branch struct {
	when Condition
	then *tree
}

type edge struct {
	name string
	to   *tree
}

func (n *tree) child(name string) *tree {
	for _, e := range n.edges {
		if e.name == name {
			return e.to
		}
	}
	to := &tree{}
	n.edges = append(n.edges, edge{name, to})
	return to
}

func (n *tree) onlyFirst() *tree {
	if n.first == nil {
		n.first = &tree{}
	}
	return n.first
}

func (n *tree) branch(when Condition) *tree {
	for _, b := range n.branches {
		if b.when == when {
			return b.then
		}
	}
	then := &tree{}
	n.branches = append(n.branches, branch{when, then})
	return then
}

// seal makes the table in which names are found, for this node and all below.
func (n *tree) seal() {
	if n.first != nil {
		n.first.seal()
	}
	for _, b := range n.branches {
		b.then.seal()
	}
	for _, e := range n.edges {
		e.to.seal()
	}
	if len(n.edges) == 0 {
		return
	}
	size := 4
	for size < 4*len(n.edges) {
		size *= 2
	}
	n.slots = make([]uint8, size)
	for i, e := range n.edges {
		at := hash(e.name)
		for n.slots[at&uint32(size-1)] != 0 {
			at++
		}
		n.slots[at&uint32(size-1)] = uint8(i + 1)
	}
}

// hash mixes length and three bytes of a name that is not empty.
func hash[T string | []byte](name T) uint32 {
	n := len(name)
	x := uint32(name[0]) | uint32(name[n-1])<<8 | uint32(name[n/2])<<16 | uint32(n)<<24
	x *= 0x9e3779b1
	return x>>20 ^ x>>9
}

// find is where a name leads, or nil. Most names that lead nowhere meet an empty slot.
func (n *tree) find(name []byte) *tree {
	if len(name) == 0 {
		return nil
	}
	for at := hash(name); ; at++ {
		slot := n.slots[at&uint32(len(n.slots)-1)]
		if slot == 0 {
			return nil
		}
		if e := &n.edges[slot-1]; e.name == string(name) {
			return e.to
		}
	}
}
