package export

import (
	"context"
	"encoding/binary"
	"iter"
	"slices"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// A Part is one unit of work: the live resources of one type in an ordinal range, at most MaxLines of them.
type Part struct {
	Type     r4.Code
	N        int           // of its type, from 0; stands in the file names
	From, To store.Ordinal // [From, To)
	Count    int           // live resources in the range as of the job's TxID
}

// planOf cuts the data store as of the view into parts, types in the order of their codes (which is alphabetical) and
// ordinals ascending, each with exactly maxLines live resources but for the last of its type. It costs a look at the
// deletions and not at the resources.
func planOf(ctx context.Context, v *store.View, maxLines int) ([]Part, error) {
	types, err := v.Types(ctx)
	if err != nil {
		return nil, err
	}
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

const planFormat = 1

// pieceParts is how many parts stand in one stored piece of a plan.
const pieceParts = 16384

// encodePlan yields the stored form of a plan in pieces: a format byte, then unsigned varints.
func encodePlan(plan []Part) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for piece := range slices.Chunk(plan, pieceParts) {
			b := []byte{planFormat}
			for _, p := range piece {
				b = binary.AppendUvarint(b, uint64(p.Type))
				b = binary.AppendUvarint(b, uint64(p.N))
				b = binary.AppendUvarint(b, uint64(p.From))
				b = binary.AppendUvarint(b, uint64(p.To-p.From))
				b = binary.AppendUvarint(b, uint64(p.Count))
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// decodePlan appends the parts of one piece.
func decodePlan(plan []Part, b []byte) ([]Part, error) {
	if len(b) == 0 || b[0] != planFormat {
		return nil, fault.Errorf(fault.Unsupported, "export", "the plan of this job is not of format %d", planFormat)
	}
	b = b[1:]
	for len(b) > 0 {
		var f [5]uint64
		for i := range f {
			n := 0
			if f[i], n = binary.Uvarint(b); n <= 0 {
				return nil, fault.Errorf(fault.Internal, "export", "the plan of this job is damaged")
			}
			b = b[n:]
		}
		from := store.Ordinal(f[2])
		plan = append(plan, Part{Type: r4.Code(f[0]), N: int(f[1]), From: from, To: from + store.Ordinal(f[3]), Count: int(f[4])})
	}
	return plan, nil
}
