package search

import (
	"slices"

	"tarn/fhir/r4"
)

// anyOf is the condition that at least one of several is met.
type anyOf struct {
	text  string
	conds []condition
}

func (c *anyOf) String() string { return c.text }
func (c *anyOf) cost() int      { return 1 }
func (c *anyOf) param() string  { return c.text }

func (c *anyOf) drive(r *run, e effort, unsure *bool) (stream, bool, error) {
	u, decided := &union{}, true
	for _, cond := range c.conds {
		s, sure, err := cond.drive(r, e, unsure)
		if err != nil || s == nil {
			return nil, false, closing(err, u.close())
		}
		u.parts, decided = append(u.parts, s), decided && sure
	}
	return u, decided, nil
}

func (c *anyOf) test(r *run, b *batch) error {
	if err := r.load(b); err != nil {
		return err
	}
	if err := r.loadHeaders(b); err != nil { // for all, before any condition narrows what is kept
		return err
	}
	open, meets := slices.Clone(b.keep), make([]bool, len(b.keep))
	for _, cond := range c.conds {
		copy(b.keep, open)
		if err := cond.test(r, b); err != nil {
			return err
		}
		for i, ok := range b.keep {
			if ok {
				meets[i], open[i] = true, false
			}
		}
	}
	copy(b.keep, meets)
	return nil
}

// within is the condition that a resource of a type belongs to a compartment (FHIR R4 section 2.4): it is the one that
// the compartment is about, or one of the parameters of the definition refers to that.
func (r *run) within(typ r4.Code, at Compartment) (condition, error) {
	self := at.Type.String() + "/" + at.ID
	c := &anyOf{text: "in the compartment of a " + at.Type.String()}
	if typ == at.Type {
		c.conds = append(c.conds, &ids{typ: typ, ids: []string{at.ID}})
	}
	for _, p := range typ.CompartmentParams(at.Type) {
		f, err := r.pointsTo(typ, p, p.Name, []string{self})
		if err != nil {
			return nil, err
		}
		c.conds = append(c.conds, f)
	}
	return c, nil
}
