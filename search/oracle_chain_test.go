package search_test

import (
	"slices"

	"tarn/fhir/r4"
)

// chain follows a reference of a document that leads to another one.
func (g *generator) chain(typ r4.Code, depth int) (c cond, ok bool) {
	for range 10 {
		p := pick(g, typ.Params())
		if p.Type != r4.ParamReference || unread(p) {
			continue
		}
		for _, to := range g.o.leads(pick(g, g.o.byType[typ]), p) {
			if len(p.Targets) > 0 && !slices.Contains(p.Targets, to.typ.String()) {
				continue
			}
			inner, ok := g.condOf(to, depth+1)
			if !ok {
				continue
			}
			key, kind := p.Name+":"+to.typ.String()+"."+inner.key, "chain :Type"
			if len(p.Targets) == 1 && g.flip(50) {
				key, kind = p.Name+"."+inner.key, "chain"
			}
			if depth > 0 {
				kind += " within"
			}
			return cond{key, inner.value, func(o *oracle, d *odoc) bool {
				return slices.ContainsFunc(o.leads(d, p), func(target *odoc) bool { return target.typ == to.typ && inner.match(o, target) })
			}, append([]string{kind}, prefixed("chain to ", inner.kinds)...)}, true
		}
	}
	return c, false
}

// condOf makes a condition that a document mostly meets.
func (g *generator) condOf(d *odoc, depth int) (c cond, ok bool) {
	for range 4 {
		if c, ok = g.cond(d.typ, depth); ok && c.match(g.o, d) {
			break
		}
	}
	return c, ok
}

func prefixed(with string, kinds []string) (all []string) {
	for _, k := range kinds {
		all = append(all, with+k)
	}
	return all
}

// has goes the other way.
func (g *generator) has(typ r4.Code, depth int) (c cond, ok bool) {
	for range 20 {
		at := pick(g, g.held[r4.ParamReference])
		from, p := at.typ, at.p
		if len(p.Targets) > 0 && !slices.Contains(p.Targets, typ.String()) || len(g.o.byType[from]) == 0 || !g.leadsTo(at, typ) {
			continue
		}
		inner, ok := g.condOf(pick(g, g.o.byType[from]), depth+1)
		if !ok {
			continue
		}
		kind := "_has"
		if depth > 0 {
			kind += " within"
		}
		// The same for all candidates of one moment, so it is looked at once.
		var of *oracle
		var near map[*odoc]bool
		return cond{"_has:" + from.String() + ":" + p.Name + ":" + inner.key, inner.value, func(o *oracle, d *odoc) bool {
			if of != o {
				of, near = o, map[*odoc]bool{}
				for _, other := range o.byType[from] {
					if inner.match(o, other) {
						for _, to := range o.leads(other, p) {
							near[to] = true
						}
					}
				}
			}
			return near[d]
		}, append([]string{kind}, prefixed("_has ", inner.kinds)...)}, true
	}
	return c, false
}
