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

	instant int64 // when it was stored, ms since 1970
}

// oracle is all documents as of a moment.
type oracle struct {
	byType map[r4.Code][]*odoc
	byRef  map[string]*odoc
	now    int64 // what "approximately" is measured from
	terms  terms
}

func newOracle(w *world) *oracle {
	return &oracle{byType: map[r4.Code][]*odoc{}, byRef: map[string]*odoc{}, now: w.now.UnixMilli()}
}

// copy is the oracle as of now, whatever is written later.
func (o *oracle) copy() *oracle {
	c := &oracle{byType: map[r4.Code][]*odoc{}, byRef: map[string]*odoc{}, now: o.now}
	for typ, docs := range o.byType {
		c.byType[typ] = slices.Clone(docs)
	}
	for k, d := range o.byRef {
		c.byRef[k] = d
	}
	return c
}

// put adds a document or replaces one.
func (o *oracle) put(body string, instant int64) {
	d := &odoc{read: map[string][]thing{}, instant: instant}
	decoder := json.NewDecoder(bytes.NewReader([]byte(body)))
	decoder.UseNumber()
	if err := decoder.Decode(&d.body); err != nil {
		panic(err)
	}
	d.typ, _ = r4.CodeOf(d.body["resourceType"].(string))
	d.id = d.body["id"].(string)
	o.changed(d.typ)
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
	o.changed(d.typ)
	delete(o.byRef, d.typ.String()+"/"+d.id)
	o.byType[d.typ] = slices.DeleteFunc(slices.Clone(o.byType[d.typ]), func(x *odoc) bool { return x == d })
}

// things are what a parameter reads of a document.
func (d *odoc) things(p *r4.SearchParam) []thing {
	if t, ok := d.read[p.Name]; ok {
		return t
	}
	var t []thing
	if p.Expression != "" {
		t = slices.DeleteFunc(read(p.Expression, []thing{{v: d.body, of: d.typ.Resource(), root: d.body}}), func(x thing) bool { return !hasValue(x) })
	}
	d.read[p.Name] = t
	return t
}

// cond is one parameter of a query and what the oracle says of it.
type cond struct {
	key, value string
	match      func(o *oracle, d *odoc) bool
	kinds      []string // of parameters, prefixes and modifiers that it tries
}

// generator makes queries that mostly find something: values come from the documents.
type generator struct {
	o    *oracle
	rng  *rand.Rand
	made int // documents made by churn
	held map[r4.ParamType][]holding
	led  map[holding]map[r4.Code]bool // types that a reference leads to
}

// holding is a parameter of a type of which documents hold values.
type holding struct {
	typ r4.Code
	p   *r4.SearchParam
}

// leadsTo reports whether a reference parameter led to documents of the type when it was first asked.
func (g *generator) leadsTo(at holding, typ r4.Code) bool {
	if g.led[at] == nil {
		if g.led == nil {
			g.led = map[holding]map[r4.Code]bool{}
		}
		g.led[at] = map[r4.Code]bool{}
		for _, d := range g.o.byType[at.typ] {
			for _, to := range g.o.leads(d, at.p) {
				g.led[at][to.typ] = true
			}
		}
	}
	return g.led[at][typ]
}

// unread reports whether the oracle does not read a parameter: it has no expression, or is not in the documents.
func unread(p *r4.SearchParam) bool {
	return p.Expression == "" || p.Name == "_id" || p.Name == "_lastUpdated"
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
		return g.ids(pick(g, docs)), true
	}
	if g.flip(3) {
		return g.lastUpdated(pick(g, docs)), true
	}
	for range 10 {
		p := pick(g, typ.Params())
		if unread(p) {
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

func (g *generator) ids(d *odoc) cond {
	ids := []string{d.id, "none"}
	c := cond{"_id", strings.Join(ids, ","), func(_ *oracle, d *odoc) bool { return slices.Contains(ids, d.id) }, []string{"_id"}}
	if g.flip(30) {
		c.key, c.kinds[0] = "_id:not", "_id:not"
		c.match = func(_ *oracle, d *odoc) bool { return !slices.Contains(ids, d.id) }
	}
	return c
}

func (g *generator) missing(p *r4.SearchParam) cond {
	want := g.flip(50)
	value := map[bool]string{true: "true", false: "false"}[want]
	return cond{p.Name + ":missing", value, func(_ *oracle, d *odoc) bool { return (len(d.things(p)) == 0) == want }, []string{":missing=" + value}}
}

// values makes a condition of one to three values, taken from documents and changed a little.
func (g *generator) values(typ r4.Code, p *r4.SearchParam) (c cond, ok bool) {
	docs := g.o.byType[typ]
	var alternatives []cond
	modifier := g.modifier(typ, p)
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
		c.kinds = append(c.kinds, a.kinds...)
	}
	if len(texts) > 1 {
		c.kinds = append(c.kinds, "several values")
	}
	negate := modifier == "not" || modifier == "not-in"
	c.key, c.value = p.Name, strings.Join(texts, ",")
	c.match = func(o *oracle, d *odoc) bool {
		return slices.ContainsFunc(alternatives, func(a cond) bool { return a.match(o, d) }) != negate
	}
	if modifier != "" {
		c.key += ":" + modifier
	}
	return c, true
}
