package search

import (
	"context"
	"iter"
	"slices"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// Select are all resources of a type that match a query as of the view, ascending, such as the _typeFilter of an export
// asks for. Only parameters that choose resources are taken, and all of them must be known; no query is every resource.
// base is the URL of the data store: absolute references below it are local. While the data store is being indexed anew,
// which may hide what matches, it is fault.Unavailable.
func (s *Service) Select(ctx context.Context, v *store.View, base string, typ r4.Code, query string) iter.Seq2[store.Ordinal, error] {
	return s.SelectSeen(ctx, v, base, nil, typ, query)
}

// SelectSeen is Select for a caller who may see these types alone (nil: all), of which typ is one: what others are is not
// told by a chain or _has.
func (s *Service) SelectSeen(ctx context.Context, v *store.View, base string, see []r4.Code, typ r4.Code, query string) iter.Seq2[store.Ordinal, error] {
	return func(yield func(store.Ordinal, error) bool) {
		r := s.newRun(ctx, v, base, Scope{Types: see})
		defer r.close()
		c, err := r.chosen(typ, query)
		if err == nil {
			err = r.whole(c)
		}
		for from := store.Ordinal(0); err == nil; {
			var found []store.Ordinal
			var complete bool
			if found, complete, err = r.enumerate(c, from, selectAtOnce, 0); err != nil {
				break
			}
			for _, o := range found {
				if !yield(o, nil) {
					return
				}
				from = o + 1
			}
			if complete {
				return
			}
		}
		yield(0, err)
	}
}

// selectAtOnce is how many resources Select holds at once.
const selectAtOnce = 100_000

// CheckSelect refuses a query that Select would refuse.
func (s *Service) CheckSelect(ctx context.Context, v *store.View, base string, typ r4.Code, query string) error {
	return s.CheckSelectSeen(ctx, v, base, nil, typ, query)
}

// CheckSelectSeen refuses a query that SelectSeen would refuse.
func (s *Service) CheckSelectSeen(ctx context.Context, v *store.View, base string, see []r4.Code, typ r4.Code, query string) error {
	r := s.newRun(ctx, v, base, Scope{Types: see})
	defer r.close()
	c, err := r.chosen(typ, query)
	if err != nil {
		return err
	}
	return r.whole(c)
}

// chosen compiles a query of which every parameter chooses resources.
func (r *run) chosen(typ r4.Code, query string) (*clause, error) {
	pairs, err := ParseQuery(query)
	if err != nil {
		return nil, err
	}
	if err := checkSteps(pairs); err != nil {
		return nil, err
	}
	c := &clause{typ: typ}
	for i, p := range pairs {
		name := bare(p.Name)
		switch {
		case name == "_format" || name == "_pretty":
			continue
		case results[name]:
			return nil, refuse(p.Name, "it says how results are shown, which means nothing here")
		case p.Value == "":
			return nil, refuse(p.Name, "it has no value")
		case slices.Contains(pairs[:i], p):
			continue
		}
		cond, err := r.condition(typ, p.Name, p.Value)
		if err != nil {
			return nil, err
		}
		c.conds = append(c.conds, cond)
	}
	return c, nil
}

// noCriteria is the error of a conditional interaction that would apply to everything.
func noCriteria() error { return refuseAs(fhir.CodeInvalid, "criteria", "there are none") }
