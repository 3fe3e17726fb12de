package search

import (
	"context"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// MatchAt are up to limit resources of the type that meet the criteria of a conditional interaction (FHIR R4 section
// 3.1.0.8.1), in the order of their creation: name=x&birthdate=1970, as in a URL. Since something is written on the
// strength of it, it is strict: a parameter that is not known, or that says how results are shown, is refused, and so
// are criteria that say nothing. It uses v alone, so a store.Guard may call it. base is the URL of the data store:
// absolute references below it are local.
func (s *Service) MatchAt(ctx context.Context, v *store.View, base string, typ r4.Code, criteria string, limit int) (_ []store.Version, err error) {
	most := min(s.o.Time, CriteriaTime)
	ctx, cancel := limited(ctx, most)
	r := s.newRun(ctx, v, base, Scope{})
	defer func() {
		r.close()
		err = ended(ctx, r, err, most)
		cancel()
	}()
	c, err := r.chosen(typ, criteria)
	if err != nil {
		return nil, err
	}
	if len(c.conds) == 0 {
		return nil, noCriteria()
	}
	// A resource that the index does not know yet would be made a second time.
	if err := r.whole(c); err != nil {
		return nil, err
	}
	found, _, err := r.enumerate(c, 0, limit, 0)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return v.ReadOrdinals(ctx, typ, found)
}

// MeetsAt reports which of some resources that are not stored meet the criteria of MatchAt: each by its entries, uncut, as
// an index.Extractor gives them. Criteria that ask for more than what a resource holds itself, such as chains and _id, are
// met by none.
func (s *Service) MeetsAt(ctx context.Context, v *store.View, base string, typ r4.Code, criteria string, resources [][]fhir.IndexEntry) ([]bool, error) {
	r := s.newRun(ctx, v, base, Scope{})
	defer r.close()
	c, err := r.chosen(typ, criteria)
	if err != nil {
		return nil, err
	}
	meets := make([]bool, len(resources))
	for i, entries := range resources {
		meets[i] = len(c.conds) > 0
		for _, cond := range c.conds {
			f, plain := cond.(*filter)
			meets[i] = meets[i] && plain && f.f.MatchFull(entries)
		}
	}
	return meets, nil
}

// whole refuses a clause of which the index may miss what matches, since the data store is being indexed anew.
func (r *run) whole(c *clause) error {
	if c.byHeaders() {
		return nil
	}
	return r.v.Indexed(r.ctx, index.Epoch)
}

// byHeaders reports whether the clause is answered without the index.
func (c *clause) byHeaders() bool {
	for _, cond := range c.conds {
		switch cond.(type) {
		case *ids, *updated:
		default:
			return false
		}
	}
	return true
}
