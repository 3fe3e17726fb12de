package search

import (
	"bytes"
	"cmp"
	"slices"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// eachHit calls do for the entries in ranges until it says false. Those of one parameter are read by one walk, which is
// cheaper than to begin one for each.
func eachHit(r *run, typ r4.Code, ranges []index.Range, do func(param uint16, value []byte, o store.Ordinal) bool) error {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b index.Range) int {
		return cmp.Or(cmp.Compare(a.Param, b.Param), bytes.Compare(a.From, b.From))
	})
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].Param == sorted[0].Param && hasBounds(sorted[n]) && hasBounds(sorted[0]) {
			n++
		}
		more, err := eachIn(r, typ, sorted[:n], do)
		if err != nil || !more {
			return err
		}
		sorted = sorted[n:]
	}
	return nil
}

func hasBounds(rg index.Range) bool { return rg.Prefix == nil && rg.From != nil && rg.To != nil }

// eachIn walks over ranges of one parameter that are sorted.
func eachIn(r *run, typ r4.Code, ranges []index.Range, do func(param uint16, value []byte, o store.Ordinal) bool) (more bool, err error) {
	whole := ranges[0]
	for _, rg := range ranges {
		if bytes.Compare(rg.To, whole.To) > 0 && whole.To != nil {
			whole.To = rg.To
		}
	}
	h := r.v.Hits(r.ctx, typ, whole.Param, store.Values{From: whole.From, To: whole.To, Prefix: whole.Prefix}, false)
	defer func() { err = closing(err, h.Close()) }()
	r.work += costOpen
	if len(ranges) == 1 {
		for h.Next() {
			r.work++
			if !do(whole.Param, h.Value(), h.Ordinal()) {
				return false, nil
			}
		}
		return true, h.Err()
	}
	for _, rg := range ranges {
		r.work += costSeek
		for ok := h.Seek(rg.From, 0); ok && bytes.Compare(h.Value(), rg.To) < 0; ok = h.Next() {
			r.work++
			if !do(rg.Param, h.Value(), h.Ordinal()) {
				return false, nil
			}
		}
		if err := h.Err(); err != nil {
			return false, err
		}
	}
	return true, nil
}
