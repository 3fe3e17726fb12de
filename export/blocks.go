package export

import (
	"encoding/binary"
	"iter"

	"tarn/fhir/r4"
	"tarn/store"
)

// Output that is organized by patient is made of blocks: a header that names the patient, the patient, and what belongs to
// it (Bulk Data Access 3.0.0, section "Bulk Data Output File Organization"). A block that is too long for one part goes on
// in the next, under a header of its own.

// bunch are resources of one type, ascending.
type bunch struct {
	typ     r4.Code
	members []store.Ordinal
}

// block is what a part holds of one patient.
type block struct {
	patient string // id
	groups  []bunch
}

// blockCutter cuts blocks into parts of at most maxLines lines, headers among them. A block that would fit into a part
// begins one rather than being divided.
type blockCutter struct {
	maxLines int
	plan     []Part
	lines    int // of the last part
}

// add takes the next patient's block.
func (c *blockCutter) add(b block) {
	most := max(c.maxLines, 2) // a header and a resource
	left := 0
	for _, g := range b.groups {
		left += len(g.members)
	}
	if len(c.plan) == 0 || c.lines+1+left > most {
		c.next()
	}
	for groups := b.groups; left > 0; {
		if c.lines+1 >= most {
			c.plan[len(c.plan)-1].Continues = true
			c.next()
		}
		room := min(left, most-c.lines-1)
		var now []bunch
		now, groups = divide(groups, room)
		p := &c.plan[len(c.plan)-1]
		p.Blocks = appendBlock(p.Blocks, block{b.patient, now})
		p.Count += room
		c.lines += 1 + room
		left -= room
	}
}

func (c *blockCutter) next() {
	c.plan = append(c.plan, Part{Type: patientCode, N: len(c.plan)})
	c.lines = 0
}

// divide takes the first n members of groups.
func divide(groups []bunch, n int) (first, rest []bunch) {
	for len(groups) > 0 && n > 0 {
		g := groups[0]
		k := min(n, len(g.members))
		first = append(first, bunch{g.typ, g.members[:k]})
		n -= k
		if k < len(g.members) {
			groups = append([]bunch{{g.typ, g.members[k:]}}, groups[1:]...)
			break
		}
		groups = groups[1:]
	}
	return first, groups
}

// appendBlock is the stored form of a block: the length of the patient's id and the id, the number of groups, and of each
// its type, its count, the first ordinal, and the distances of the others.
func appendBlock(to []byte, b block) []byte {
	to = binary.AppendUvarint(to, uint64(len(b.patient)))
	to = append(to, b.patient...)
	to = binary.AppendUvarint(to, uint64(len(b.groups)))
	for _, g := range b.groups {
		to = binary.AppendUvarint(to, uint64(g.typ))
		to = binary.AppendUvarint(to, uint64(len(g.members)))
		before := store.Ordinal(0)
		for _, o := range g.members {
			to = binary.AppendUvarint(to, uint64(o-before))
			before = o
		}
	}
	return to
}

// blocks are the blocks of the part.
func (p *Part) blocks() iter.Seq2[block, error] {
	return func(yield func(block, error) bool) {
		r := numbers{left: p.Blocks}
		for len(r.left) > 0 {
			b := block{patient: string(r.bytes())}
			n := r.next()
			for range min(n, uint64(len(r.left))) {
				g := bunch{typ: r4.Code(r.next())}
				count := r.next()
				if count == 0 || count > uint64(len(r.left)) {
					r.damaged = true
					break
				}
				g.members = make([]store.Ordinal, count)
				at := store.Ordinal(0)
				for i := range g.members {
					at += store.Ordinal(r.next())
					g.members[i] = at
				}
				b.groups = append(b.groups, g)
			}
			if r.damaged || uint64(len(b.groups)) != n || n == 0 {
				yield(block{}, damagedPlan())
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}
