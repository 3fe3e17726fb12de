package search

import (
	"context"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// Result is one page of a search. Its bytes belong to the caller.
type Result struct {
	At       store.TxID // the page is as of it
	Total    *int       // nil where it is not known, or not wanted
	Matches  []store.Version
	Included []store.Version
	Warnings []fhir.Issue
	Links    []fhir.BundleLink
	Plan     []string // how it was found; only for _explain

	base string
	show shown
}

// Search is one page of the resources that a request finds. The error names the parameter that cannot be used.
func (s *Service) Search(ctx context.Context, req Request) (_ *Result, err error) {
	var r *run
	ctx, cancel := limited(ctx, s.o.Time)
	defer func() {
		err = ended(ctx, r, err, s.o.Time)
		cancel()
	}()
	from, pairs, err := s.resume(&req)
	if err != nil {
		return nil, err
	}
	q, err := parse(pairs, req.Type == 0)
	if err != nil {
		return nil, err
	}
	st, err := s.o.Datastores.Store(ctx, req.Datastore)
	if err != nil {
		return nil, err
	}
	v, err := asOf(ctx, st, from, req.At)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, v.Close()) }()
	r = s.newRun(ctx, v, trimSlash(req.Base), req.Scope)
	defer r.close()
	if from != nil && from.now != 0 {
		r.env.Now = time.UnixMilli(from.now)
	}
	r.store = st
	p := &page{r: r, req: &req, q: q, from: from}
	return p.answer()
}

// asOf opens the view that a cursor names, else that of a transaction, else the newest.
func asOf(ctx context.Context, st *store.Store, from *cursor, at store.TxID) (*store.View, error) {
	switch {
	case from != nil:
		v, err := st.At(ctx, from.at)
		if fault.Is(err, fault.Invalid) {
			err = refuse("_cursor", "this data store has not come so far")
		}
		return v, err
	case at != 0:
		return st.At(ctx, at)
	}
	return st.Latest(ctx)
}

func trimSlash(base string) string {
	if n := len(base); n > 0 && base[n-1] == '/' {
		return base[:n-1]
	}
	return base
}

// page is the making of a Result.
type page struct {
	r       *run
	req     *Request
	q       *query
	from    *cursor // nil: the first page
	clauses []*clause
	sorts   [][]key // by clause
	result  *Result
}

func (p *page) answer() (*Result, error) {
	p.result = &Result{At: p.r.v.Tx(), base: p.req.Base}
	if p.q.explain {
		p.r.note = p.result.note
	}
	if err := p.compile(); err != nil {
		return nil, err
	}
	p.result.show = newShown(p.q)
	if err := p.warnOfAge(); err != nil {
		return nil, err
	}
	p.result.Warnings = p.q.warnings
	p.links()
	counting := p.q.summary == "count" || p.q.count == 0
	if counting {
		p.q.total = "accurate"
	} else if err := p.fill(); err != nil {
		return nil, err
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	return p.result, nil
}

// warnOfAge tells where the index was made by other tables, so that less may be found than there is.
func (p *page) warnOfAge() error {
	current, err := p.r.isCurrent()
	if err != nil || current {
		return err
	}
	p.q.warnings = append(p.q.warnings, fhir.Issue{Severity: fhir.SeverityWarning, Code: codeIncomplete,
		Diagnostics: "The data store is being indexed anew; until that has ended, a search may find less than there is."})
	return nil
}

// compile makes the clauses: one for each type, with all filters.
func (p *page) compile() error {
	types, err := p.types()
	if err != nil {
		return err
	}
	known, strange := make([]bool, len(p.q.filters)), make([]bool, len(p.q.filters))
	for _, typ := range types {
		c, err := p.r.newClause(typ)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		if at := p.req.Within; at != nil {
			cond, err := p.r.within(typ, *at)
			if err != nil {
				return err
			}
			c.conds = append(c.conds, cond)
		}
		for i, f := range p.q.filters {
			cond, err := p.filter(typ, f)
			if strange[i] = strange[i] || isUnknown(err); strange[i] && known[i] {
				return refuse(f.Name, "some of the types know it and others do not")
			}
			if isUnknown(err) && !p.req.Strict {
				continue
			}
			if err != nil {
				return err
			}
			if known[i] = true; strange[i] {
				return refuse(f.Name, "some of the types know it and others do not")
			}
			c.conds = append(c.conds, cond)
		}
		keys, err := p.r.keys(typ, p.q.sort)
		if err != nil {
			return err
		}
		p.clauses, p.sorts = append(p.clauses, c), append(p.sorts, keys)
	}
	return p.settle(types, known)
}

// filter compiles one parameter. Without types, those that all resources have are the only ones (FHIR R4 section
// 3.1.1.3).
func (p *page) filter(typ r4.Code, f Pair) (condition, error) {
	if p.req.Type == 0 && len(p.q.types) == 0 && f.Name[0] != '_' {
		return nil, unknownParam(f.Name, "a search of all types knows the parameters that all types have only; name types by _type")
	}
	return p.r.condition(typ, f.Name, f.Value)
}

// settle tells of the parameters that no type has, and remembers the others for links.
func (p *page) settle(types []r4.Code, known []bool) error {
	for i, f := range p.q.filters {
		if known[i] || len(types) == 0 || len(p.clauses) == 0 {
			p.q.used = append(p.q.used, f)
			continue
		}
		p.q.warnings = append(p.q.warnings, fhir.Issue{Severity: fhir.SeverityWarning, Code: codeNotSupported,
			Diagnostics: "The parameter " + clip(f.Name) + " is not known here and was passed over; with Prefer: handling=strict it would be an error."})
	}
	return nil
}

// types are the types that are searched, in the order of their codes.
func (p *page) types() ([]r4.Code, error) {
	at := p.req.Within
	if at != nil && !hasCompartments(at.Type) {
		return nil, refuse(at.Type.String(), "there are compartments of Patient, Encounter, Practitioner, RelatedPerson and Device only")
	}
	if p.req.Type != 0 {
		if at != nil && at.Type != p.req.Type && p.req.Type.Compartment(at.Type) == nil {
			return nil, refuse(p.req.Type.String(), "the compartment of a %s holds no %s", at.Type, p.req.Type)
		}
		return []r4.Code{p.req.Type}, nil
	}
	types, err := p.r.v.Types(p.r.ctx)
	if err != nil {
		return nil, err
	}
	if len(p.q.types) > 0 {
		types = sortedTypes(p.q.types)
	}
	if at == nil {
		return types, nil
	}
	var within []r4.Code
	for _, typ := range types {
		if typ == at.Type || typ.Compartment(at.Type) != nil {
			within = append(within, typ)
		}
	}
	return within, nil
}

func hasCompartments(typ r4.Code) bool {
	switch typ.String() {
	case "Patient", "Encounter", "Practitioner", "RelatedPerson", "Device":
		return true
	}
	return false
}

// count fills in the total, as far as it is wanted or known for nothing.
func (p *page) count() error {
	switch {
	case p.q.total == "none":
		return nil
	case p.from != nil && p.from.total >= 0:
		p.result.Total = &p.from.total
		return nil
	case p.result.Total != nil:
		return nil
	case p.q.total == "":
		return nil
	}
	tries := 0
	if p.q.total == "estimate" {
		tries = p.r.s.tune.estimate
	}
	total := 0
	for _, c := range p.clauses {
		n, _, err := p.r.count(c, tries)
		if err != nil {
			return err
		}
		total += n
	}
	p.result.Total = &total
	return nil
}
