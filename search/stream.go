package search

import (
	"context"
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

func (s *set) close() error { return nil }

// list is the stream of the resources that have one value: the entries of one value come in the order of ordinals.
type list struct {
	hits   *store.Hits
	value  []byte
	filter *index.Filter // nil: every entry counts
	param  uint16
	judged bool
	dull   bool  // its value is none that the filter accepts
	unsure *bool // set where only the document can tell
	begun  bool
	end    bool
	now    store.Ordinal
}

func newList(ctx context.Context, v *store.View, typ r4.Code, r index.Range, f *index.Filter, unsure *bool) *list {
	l := &list{hits: v.Hits(ctx, typ, r.Param, store.Values{From: r.From, To: r.To}, false), value: r.From, param: r.Param, unsure: unsure}
	if f != nil && !f.Exact() {
		l.filter = f
	}
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
		ok = l.hits.Seek(l.value, from)
	} else {
		for range near {
			if ok = l.hits.Next(); !ok || l.hits.Ordinal() >= from {
				break
			}
		}
		if ok && l.hits.Ordinal() < from {
			ok = l.hits.Seek(l.value, from)
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
	switch l.filter.Accept(l.param, l.hits.Value()) {
	case index.No:
		l.dull = true
	case index.Unsure:
		*l.unsure = true
	}
	return l.dull
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

func (everything) close() error { return nil }

// absent is the stream of the ordinals below next that were not set.
type absent struct {
	next store.Ordinal
	bits []uint64
}

func (a *absent) set(o store.Ordinal) {
	if o < a.next {
		a.bits[o/64] |= 1 << (o % 64)
	}
}

func (a *absent) seek(from store.Ordinal) (store.Ordinal, error) {
	for from < a.next {
		free := ^a.bits[from/64] >> (from % 64)
		if free == 0 {
			from = (from/64 + 1) * 64
			continue
		}
		if from += store.Ordinal(bits.TrailingZeros64(free)); from < a.next {
			return from, nil
		}
	}
	return store.End, nil
}

func (a *absent) close() error { return nil }

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
