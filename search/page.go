package search

import (
	"fmt"
	"slices"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

func sortedTypes(types []r4.Code) []r4.Code {
	s := slices.Clone(types)
	slices.Sort(s)
	return slices.Compact(s)
}

// note keeps a line of the plan.
func (r *Result) note(depth int, format string, args ...any) {
	const most = 200
	if len(r.Plan) < most {
		r.Plan = append(r.Plan, strings.Repeat("  ", max(depth-1, 0))+fmt.Sprintf(format, args...))
	}
}

// fill finds the matches of the page, what is included, and where the next page begins.
func (p *page) fill() error {
	n := p.q.count
	found, more, err := p.matches(n)
	if err != nil {
		return err
	}
	places := make([]place, len(found))
	for i, s := range found {
		places[i] = s.place
	}
	if p.result.Matches, err = p.readInOrder(places); err != nil {
		return err
	}
	if len(p.q.includes) > 0 {
		if p.result.Included, err = p.r.include(p.q.includes, places); err != nil {
			return err
		}
	}
	if !more {
		if p.from == nil && p.q.total != "none" {
			total := len(found)
			p.result.Total = &total
		}
		return nil
	}
	if p.q.total == "estimate" || p.q.total == "accurate" {
		if err := p.count(); err != nil { // the cursor takes it along
			return err
		}
	}
	p.next(found[len(found)-1])
	return nil
}

// readInOrder reads versions and keeps the order of places, in a few round trips.
func (p *page) readInOrder(places []place) ([]store.Version, error) {
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(places[a].typ) - int(places[b].typ) })
	grouped := make([]place, len(places))
	for k, i := range order {
		grouped[k] = places[i]
	}
	read, err := p.r.read(grouped)
	if err != nil {
		return nil, err
	}
	versions := make([]store.Version, len(places))
	for k, i := range order {
		versions[i] = read[k]
	}
	return versions, nil
}

// matches are the first n matches behind the cursor, and whether there are more.
func (p *page) matches(n int) ([]sortable, bool, error) {
	if len(p.q.sort) > 0 {
		return p.sorted(n)
	}
	var found []sortable
	for _, c := range p.clauses {
		var from store.Ordinal
		if p.from != nil {
			if c.typ < p.from.after.typ {
				continue
			}
			if c.typ == p.from.after.typ {
				from = p.from.after.ordinal + 1
			}
		}
		ordinals, complete, err := p.r.enumerate(c, from, n-len(found), 0)
		if err != nil {
			return nil, false, err
		}
		for _, o := range ordinals {
			found = append(found, sortable{place: place{c.typ, o}})
		}
		if !complete {
			return found, true, nil
		}
	}
	return found, false, nil
}

// sorted merges what each type gives; positions are compared by keys, then type, then ordinal.
func (p *page) sorted(n int) ([]sortable, bool, error) {
	var all []sortable
	for i, c := range p.clauses {
		keys := p.sorts[i]
		var after *sortable
		if p.from != nil {
			if len(p.from.after.keys) != len(keys) {
				return nil, false, refuse("_cursor", "it is from another search")
			}
			after = &sortable{place: place{c.typ, p.from.after.ordinal}, keys: p.from.after.keys}
			switch { // of equal keys, the types before are done and those behind are not begun
			case c.typ < p.from.after.typ:
				after.ordinal = store.End
			case c.typ > p.from.after.typ:
				after.typ, after.ordinal = p.from.after.typ, 0
			}
		}
		found, err := p.r.ordered(c, keys, after, n+1)
		if err != nil {
			return nil, false, err
		}
		all = append(all, found...)
	}
	if len(p.clauses) > 1 {
		slices.SortFunc(all, func(a, b sortable) int { return compareSortables(p.sorts[0], a, b) })
	}
	return all[:min(n, len(all))], len(all) > n, nil
}

// links are those that every page has. The next one comes when it is known.
func (p *page) links() {
	at := p.req.Base + p.req.path()
	query := encode(p.q.used)
	if query != "" {
		query = "?" + query
	}
	first := fhir.BundleLink{Relation: "first", URL: at + query}
	self := fhir.BundleLink{Relation: "self", URL: at + query}
	if p.from != nil {
		self.URL = at + "?" + encode(p.req.Pairs)
	}
	p.result.Links = []fhir.BundleLink{self, first}
}

// next adds the link to the page behind the last match of this one.
func (p *page) next(last sortable) {
	c := cursor{path: p.req.path(), query: encode(p.q.used), at: p.r.v.Tx(), total: -1,
		after: position{typ: last.typ, ordinal: last.ordinal, keys: last.keys}}
	if approximate(p.q.used) {
		c.now = p.r.env.Now.UnixMilli()
	}
	if p.result.Total != nil {
		c.total = *p.result.Total
	} else if p.from != nil {
		c.total = p.from.total
	}
	pairs := []Pair{{"_cursor", p.r.s.sealed(p.req.Datastore, c.encode())}}
	for _, kept := range p.q.used {
		if kept.Name == "_format" || kept.Name == "_pretty" {
			pairs = append(pairs, kept)
		}
	}
	p.result.Links = append(p.result.Links, fhir.BundleLink{Relation: "next", URL: p.req.Base + p.req.path() + "?" + encode(pairs)})
}
