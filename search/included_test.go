package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/fhir/r4"
	"tarn/search"
)

// link is one _include or _revinclude of a test.
type link struct {
	reverse, iterate bool
	source           r4.Code
	param            *r4.SearchParam // nil: all
	target           r4.Code         // 0: any
}

func (l link) pair() search.Pair {
	p := search.Pair{Name: "_include", Value: l.source.String() + ":*"}
	if l.reverse {
		p.Name = "_revinclude"
	}
	if l.iterate {
		p.Name += ":iterate"
	}
	if l.param != nil {
		p.Value = l.source.String() + ":" + l.param.Name
	}
	if l.target != 0 {
		p.Value += ":" + l.target.String()
	}
	return p
}

// params are the references that the link follows.
func (l link) params() []*r4.SearchParam {
	if l.param != nil {
		return []*r4.SearchParam{l.param}
	}
	return slices.DeleteFunc(slices.Clone(l.source.Params()), func(p *r4.SearchParam) bool { return p.Type != r4.ParamReference || unread(p) })
}

// leads are the documents that a document's parameter refers to.
func (o *oracle) leads(d *odoc, p *r4.SearchParam) (out []*odoc) {
	for _, x := range d.things(p) {
		for _, ref := range refs(x) {
			if to := o.byRef[ref]; to != nil {
				out = append(out, to)
				continue
			}
			url, version, _ := strings.Cut(ref, "|")
			if x.of.Name == "Reference" || !strings.Contains(url, ":") {
				continue
			}
			for _, name := range p.Targets { // a canonical URL
				code, _ := r4.CodeOf(name)
				var last *odoc
				for _, to := range o.byType[code] {
					if to.body["url"] == url && (version == "" || to.body["version"] == version) && (last == nil || to.seq > last.seq) {
						last = to
					}
				}
				if last != nil {
					out = append(out, last)
				}
			}
		}
	}
	return out
}

// follow is what a link adds to some documents.
func (o *oracle) follow(l link, from []*odoc) (out []*odoc) {
	wanted := func(d *odoc) bool { return l.target == 0 || d.typ == l.target }
	if !l.reverse {
		for _, d := range from {
			for _, p := range l.params() {
				if d.typ == l.source {
					out = append(out, slices.DeleteFunc(o.leads(d, p), func(to *odoc) bool { return !wanted(to) })...)
				}
			}
		}
		return out
	}
	for _, d := range o.byType[l.source] {
		for _, p := range l.params() {
			if slices.ContainsFunc(o.leads(d, p), func(to *odoc) bool { return wanted(to) && slices.Contains(from, to) }) {
				out = append(out, d)
			}
		}
	}
	return out
}

// included are the names of what links add to matches.
func (o *oracle) included(links []link, matches []*odoc) []string {
	seen := map[*odoc]bool{}
	for _, m := range matches {
		seen[m] = true
	}
	var names []string
	last := matches
	for round := 0; len(last) > 0; round++ {
		var next []*odoc
		for _, l := range links {
			if round > 0 && !l.iterate {
				continue
			}
			for _, d := range o.follow(l, last) {
				if !seen[d] {
					seen[d] = true
					next = append(next, d)
					names = append(names, d.typ.String()+"/"+d.id)
				}
			}
		}
		last = next
	}
	slices.Sort(names)
	return names
}

// link makes an include that leads somewhere from or to a type.
func (g *generator) link(typ r4.Code) (l link, ok bool) {
	for range 40 {
		l = link{source: typ, iterate: g.flip(40), reverse: g.flip(40)}
		if l.reverse {
			l.source = pick(g, g.types())
		}
		params := link{source: l.source}.params()
		if len(params) == 0 {
			continue
		}
		l.param = pick(g, params)
		for _, d := range g.o.byType[l.source] {
			for _, to := range g.o.leads(d, l.param) {
				if l.reverse && to.typ != typ {
					continue
				}
				if g.flip(30) && (len(l.param.Targets) == 0 || slices.Contains(l.param.Targets, to.typ.String())) {
					l.target = to.typ
				}
				if g.flip(15) {
					l.param, l.target = nil, 0
				}
				return l, true
			}
		}
	}
	return l, false
}

func TestInclude_addsWhatTheOracleFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := newOracle(w)
	load(t, w, o, population(t))
	g := newGenerator(o, seed())
	added, differ := 0, 0
	n := rounds(200)
	for i := range n {
		if i == n/2 {
			w.service.Hurry()
		}
		typ := pick(g, g.types())
		q := asked{typ: typ, extra: []search.Pair{{Name: "_count", Value: "30"}}}
		if c, ok := g.cond(typ, 2); ok && g.flip(80) {
			q.conds = append(q.conds, c)
		}
		var links []link
		for range 1 + g.rng.IntN(3) {
			from := typ
			if len(links) > 0 && g.flip(50) {
				from = links[0].target
			}
			if l, ok := g.link(max(from, 1)); ok {
				links = append(links, l)
				q.extra = append(q.extra, l.pair())
			}
		}
		page, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: typ, Pairs: q.pairs(), Strict: true})
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		var matches []*odoc
		for _, v := range page.Matches {
			matches = append(matches, o.byRef[typ.String()+"/"+v.ID])
		}
		var got []string
		for _, v := range page.Included {
			got = append(got, v.Type.String()+"/"+v.ID)
		}
		slices.Sort(got)
		want := o.included(links, matches)
		if added += len(want); !slices.Equal(got, want) {
			t.Errorf("%s: %s", q, difference(got, want))
			if differ++; differ > 10 {
				t.Fatal("and so on")
			}
		}
	}
	t.Logf("%d resources were included; differences: %d", added, differ)
}

func TestSearch_ofTheSystemAndOfCompartmentsEqualsTheOracle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := newOracle(w)
	load(t, w, o, population(t))
	g := newGenerator(o, seed())
	patients := o.byType[mustCode("Patient")]
	found, differ := 0, 0
	for range rounds(50) {
		req := search.Request{Datastore: "d", Base: base + "/", Pairs: []search.Pair{{Name: "_count", Value: pick(g, []string{"3", "50", "1000"})}}, Strict: true}
		types := g.types()
		what := "system"
		within := func(*odoc) bool { return true }
		if g.flip(60) {
			p := pick(g, patients)
			req.Within = &search.Compartment{Type: p.typ, ID: p.id}
			within = func(d *odoc) bool { return o.isWithin(d, p) }
			what = "Patient/" + p.id + "/*"
		}
		if g.flip(50) {
			types = []r4.Code{pick(g, types), pick(g, types)}
			req.Pairs = append(req.Pairs, search.Pair{Name: "_type", Value: types[0].String() + "," + types[1].String()})
		}
		var sorted []string
		if g.flip(40) {
			sorted = []string{pick(g, []string{"_id", "-_id", "_lastUpdated", "-_lastUpdated", "_tag", "-_profile"})}
			req.Pairs = append(req.Pairs, search.Pair{Name: "_sort", Value: sorted[0]})
		}
		var want, got []string
		for _, typ := range types {
			for _, d := range o.byType[typ] {
				if within(d) {
					want = append(want, typ.String()+"/"+d.id)
				}
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		for range 1000 {
			page, err := w.service.Search(t.Context(), req)
			must(t, err)
			for _, v := range page.Matches {
				got = append(got, v.Type.String()+"/"+v.ID)
			}
			_, next, _ := strings.Cut(linkOf(page, "next"), "?")
			if next == "" {
				break
			}
			req.Pairs, err = search.ParseQuery(next)
			must(t, err)
			if len(got) > 200 && len(req.Pairs) > 0 && g.flip(50) { // enough of this one
				want = nil
				break
			}
		}
		if want == nil {
			continue
		}
		if len(sorted) > 0 && strings.HasSuffix(sorted[0], "_id") {
			ids := make([]string, len(got))
			for i, name := range got {
				_, ids[i], _ = strings.Cut(name, "/")
			}
			if sorted[0][0] == '-' {
				slices.Reverse(ids)
			}
			if !slices.IsSorted(ids) {
				t.Errorf("%s %v: not in the order of %v", what, types, sorted)
			}
		}
		slices.Sort(got)
		if found += len(want); !slices.Equal(got, want) {
			t.Errorf("%s %v %v: %s", what, types, req.Pairs, difference(got, want))
			if differ++; differ > 10 {
				t.Fatal("and so on")
			}
		}
	}
	t.Logf("%d resources were found; differences: %d", found, differ)
}

func mustCode(name string) r4.Code {
	code, ok := r4.CodeOf(name)
	if !ok {
		panic(fmt.Sprintf("%s is no type", name))
	}
	return code
}

// isWithin reports whether a document belongs to the compartment of another one.
func (o *oracle) isWithin(d, of *odoc) bool {
	if d == of {
		return true
	}
	for _, name := range d.typ.Compartment(of.typ) {
		if p := d.typ.Param(name); p != nil && slices.Contains(o.leads(d, p), of) {
			return true
		}
	}
	return false
}
