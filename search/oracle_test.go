package search_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// odoc is a document as the oracle sees it.
type odoc struct {
	typ  r4.Code
	id   string
	body map[string]any
	read map[string][]thing // by parameter
	seq  int                // the order of creation within the type
}

// oracle is all documents as of a moment.
type oracle struct {
	byType map[r4.Code][]*odoc
	byRef  map[string]*odoc
}

func newOracle() *oracle { return &oracle{map[r4.Code][]*odoc{}, map[string]*odoc{}} }

// copy is the oracle as of now, whatever is written later.
func (o *oracle) copy() *oracle {
	c := newOracle()
	for typ, docs := range o.byType {
		c.byType[typ] = slices.Clone(docs)
	}
	for k, d := range o.byRef {
		c.byRef[k] = d
	}
	return c
}

// put adds a document or replaces one.
func (o *oracle) put(body string) {
	d := &odoc{read: map[string][]thing{}}
	decoder := json.NewDecoder(bytes.NewReader([]byte(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&d.body); err != nil {
		panic(err)
	}
	d.typ, _ = r4.CodeOf(d.body["resourceType"].(string))
	d.id = d.body["id"].(string)
	ref := d.typ.String() + "/" + d.id
	if old := o.byRef[ref]; old != nil {
		d.seq = old.seq
		docs := o.byType[d.typ]
		docs[slices.Index(docs, old)] = d
	} else {
		for _, other := range o.byType[d.typ] {
			d.seq = max(d.seq, other.seq+1)
		}
		o.byType[d.typ] = append(o.byType[d.typ], d)
	}
	o.byRef[ref] = d
}

func (o *oracle) delete(d *odoc) {
	delete(o.byRef, d.typ.String()+"/"+d.id)
	o.byType[d.typ] = slices.DeleteFunc(slices.Clone(o.byType[d.typ]), func(x *odoc) bool { return x == d })
}

// things are what a parameter reads of a document.
func (d *odoc) things(p *r4.SearchParam) []thing {
	if t, ok := d.read[p.Name]; ok {
		return t
	}
	t := read(p.Expression, []thing{{d.body, d.typ.Resource(), d.body}})
	if p.Expression == "" {
		t = nil
	}
	d.read[p.Name] = t
	return t
}

// cond is one parameter of a query and what the oracle says of it.
type cond struct {
	key, value string
	match      func(o *oracle, d *odoc) bool
}

// generator makes queries that mostly find something: values come from the documents.
type generator struct {
	o   *oracle
	rng *rand.Rand
	// left out parameters
	skip func(typ r4.Code, p *r4.SearchParam) bool
	made int // documents made by churn
}

func pick[T any](g *generator, all []T) T { return all[g.rng.IntN(len(all))] }

func (g *generator) flip(percent int) bool { return g.rng.IntN(100) < percent }

// types are those that have documents.
func (g *generator) types() (all []r4.Code) {
	for typ, docs := range g.o.byType {
		if len(docs) > 0 {
			all = append(all, typ)
		}
	}
	slices.Sort(all)
	return all
}

// cond makes a condition on a type; ok is false where the dice found no value.
func (g *generator) cond(typ r4.Code, depth int) (c cond, ok bool) {
	docs := g.o.byType[typ]
	if len(docs) == 0 {
		return c, false
	}
	if depth < 3 && g.flip(15) {
		return g.chain(typ, depth)
	}
	if depth < 3 && g.flip(12) {
		return g.has(typ, depth)
	}
	if g.flip(3) {
		d := pick(g, docs)
		ids := []string{d.id, "none"}
		return cond{"_id", strings.Join(ids, ","), func(_ *oracle, d *odoc) bool { return slices.Contains(ids, d.id) }}, true
	}
	for range 10 {
		p := pick(g, typ.Params())
		if p.Expression == "" || strings.HasPrefix(p.Name, "_id") || p.Name == "_lastUpdated" || g.skip(typ, p) {
			continue
		}
		if g.flip(5) && p.Type != r4.ParamComposite {
			return g.missing(p), true
		}
		if c, ok := g.values(typ, p); ok {
			return c, true
		}
	}
	return c, false
}

func (g *generator) missing(p *r4.SearchParam) cond {
	want := g.flip(50)
	return cond{p.Name + ":missing", map[bool]string{true: "true", false: "false"}[want], func(_ *oracle, d *odoc) bool {
		return !slices.ContainsFunc(d.things(p), func(x thing) bool { return hasValue(p, x) }) == want
	}}
}

// hasValue reports whether a thing counts as a value of a parameter of its type.
func hasValue(p *r4.SearchParam, x thing) bool {
	switch p.Type {
	case r4.ParamToken:
		return len(tokens(x)) > 0
	case r4.ParamString:
		return len(strs(x)) > 0
	}
	return true
}

// values makes a condition of one to three values, taken from documents and changed a little.
func (g *generator) values(typ r4.Code, p *r4.SearchParam) (c cond, ok bool) {
	docs := g.o.byType[typ]
	var alternatives []cond
	modifier := g.modifier(p)
	for range 1 + g.rng.IntN(2)*g.rng.IntN(3) {
		for range 8 {
			all := pick(g, docs).things(p)
			if len(all) == 0 {
				continue
			}
			if one, ok := g.value(p, modifier, pick(g, all)); ok {
				alternatives = append(alternatives, one)
				break
			}
		}
	}
	if len(alternatives) == 0 {
		return c, false
	}
	var texts []string
	for _, a := range alternatives {
		texts = append(texts, a.value)
	}
	negate := modifier == "not"
	c = cond{p.Name, strings.Join(texts, ","), func(o *oracle, d *odoc) bool {
		return slices.ContainsFunc(alternatives, func(a cond) bool { return a.match(o, d) }) != negate
	}}
	if modifier != "" {
		c.key += ":" + modifier
	}
	return c, true
}

func (g *generator) modifier(p *r4.SearchParam) string {
	if g.flip(60) {
		return ""
	}
	switch p.Type {
	case r4.ParamToken:
		return pick(g, []string{"not", "text", ""})
	case r4.ParamString:
		return pick(g, []string{"exact", "contains"})
	case r4.ParamURI:
		return pick(g, []string{"below", ""})
	}
	return ""
}

func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `$`, `\$`, `|`, `\|`).Replace(s)
}

// chain follows a reference of a document that leads to another one.
func (g *generator) chain(typ r4.Code, depth int) (c cond, ok bool) {
	for range 10 {
		p := pick(g, typ.Params())
		if p.Type != r4.ParamReference || p.Expression == "" || g.skip(typ, p) {
			continue
		}
		for _, x := range pick(g, g.o.byType[typ]).things(p) {
			for _, ref := range refs(x) {
				to := g.o.byRef[ref]
				if to == nil || len(p.Targets) > 0 && !slices.Contains(p.Targets, to.typ.String()) {
					continue
				}
				inner, ok := g.cond(to.typ, depth+1)
				if !ok {
					continue
				}
				key := p.Name + ":" + to.typ.String() + "." + inner.key
				if len(p.Targets) == 1 && g.flip(50) {
					key = p.Name + "." + inner.key
				}
				return cond{key, inner.value, func(o *oracle, d *odoc) bool {
					return slices.ContainsFunc(d.things(p), func(x thing) bool {
						return slices.ContainsFunc(refs(x), func(ref string) bool {
							target := o.byRef[ref]
							return target != nil && target.typ == to.typ && inner.match(o, target)
						})
					})
				}}, true
			}
		}
	}
	return c, false
}

// has goes the other way.
func (g *generator) has(typ r4.Code, depth int) (c cond, ok bool) {
	for range 20 {
		from := pick(g, g.types())
		p := pick(g, from.Params())
		if p.Type != r4.ParamReference || p.Expression == "" || len(p.Targets) > 0 && !slices.Contains(p.Targets, typ.String()) || g.skip(from, p) {
			continue
		}
		leads := slices.ContainsFunc(g.o.byType[from], func(d *odoc) bool { return d.leadsTo(g.o, p, typ) })
		if !leads {
			continue
		}
		inner, ok := g.cond(from, depth+1)
		if !ok {
			continue
		}
		// The same for all candidates of one moment, so it is looked at once.
		var of *oracle
		var near map[string]bool
		return cond{"_has:" + from.String() + ":" + p.Name + ":" + inner.key, inner.value, func(o *oracle, d *odoc) bool {
			if of != o {
				of, near = o, map[string]bool{}
				for _, other := range o.byType[from] {
					if !inner.match(o, other) {
						continue
					}
					for _, x := range other.things(p) {
						for _, ref := range refs(x) {
							near[ref] = true
						}
					}
				}
			}
			return near[typ.String()+"/"+d.id]
		}}, true
	}
	return c, false
}

func (d *odoc) leadsTo(o *oracle, p *r4.SearchParam, typ r4.Code) bool {
	return slices.ContainsFunc(d.things(p), func(x thing) bool {
		return slices.ContainsFunc(refs(x), func(ref string) bool {
			to := o.byRef[ref]
			return to != nil && to.typ == typ
		})
	})
}
