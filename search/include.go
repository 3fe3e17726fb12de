package search

import (
	"slices"
	"strings"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// include is one _include or _revinclude (FHIR R4 section 3.1.1.5.4).
type include struct {
	text    string // the parameter, for refusals
	reverse bool
	iterate bool
	source  r4.Code         // whose reference it is; 0: any
	param   *r4.SearchParam // nil: all references
	target  r4.Code         // 0: any
}

func parseInclude(p Pair) (include, error) {
	name, modifier, has := strings.Cut(p.Name, ":")
	i := include{text: p.Name, reverse: name == "_revinclude", iterate: modifier == "iterate"}
	if has && !i.iterate {
		return i, refuse(p.Name, "%s knows the modifier :iterate only", name)
	}
	parts := strings.Split(p.Value, ":")
	if p.Value == "*" {
		return i, nil
	}
	if len(parts) < 2 || len(parts) > 3 {
		return i, refuse(p.Name, "write TYPE:REFERENCE, TYPE:REFERENCE:TARGET, TYPE:* or *, such as Observation:subject")
	}
	var ok bool
	if i.source, ok = r4.CodeOf(parts[0]); !ok {
		return i, refuse(p.Name, "%q is no resource type", clip(parts[0]))
	}
	if parts[1] != "*" {
		i.param = i.source.Param(parts[1])
		if i.param == nil || i.param.Type != r4.ParamReference {
			return i, refuse(p.Name, "%s has no reference parameter %s", i.source, clip(parts[1]))
		}
	}
	if len(parts) == 3 {
		if i.target, ok = r4.CodeOf(parts[2]); !ok {
			return i, refuse(p.Name, "%q is no resource type", clip(parts[2]))
		}
		if i.param != nil && len(i.param.Targets) > 0 && !slices.Contains(i.param.Targets, parts[2]) {
			return i, refuse(p.Name, "%s of %s does not refer to the type %s", parts[1], i.source, parts[2])
		}
	}
	return i, nil
}

// place names a resource by type and ordinal.
type place struct {
	typ     r4.Code
	ordinal store.Ordinal
}

// gathering collects what is included in a page.
type gathering struct {
	r     *run
	seen  map[place]bool
	found []place // in the order in which they came
	text  string  // of the include at work
}

// include are the resources that the includes add to the matches, without these, in the order of types and ordinals.
func (r *run) include(includes []include, matches []place) ([]store.Version, error) {
	g := &gathering{r: r, seen: make(map[place]bool, 2*len(matches))}
	for _, m := range matches {
		g.seen[m] = true
	}
	last := matches
	for round := 0; len(last) > 0; round++ {
		from := len(g.found)
		some := false
		for _, i := range includes {
			if round > 0 && !i.iterate {
				continue
			}
			if some = true; round == MaxRounds {
				return nil, refuseAs(codeTooCostly, i.text, "it leads on for more than %d rounds", MaxRounds)
			}
			g.text = i.text
			var err error
			if i.reverse {
				err = g.back(i, last)
			} else {
				err = g.forth(i, last)
			}
			if err != nil {
				return nil, err
			}
		}
		if !some {
			break
		}
		last = slices.Clone(g.found[from:])
	}
	slices.SortFunc(g.found, func(a, b place) int {
		if a.typ != b.typ {
			return int(a.typ) - int(b.typ)
		}
		return compareOrdinals(a.ordinal, b.ordinal)
	})
	return r.read(g.found)
}

func compareOrdinals(a, b store.Ordinal) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// read are the versions at places that are sorted by type.
func (r *run) read(places []place) ([]store.Version, error) {
	all := make([]store.Version, 0, len(places))
	for len(places) > 0 {
		typ := places[0].typ
		var ordinals []store.Ordinal
		for len(places) > 0 && places[0].typ == typ && len(ordinals) < mostBatch {
			ordinals, places = append(ordinals, places[0].ordinal), places[1:]
		}
		versions, err := r.v.ReadOrdinals(r.ctx, typ, ordinals)
		if err != nil {
			return nil, err
		}
		all = append(all, versions...)
	}
	return all, nil
}

// byType divides places by their type; those of a type stay in their order.
func byType(places []place) (types []r4.Code, ordinals map[r4.Code][]store.Ordinal) {
	ordinals = map[r4.Code][]store.Ordinal{}
	for _, p := range places {
		if ordinals[p.typ] == nil {
			types = append(types, p.typ)
		}
		ordinals[p.typ] = append(ordinals[p.typ], p.ordinal)
	}
	return types, ordinals
}

// forth follows the references of places.
func (g *gathering) forth(i include, from []place) error {
	types, ordinals := byType(from)
	for _, typ := range types {
		if i.source != 0 && i.source != typ {
			continue
		}
		if _, err := g.r.state(typ); err != nil {
			return err
		}
		var b batch
		b.typ = typ
		for _, o := range ordinals[typ] {
			b.add(o, g.r.mustState(typ).isChanged(o))
		}
		if err := g.r.load(&b); err != nil {
			return err
		}
		targets := map[r4.Code][]index.Target{}
		var order []r4.Code
		for _, p := range i.params(typ) {
			for k := range b.ordinals {
				for t := range index.Targets(typ, p, b.entries[k], g.r.env.Base) {
					for _, code := range i.targetsOf(t, p) {
						if targets[code] == nil {
							order = append(order, code)
						}
						targets[code] = append(targets[code], t)
					}
				}
			}
		}
		for _, code := range order {
			if err := g.take(code, targets[code]); err != nil {
				return err
			}
		}
	}
	return nil
}

// params are the reference parameters of the type that the include follows.
func (i *include) params(typ r4.Code) []*r4.SearchParam {
	if i.param != nil {
		return []*r4.SearchParam{i.param}
	}
	var all []*r4.SearchParam
	for _, p := range typ.Params() {
		if p.Type == r4.ParamReference {
			all = append(all, p)
		}
	}
	return all
}

// targetsOf are the types that a target may be of, as far as the include wants it.
func (i *include) targetsOf(t index.Target, p *r4.SearchParam) []r4.Code {
	if t.Type != 0 {
		if i.target == 0 || i.target == t.Type {
			return []r4.Code{t.Type}
		}
		return nil
	}
	var codes []r4.Code
	for _, name := range p.Targets {
		if code, ok := r4.CodeOf(name); ok && isCanonical(code) && (i.target == 0 || i.target == code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// take includes the targets that are there and may be seen.
func (g *gathering) take(typ r4.Code, targets []index.Target) error {
	c, err := g.r.newClause(typ)
	if err != nil || c == nil {
		return err
	}
	found, err := g.r.resolve(typ, targets)
	if err != nil {
		return err
	}
	var b batch
	b.typ = typ
	for _, o := range sorted(found) {
		if !g.seen[place{typ, o}] {
			b.add(o, g.r.mustState(typ).isChanged(o))
		}
	}
	if err := g.r.quietly(func() error { return g.r.judge(c, &b) }); err != nil {
		return err
	}
	for k, o := range b.ordinals {
		if b.keep[k] {
			if err := g.add(place{typ, o}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *gathering) add(p place) error {
	if g.seen[p] {
		return nil
	}
	if len(g.found) == MaxIncluded {
		return refuseAs(codeTooCostly, g.text, "it adds more than %d resources to a page; ask for smaller pages with _count", MaxIncluded)
	}
	g.seen[p] = true
	g.found = append(g.found, p)
	return nil
}

// together is how many resources are looked for at once by the references to them.
const together = 16

// back finds what refers to places.
func (g *gathering) back(i include, to []place) error {
	sources := []r4.Code{i.source}
	if i.source == 0 {
		var err error
		if sources, err = g.r.v.Types(g.r.ctx); err != nil {
			return err
		}
	}
	types, ordinals := byType(to)
	for _, typ := range types {
		if i.target != 0 && i.target != typ {
			continue
		}
		slices.Sort(ordinals[typ])
		for _, source := range sources {
			for _, p := range i.params(source) {
				if len(p.Targets) > 0 && !slices.Contains(p.Targets, typ.String()) {
					continue
				}
				for some := range slices.Chunk(ordinals[typ], together) {
					if err := g.referring(source, p, map[r4.Code][]store.Ordinal{typ: some}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// referring includes the resources of a type that refer to one of some others.
func (g *gathering) referring(source r4.Code, p *r4.SearchParam, to map[r4.Code][]store.Ordinal) error {
	c, err := g.r.newClause(source)
	if err != nil || c == nil {
		return err
	}
	f, err := g.r.leadingTo(source, p, g.text, to)
	if err != nil {
		return err
	}
	c.conds = append(c.conds, f)
	var found []store.Ordinal
	if err := g.r.quietly(func() (err error) {
		found, _, err = g.r.enumerate(c, 0, MaxIncluded+1, 0)
		return err
	}); err != nil {
		return err
	}
	for _, o := range found {
		if err := g.add(place{source, o}); err != nil {
			return err
		}
	}
	return nil
}
