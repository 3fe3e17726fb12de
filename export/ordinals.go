package export

import (
	"iter"
	"math/bits"

	"tarn/store"
)

// ordinals is a set of ordinals of one type, one bit each: 2.5 MB for 20 million resources.
type ordinals []uint64

func newOrdinals(next store.Ordinal) ordinals { return make(ordinals, (uint64(next)+63)/64) }

// add puts an ordinal in; one that the set has no room for is passed over.
func (s ordinals) add(o store.Ordinal) {
	if int(o/64) < len(s) {
		s[o/64] |= 1 << (o % 64)
	}
}

func (s ordinals) remove(o store.Ordinal) {
	if int(o/64) < len(s) {
		s[o/64] &^= 1 << (o % 64)
	}
}

func (s ordinals) has(o store.Ordinal) bool {
	return int(o/64) < len(s) && s[o/64]>>(o%64)&1 != 0
}

// fill puts in [0, next).
func (s ordinals) fill(next store.Ordinal) {
	for i := range s {
		s[i] = ^uint64(0)
	}
	if last := next % 64; last != 0 && len(s) > 0 {
		s[len(s)-1] = 1<<last - 1
	}
}

// keep takes out what is not in other, which has the same size.
func (s ordinals) keep(other ordinals) {
	for i := range s {
		s[i] &= other[i]
	}
}

// drop takes out what is in other, which has the same size.
func (s ordinals) drop(other ordinals) {
	for i := range s {
		s[i] &^= other[i]
	}
}

// join puts in what is in other, which has the same size.
func (s ordinals) join(other ordinals) {
	for i := range s {
		s[i] |= other[i]
	}
}

func (s ordinals) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// all are the ordinals, ascending.
func (s ordinals) all() iter.Seq[store.Ordinal] {
	return func(yield func(store.Ordinal) bool) {
		for i, w := range s {
			for w != 0 {
				if !yield(store.Ordinal(i*64 + bits.TrailingZeros64(w))) {
					return
				}
				w &= w - 1
			}
		}
	}
}
