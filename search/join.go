package search

import (
	"bytes"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// What refers to what can be found for a whole type by one walk over the references in the index, where entries stand by
// the id of the target. It costs a step for an entry, and reads no resource.

// joinAtOnce is how many targets are looked up at once.
const joinAtOnce = 512

// referred are the resources of the type target to which one of the resources in a set refers, for as far as the index
// speaks for these.
func (r *run) referred(typ r4.Code, p *r4.SearchParam, target r4.Code, in *bitmap) (all []store.Ordinal, err error) {
	var names []index.Target
	flush := func() error {
		found, err := r.resolve(target, names)
		all, names = append(all, found...), names[:0]
		return err
	}
	for _, rg := range index.References(typ, p, target) {
		err := r.groups(typ, rg, target, func(h *store.Hits, of index.Target, now []byte) (bool, error) {
			for ok := true; ok && bytes.Equal(h.Value(), now); ok = h.Next() {
				if r.work++; in.has(h.Ordinal()) {
					if names = append(names, of); len(names) >= joinAtOnce {
						if err := flush(); err != nil {
							return false, err
						}
					}
					break
				}
			}
			return r.pass(h, now), h.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return all, flush()
}

// referring sets those resources of a type that refer to one of the type target that is in a set, for as far as the index
// speaks for the former.
func (r *run) referring(typ r4.Code, p *r4.SearchParam, target r4.Code, to *set, into *bitmap) error {
	return r.eachReferring(typ, p, target, func(o store.Ordinal, from []store.Ordinal) {
		if to.has(o) {
			for _, o := range from {
				into.set(o)
			}
		}
	})
}

// groups calls do at the first entry of each value that is a reference to a resource of the type target. do leads the
// walk to the next value and reports whether there is one.
func (r *run) groups(typ r4.Code, rg index.Range, target r4.Code, do func(h *store.Hits, of index.Target, now []byte) (bool, error)) (err error) {
	h := r.v.Hits(r.ctx, typ, rg.Param, store.Values{From: rg.From, To: rg.To}, false)
	defer func() { err = closing(err, h.Close()) }()
	var now []byte
	for ok := h.Next(); ok; {
		now = append(now[:0], h.Value()...)
		if of, is := index.TargetOf(now, r.env.Base); is && of.Type == target {
			if ok, err = do(h, of, now); err != nil {
				return err
			}
			continue
		}
		ok = r.pass(h, now)
	}
	return h.Err()
}

// pass leads a walk beyond a value, if it stands on that.
func (r *run) pass(h *store.Hits, value []byte) bool {
	r.work += costSeek
	return h.Seek(value, store.End)
}
