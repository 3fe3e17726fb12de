package index

import (
	"bytes"
	"slices"
)

// The store keeps values up to maxKept bytes as they are; of a longer one it keeps cutKept bytes and a hash, in all one
// byte more than maxKept.
const (
	maxKept = 255
	cutKept = 240
)

// piece is a range of values, from <= value < to, and what decides within it; a nil to never ends. A filter accepts what
// one of its pieces accepts.
type piece struct {
	from, to []byte
	// test judges a value in the range; nil accepts all. Of a value that was cut it sees the first cutKept bytes.
	test func(v []byte, cut bool) Verdict
}

// equalTo is the piece of one value.
func equalTo(v []byte) piece {
	return piece{from: v, to: append(append(make([]byte, 0, len(v)+1), v...), 0)}
}

// isOne reports whether the piece is that of one value.
func (p *piece) isOne() bool {
	n := len(p.from)
	return len(p.to) == n+1 && p.to[n] == 0 && bytes.Equal(p.to[:n], p.from)
}

// beginning is the piece of all values that begin with prefix.
func beginning(prefix []byte, test func([]byte, bool) Verdict) piece {
	return piece{prefix, after(prefix), test}
}

// after is the least value above all that begin with prefix; nil if there is none.
func after(prefix []byte) []byte {
	for n := len(prefix); n > 0; n-- {
		if prefix[n-1] < 0xff {
			to := bytes.Clone(prefix[:n])
			to[n-1]++
			return to
		}
	}
	return nil
}

// yes is for tests.
func yes(ok bool) Verdict {
	if ok {
		return Yes
	}
	return No
}

// judge says what the piece makes of a value.
func (p *piece) judge(v []byte, cut bool) Verdict {
	var in Verdict
	if cut {
		if in = p.holdsCut(v); p.isOne() && len(p.from) <= maxKept {
			in = No // what was cut is longer
		}
	} else {
		in = yes(bytes.Compare(v, p.from) >= 0 && (p.to == nil || bytes.Compare(v, p.to) < 0))
	}
	if in == No || p.test == nil {
		return in
	}
	switch p.test(v, cut) {
	case No:
		return No
	case Unsure:
		return Unsure
	}
	return in
}

// holdsCut reports whether a value is within that begins with v and is longer.
func (p *piece) holdsCut(v []byte) Verdict {
	in := Yes
	switch bytes.Compare(v, p.from[:min(len(v), len(p.from))]) {
	case -1:
		return No
	case 0:
		if len(p.from) > len(v) {
			in = Unsure
		}
	}
	if p.to == nil {
		return in
	}
	switch bytes.Compare(v, p.to[:min(len(v), len(p.to))]) {
	case 1:
		return No
	case 0:
		if len(p.to) <= len(v) {
			return No
		}
		in = Unsure
	}
	return in
}

// kept is the range of what the store keeps of the values of the piece, and whether all in it are.
func (p *piece) kept() (from, to []byte, exact bool) {
	from, to, exact = p.from, p.to, p.test == nil
	if p.isOne() && len(from) <= maxKept {
		return from, to, exact // it is kept as it is
	}
	if len(from) > cutKept {
		from, exact = from[:cutKept], false
	}
	if len(to) > cutKept {
		to, exact = after(to[:cutKept]), false
	}
	return from, to, exact
}

// pieces are sorted by from, so that those that hold a value are found by halves.
type pieces struct {
	all []piece
	end [][]byte // the greatest to of all up to here; nil never ends
}

func newPieces(all []piece) pieces {
	all = slices.DeleteFunc(all, func(p piece) bool { return p.to != nil && bytes.Compare(p.from, p.to) >= 0 })
	slices.SortStableFunc(all, func(a, b piece) int { return bytes.Compare(a.from, b.from) })
	ps := pieces{all, make([][]byte, len(all))}
	for i := range all {
		ps.end[i] = all[i].to
		if i > 0 && (ps.end[i-1] == nil || all[i].to != nil && bytes.Compare(ps.end[i-1], all[i].to) > 0) {
			ps.end[i] = ps.end[i-1]
		}
	}
	return ps
}

func (ps *pieces) judge(v []byte, cut bool) Verdict {
	best := No
	last := len(ps.all)
	if !cut {
		last, _ = slices.BinarySearchFunc(ps.all, v, func(p piece, v []byte) int {
			if bytes.Compare(p.from, v) <= 0 {
				return -1
			}
			return 1
		})
	}
	for i := last - 1; i >= 0; i-- {
		if !cut && ps.end[i] != nil && bytes.Compare(ps.end[i], v) <= 0 {
			break
		}
		switch ps.all[i].judge(v, cut) {
		case Yes:
			return Yes
		case Unsure:
			best = Unsure
		}
	}
	return best
}
