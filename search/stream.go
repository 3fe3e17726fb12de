package search

import (
	"math/bits"
	"slices"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// stream gives ordinals of one type in ascending order.
type stream interface {
	// seek is the first ordinal at or above from; store.End after the last one. from never falls.
	seek(from store.Ordinal) (store.Ordinal, error)
	// rewind begins anew: the next from may be lower.
	rewind()
	close() error
}

// set is the stream of ordinals in memory.
type set struct {
	ordinals []store.Ordinal
	at       int
}

func (s *set) seek(from store.Ordinal) (store.Ordinal, error) {
	if s.at < len(s.ordinals) && s.ordinals[s.at] < from {
		rest := s.ordinals[s.at:]
		n, _ := slices.BinarySearch(rest, from)
		s.at += n
	}
	if s.at == len(s.ordinals) {
		return store.End, nil
	}
	return s.ordinals[s.at], nil
}

func (s *set) rewind() { s.at = 0 }

func (s *set) close() error { return nil }

// has reports whether an ordinal is in the set, wherever the stream stands.
func (s *set) has(o store.Ordinal) bool {
	_, found := slices.BinarySearch(s.ordinals, o)
	return found
}

// list is the stream of the resources that have one value: the entries of one value come in the order of ordinals.
type list struct {
	r      *run
	hits   *store.Hits
	in     index.Range
	filter *index.Filter // nil: every entry counts
	judged bool
	dull   bool  // its value is none that the filter accepts
	unsure *bool // set where only the document can tell
	begun  bool
	end    bool
	now    store.Ordinal
}

func newList(r *run, typ r4.Code, in index.Range, f *index.Filter, unsure *bool) *list {
	l := &list{r: r, hits: r.v.Hits(r.ctx, typ, in.Param, store.Values{From: in.From, To: in.To}, false), in: in, unsure: unsure}
	if f != nil && !f.Exact() {
		l.filter = f
	}
	r.work += costOpen
	return l
}

// near is how many steps are tried before the index is searched again: a step costs a fifth of that.
const near = 4

func (l *list) seek(from store.Ordinal) (store.Ordinal, error) {
	if l.end || l.begun && l.now >= from {
		return l.now, nil
	}
	ok := false
	if !l.begun && from > 0 {
		l.r.work += costSeek
		ok = l.hits.Seek(l.in.From, from)
	} else {
		for range near {
			l.r.work++
			if ok = l.hits.Next(); !ok || l.hits.Ordinal() >= from {
				break
			}
		}
		if ok && l.hits.Ordinal() < from {
			l.r.work += costSeek
			ok = l.hits.Seek(l.in.From, from)
		}
	}
	l.begun = true
	if !ok || l.dullValue() {
		l.end, l.now = true, store.End
		return l.now, l.hits.Err()
	}
	l.now = l.hits.Ordinal()
	return l.now, nil
}

// dullValue asks the filter once, since all entries have the same value.
func (l *list) dullValue() bool {
	if l.filter == nil || l.judged {
		return l.dull
	}
	l.judged = true
	switch l.filter.Accept(l.in.Param, l.hits.Value()) {
	case index.No:
		l.dull = true
	case index.Unsure:
		*l.unsure = true
	}
	return l.dull
}

func (l *list) rewind() {
	if l.dull {
		return
	}
	l.begun, l.end = false, false
	l.hits.Restart(store.Values{From: l.in.From, To: l.in.To})
}

func (l *list) close() error { return l.hits.Close() }

// union is the stream of what stands in any of its parts.
type union struct {
	parts []stream
	now   store.Ordinal
	begun bool
}

func (u *union) seek(from store.Ordinal) (store.Ordinal, error) {
	if u.begun && u.now >= from {
		return u.now, nil
	}
	least := store.End
	for _, p := range u.parts {
		o, err := p.seek(from)
		if err != nil {
			return store.End, err
		}
		least = min(least, o)
	}
	u.now, u.begun = least, true
	return least, nil
}

func (u *union) rewind() {
	u.begun = false
	for _, p := range u.parts {
		p.rewind()
	}
}

func (u *union) close() error { return closeStreams(u.parts) }

func closeStreams(all []stream) error {
	var first error
	for _, s := range all {
		if err := s.close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// everything is the stream of all ordinals that were given out, of deleted resources too.
type everything struct{ next store.Ordinal }

func (e everything) seek(from store.Ordinal) (store.Ordinal, error) {
	if from >= e.next {
		return store.End, nil
	}
	return from, nil
}

func (everything) rewind()      {}
func (everything) close() error { return nil }

// bitmap is the stream of the ordinals that were set, or with absent of those below next that were not.
type bitmap struct {
	next   store.Ordinal
	absent bool
	bits   []uint64
}

func newBitmap(next store.Ordinal, absent bool) *bitmap {
	return &bitmap{next: next, absent: absent, bits: make([]uint64, int(next)/64+1)}
}

func (a *bitmap) set(o store.Ordinal) {
	if o < a.next {
		a.bits[o/64] |= 1 << (o % 64)
	}
}

// has reports whether the stream gives an ordinal.
func (a *bitmap) has(o store.Ordinal) bool {
	return o < a.next && a.bits[o/64]>>(o%64)&1 == 1 != a.absent
}

func (a *bitmap) seek(from store.Ordinal) (store.Ordinal, error) {
	for from < a.next {
		word := a.bits[from/64]
		if a.absent {
			word = ^word
		}
		if word >>= from % 64; word == 0 {
			from = (from/64 + 1) * 64
			continue
		}
		if from += store.Ordinal(bits.TrailingZeros64(word)); from < a.next {
			return from, nil
		}
	}
	return store.End, nil
}

func (a *bitmap) rewind()      {}
func (a *bitmap) close() error { return nil }

// leapfrog is the next ordinal at or above from that stands in every stream.
func leapfrog(all []stream, from store.Ordinal) (store.Ordinal, error) {
	agreed := 0
	for i := 0; agreed < len(all); i++ {
		o, err := all[i%len(all)].seek(from)
		if err != nil || o == store.End {
			return store.End, err
		}
		if o == from {
			agreed++
		} else {
			from, agreed = o, 1
		}
	}
	return from, nil
}
