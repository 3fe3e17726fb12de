package search

import (
	"slices"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// pointing is the condition that a reference leads to one of some resources. The index finds candidates by how the
// resources are referred to. A canonical URL may be that of several, each of another version, so that it is then looked
// up where the references of a candidate lead.
type pointing struct {
	*filter
	ref   *r4.SearchParam
	to    map[r4.Code][]store.Ordinal // ascending
	loose bool
}

// leadingTo is the condition that a reference of a type leads to one of some resources.
func (r *run) leadingTo(typ r4.Code, ref *r4.SearchParam, key string, to map[r4.Code][]store.Ordinal) (*pointing, error) {
	c := &pointing{ref: ref, to: to}
	var refs []string
	for _, target := range r4.Types() {
		code, _ := r4.CodeOf(target)
		if len(to[code]) == 0 {
			continue
		}
		more, err := r.references(code, to[code])
		if err != nil {
			return nil, err
		}
		refs = append(refs, more...)
		c.loose = c.loose || isCanonical(code)
	}
	var err error
	c.filter, err = r.pointsTo(typ, ref, key, refs)
	return c, err
}

func (c *pointing) drive(r *run, e effort, unsure *bool) (stream, bool, error) {
	s, decided, err := c.filter.drive(r, e, unsure)
	return s, decided && !c.loose, err
}

func (c *pointing) test(r *run, b *batch) error {
	if err := c.filter.test(r, b); err != nil || !c.loose || b.kept() == 0 {
		return err
	}
	if err := r.load(b); err != nil {
		return err
	}
	leads := make([]bool, len(b.keep))
	for typ, ordinals := range c.to {
		if err := c.lookUp(r, b, typ, ordinals, leads); err != nil {
			return err
		}
	}
	copy(b.keep, leads)
	return nil
}

// lookUp marks the candidates that are still in and have a reference to one of some resources of a type.
func (c *pointing) lookUp(r *run, b *batch, typ r4.Code, ordinals []store.Ordinal, leads []bool) error {
	var from []int // the candidate of each target
	var targets []index.Target
	for i := range b.ordinals {
		if !b.keep[i] || leads[i] {
			continue
		}
		for t := range index.Targets(c.typ, c.ref, b.entries[i], r.env.Base) {
			if t.Type == typ || t.Type == 0 && t.Canonical != "" {
				from, targets = append(from, i), append(targets, t)
			}
		}
	}
	found, err := r.resolve(typ, targets)
	if err != nil {
		return err
	}
	for k, i := range from {
		if _, ok := slices.BinarySearch(ordinals, found[k]); ok && found[k] != store.Nowhere {
			leads[i] = true
		}
	}
	return nil
}
