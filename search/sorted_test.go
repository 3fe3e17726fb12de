package search_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/fhir/r4"
	"tarn/search"
	"tarn/store"
)

// okey is a sort key as the oracle sees it: text or number, or none.
type okey struct {
	none   bool
	least  bool // below all numbers
	text   string
	number *brink
	time   stretch
}

func (a okey) compare(b okey) int {
	switch {
	case a.least || b.least:
		return cmp.Compare(btoi(b.least), btoi(a.least))
	case a.number != nil && b.number != nil:
		return a.number.compare(b.number.at, b.number.side)
	case a.time != (stretch{}) || b.time != (stretch{}):
		return cmp.Or(cmp.Compare(a.time.lo, b.time.lo), cmp.Compare(a.time.hi, b.time.hi))
	}
	return strings.Compare(a.text, b.text)
}

// sortKey is what a document is sorted by: its least value, or the greatest.
func (d *odoc) sortKey(p *r4.SearchParam, desc bool) okey {
	var all []okey
	for _, x := range d.things(p) {
		switch p.Type {
		case r4.ParamString:
			for _, s := range strs(x) {
				if fold(s) != "" {
					all = append(all, okey{text: fold(s)})
				}
			}
		case r4.ParamToken:
			for _, t := range tokens(x) {
				if t.code != "" || t.system != "" {
					code := strings.ToLower(t.code)
					if x.of.Name == "Identifier" || x.of.Name == "code" { // of these the case matters
						code = t.code
					}
					all = append(all, okey{text: code + "\x01" + t.system})
				}
			}
		case r4.ParamDate:
			for _, s := range stretches(x) {
				all = append(all, okey{time: s})
			}
		case r4.ParamNumber, r4.ParamQuantity: // of a stretch of numbers its beginning, whatever the unit
			for _, a := range amounts(x) {
				all = append(all, okey{number: a.low, least: a.low == nil})
			}
		case r4.ParamReference:
			for _, p := range pointers(x) {
				if text := p.sortText(); text != "" {
					all = append(all, okey{text: text})
				}
			}
		case r4.ParamURI:
			s := str(x.v)
			if at := strings.LastIndex(s, "|"); at >= 0 && x.of.Primitive == r4.Canonical {
				s = s[:at] + "\x01" + s[at+1:]
			}
			all = append(all, okey{text: s})
		}
	}
	if len(all) == 0 {
		return okey{none: true}
	}
	if desc {
		return slices.MaxFunc(all, okey.compare)
	}
	return slices.MinFunc(all, okey.compare)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sortText is what a reference is sorted by: the id, then the type, where it lies and the version; of another URI its text.
func (p pointer) sortText() string {
	switch {
	case p.canonical:
		return p.url + "\x01" + p.urlVersion
	case p.typ != "":
		code, _ := r4.CodeOf(p.typ)
		text := p.id + "\x01" + string([]byte{byte(code) + 8}) + p.base
		if p.version != "" {
			text += "\x01" + p.version
		}
		return text
	}
	return p.url
}

// ordered says what is wrong with the order of results, or nothing.
func ordered(o *oracle, typ r4.Code, keys []string, got []store.Version) string {
	for i := 1; i < len(got); i++ {
		a, b := got[i-1], got[i]
		c := 0
		for _, k := range keys {
			name, desc := strings.CutPrefix(k, "-")
			var x, y okey
			switch name {
			case "_id":
				x, y = okey{text: a.ID}, okey{text: b.ID}
			case "_lastUpdated":
				x, y = okey{time: stretch{int64(a.Instant), 1}}, okey{time: stretch{int64(b.Instant), 1}}
			default:
				p := typ.Param(name)
				x, y = o.byRef[typ.String()+"/"+a.ID].sortKey(p, desc), o.byRef[typ.String()+"/"+b.ID].sortKey(p, desc)
			}
			switch {
			case x.none != y.none && x.none:
				c = 1
			case x.none != y.none:
				c = -1
			case x.none:
			case desc:
				c = y.compare(x)
			default:
				c = x.compare(y)
			}
			if c != 0 {
				break
			}
		}
		if c > 0 || c == 0 && a.Ordinal > b.Ordinal {
			return fmt.Sprintf("%s stands before %s (%d)", a.ID, b.ID, c)
		}
	}
	return ""
}

// sortable are the parameters of a type by which the oracle can sort.
func (g *generator) sortable(typ r4.Code) []string {
	names := []string{"_id", "_lastUpdated"}
	for _, p := range typ.Params() {
		switch p.Type {
		case r4.ParamComposite, r4.ParamSpecial:
		default:
			if !unread(p) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

// churn writes a little: it changes, deletes and creates documents.
func churn(t *testing.T, w *world, o *oracle, g *generator, typ r4.Code) {
	for range 1 + g.rng.IntN(4) {
		docs := o.byType[typ]
		if len(docs) == 0 {
			return
		}
		a, b := pick(g, docs), pick(g, docs)
		name := a.typ.String() + "/"
		v := w.view()
		version, err := v.Read(t.Context(), typ, b.id)
		must(t, err)
		must(t, v.Close())
		body := string(version.Body)
		switch g.rng.IntN(3) {
		case 0: // a becomes what b is
			body = strings.Replace(body, `"id":"`+b.id+`"`, `"id":"`+a.id+`"`, 1)
		case 1:
			g.made++
			body = strings.Replace(body, `"id":"`+b.id+`"`, fmt.Sprintf(`"id":"new-%d"`, g.made), 1)
		case 2:
			if len(docs) > 5 {
				w.delete(typ.String(), a.id)
				o.delete(o.byRef[name+a.id])
			}
			continue
		}
		o.put(body, w.put(body))
	}
}

func TestSort_givesTheOrderInPagesThatNothingDisturbs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := newOracle(w)
	load(t, w, o, population(t))
	for _, tune := range []string{"as it is", "hurried", "lingering"} {
		switch tune {
		case "hurried":
			w.service.Hurry()
		case "lingering":
			w.service.Linger()
		}
		g := newGenerator(o, seed())
		count, differ := 0, 0
		for range rounds(40) {
			typ := pick(g, g.large())
			var keys []string
			for range 1 + g.rng.IntN(3) {
				key := pick(g, g.sortable(typ))
				if g.flip(50) {
					key = "-" + key
				}
				keys = append(keys, key)
			}
			q := sortedQuery(typ, keys, g)
			if differs := q.compare(t, w, o, g, keys); differs != "" {
				differ++
				t.Errorf("%s: %s", q, differs)
			}
			if count++; differ > 10 {
				t.Fatal("and so on")
			}
		}
		t.Logf("%d sorted queries, %s; differences: %d", count, tune, differ)
	}
}

func sortedQuery(typ r4.Code, keys []string, g *generator) asked {
	q := asked{typ: typ}
	for range g.rng.IntN(3) {
		if c, ok := g.cond(typ, 1); ok {
			q.conds = append(q.conds, c)
		}
	}
	q.extra = []search.Pair{{Name: "_sort", Value: strings.Join(keys, ",")}, {Name: "_count", Value: pick(g, []string{"5", "9", "20", "1000"})}}
	if g.flip(50) {
		q.extra = append(q.extra, search.Pair{Name: "_total", Value: "accurate"})
	}
	if g.flip(20) {
		q.extra = q.extra[1:]
	}
	return q
}

// compare reads all pages while documents change, and compares them with what was there at the first one.
func (q asked) compare(t *testing.T, w *world, live *oracle, g *generator, keys []string) string {
	then := live.copy()
	want := q.want(then)
	req := search.Request{Datastore: "d", Base: base + "/", Type: q.typ, Pairs: q.pairs(), Strict: true}
	var got []store.Version
	var ids []string
	for range 1_000 {
		page, err := w.service.Search(context.Background(), req)
		if err != nil {
			return err.Error()
		}
		if page.Total != nil && *page.Total != len(want) {
			return fmt.Sprintf("the total is %d, want %d", *page.Total, len(want))
		}
		got = append(got, page.Matches...)
		next := linkOf(page, "next")
		if next == "" {
			break
		}
		churn(t, w, live, g, q.typ)
		_, query, _ := strings.Cut(next, "?")
		if req.Pairs, err = search.ParseQuery(query); err != nil {
			return err.Error()
		}
	}
	for _, v := range got {
		ids = append(ids, v.ID)
	}
	if len(q.extra) == 0 || q.extra[0].Name != "_sort" {
		keys = nil
	}
	if wrong := ordered(then, q.typ, keys, got); wrong != "" {
		return wrong
	}
	slices.Sort(ids)
	slices.Sort(want)
	if !slices.Equal(ids, want) {
		return difference(ids, want)
	}
	return ""
}
