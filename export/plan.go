package export

import (
	"context"
	"encoding/binary"
	"iter"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// A Part is one unit of work: the live resources of one type in an ordinal range, or those of them that a selection
// chose, at most MaxLines of them; or as many deleted ones.
type Part struct {
	Type     r4.Code
	N        int             // of its type, from 0; stands in the file names
	From, To store.Ordinal   // [From, To)
	Count    int             // resources, as of the job's TxID
	Members  []store.Ordinal // of a selection: these alone, ascending; nil: all live ones of the range
	Deleted  bool            // Members were deleted, and the part tells that

	Blocks    []byte // of output that is organized by patient: its blocks (blocks.go), in place of From, To and Members
	Continues bool   // its last block goes on in the next part
}

// planOf cuts types of the data store as of the view into parts, in the order given (their codes', which is
// alphabetical) and ordinals ascending, each with exactly maxLines live resources but for the last of its type. It costs a look at the
// deletions and not at the resources.
func planOf(ctx context.Context, v *store.View, types []r4.Code, maxLines int) ([]Part, error) {
	var plan []Part
	for _, code := range types {
		census, err := v.Census(ctx, code)
		if err != nil {
			return nil, err
		}
		plan = append(plan, cut(code, census.Next, census.Dead, maxLines)...)
	}
	return plan, nil
}

// cut makes the parts of one type of which the ordinals [0, next) exist and those in dead (ascending) are not live.
func cut(code r4.Code, next store.Ordinal, dead []store.Ordinal, maxLines int) []Part {
	var parts []Part
	for from := store.Ordinal(0); from < next; {
		to, count := from, 0
		for to < next && count < maxLines {
			stop := next // the run of live ordinals from to up to the next dead one
			if len(dead) > 0 {
				stop = min(dead[0], next)
			}
			run := min(int(stop-to), maxLines-count)
			to += store.Ordinal(run)
			count += run
			for len(dead) > 0 && dead[0] == to { // pass over the dead, so that a range may begin and end anywhere
				dead = dead[1:]
				to++
			}
		}
		if count > 0 {
			parts = append(parts, Part{Type: code, N: len(parts), From: from, To: to, Count: count})
		}
		from = to
	}
	return parts
}

// cutMembers makes the parts of one type that hold the ordinals of a set, ascending, at most maxLines in each.
func cutMembers(code r4.Code, of ordinals, deleted bool, maxLines int) []Part {
	var parts []Part
	left := of.count()
	for o := range of.all() {
		last := len(parts) - 1
		if last < 0 || parts[last].Count == maxLines {
			parts = append(parts, Part{Type: code, N: len(parts), From: o, Members: make([]store.Ordinal, 0, min(left, maxLines)), Deleted: deleted})
			last++
		}
		p := &parts[last]
		p.Members = append(p.Members, o)
		p.To, p.Count = o+1, p.Count+1
		left--
	}
	return parts
}

// The formats of a stored piece of a plan: a byte, then unsigned varints. A range is type, number, first ordinal, length
// and count. Members are type, number, 1 if they were deleted, count, the first ordinal, and the distances of the others.
// Blocks are type, number, 1 if the last one goes on, count, the length of the blocks, and the blocks.
const (
	rangesFormat  = 1
	membersFormat = 2
	blocksFormat  = 3
)

// Bounds of one stored piece of a plan.
const (
	pieceParts = 16384
	pieceBytes = 512 << 10
)

// encodePlan yields the stored form of a plan in pieces.
func encodePlan(plan []Part) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var b []byte
		parts := 0
		for _, p := range plan {
			format := p.format()
			if len(b) > 0 && (b[0] != format || parts == pieceParts || len(b) > pieceBytes) {
				if !yield(b, nil) {
					return
				}
				b, parts = nil, 0
			}
			if len(b) == 0 {
				b = []byte{format}
			}
			b = p.append(b)
			parts++
		}
		if len(b) > 0 {
			yield(b, nil)
		}
	}
}

func (p *Part) format() byte {
	switch {
	case p.Blocks != nil:
		return blocksFormat
	case p.Members != nil:
		return membersFormat
	}
	return rangesFormat
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func (p *Part) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(p.Type))
	b = binary.AppendUvarint(b, uint64(p.N))
	switch p.format() {
	case rangesFormat:
		b = binary.AppendUvarint(b, uint64(p.From))
		b = binary.AppendUvarint(b, uint64(p.To-p.From))
		return binary.AppendUvarint(b, uint64(p.Count))
	case blocksFormat:
		b = binary.AppendUvarint(appendBool(b, p.Continues), uint64(p.Count))
		b = binary.AppendUvarint(b, uint64(len(p.Blocks)))
		return append(b, p.Blocks...)
	}
	b = binary.AppendUvarint(appendBool(b, p.Deleted), uint64(p.Count))
	before := store.Ordinal(0)
	for _, o := range p.Members {
		b = binary.AppendUvarint(b, uint64(o-before))
		before = o
	}
	return b
}

// decodePlan appends the parts of one piece.
func decodePlan(plan []Part, b []byte) ([]Part, error) {
	if len(b) == 0 || b[0] < rangesFormat || b[0] > blocksFormat {
		return nil, fault.Errorf(fault.Unsupported, "export", "the plan of this job is of a format that this release does not know")
	}
	format := b[0]
	r := numbers{left: b[1:]}
	for len(r.left) > 0 && !r.damaged {
		p := Part{Type: r4.Code(r.next()), N: int(r.next())}
		switch format {
		case rangesFormat:
			p.From = store.Ordinal(r.next())
			p.To = p.From + store.Ordinal(r.next())
			p.Count = int(r.next())
		case blocksFormat:
			p.Continues = r.next() == 1
			p.Count = int(r.next())
			p.Blocks = r.bytes()
		default:
			p.Deleted = r.next() == 1
			p.Count = int(r.next())
			if p.Count <= 0 || p.Count > len(r.left) {
				return nil, damagedPlan()
			}
			p.Members = make([]store.Ordinal, p.Count)
			at := store.Ordinal(0)
			for i := range p.Members {
				at += store.Ordinal(r.next())
				p.Members[i] = at
			}
			p.From, p.To = p.Members[0], at+1
		}
		plan = append(plan, p)
	}
	if r.damaged {
		return nil, damagedPlan()
	}
	return plan, nil
}

func damagedPlan() error {
	return fault.Errorf(fault.Internal, "export", "the plan of this job is damaged")
}

// numbers reads unsigned varints.
type numbers struct {
	left    []byte
	damaged bool
}

func (r *numbers) next() uint64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 {
		r.damaged, r.left = true, nil
		return 0
	}
	r.left = r.left[n:]
	return v
}

// bytes are a length and as many bytes, at least one.
func (r *numbers) bytes() []byte {
	n := r.next()
	if n == 0 || n > uint64(len(r.left)) {
		r.damaged, r.left = true, nil
		return nil
	}
	b := r.left[:n:n]
	r.left = r.left[n:]
	return b
}
