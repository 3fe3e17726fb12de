package search_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tarn/fhir/r4"
	"tarn/search"
)

// asked is one query of a test.
type asked struct {
	typ   r4.Code
	conds []cond
	extra []search.Pair
}

func (q asked) String() string {
	var parts []string
	for _, p := range q.pairs() {
		parts = append(parts, p.Name+"="+p.Value)
	}
	return q.typ.String() + "?" + strings.Join(parts, "&")
}

func (q asked) pairs() (all []search.Pair) {
	for _, c := range q.conds {
		all = append(all, search.Pair{Name: c.key, Value: c.value})
	}
	return append(all, q.extra...)
}

// want are the ids that the oracle finds, in the order of creation.
func (q asked) want(o *oracle) []string {
	docs := slices.Clone(o.byType[q.typ])
	slices.SortFunc(docs, func(a, b *odoc) int { return a.seq - b.seq })
	var ids []string
	for _, d := range docs {
		if !slices.ContainsFunc(q.conds, func(c cond) bool { return !c.match(o, d) }) {
			ids = append(ids, d.id)
		}
	}
	return ids
}

// got are the ids that the search gives, over all pages; between is called before each page but the first.
func (q asked) got(t testing.TB, w *world, between func()) ([]string, error) {
	req := search.Request{Datastore: "d", Base: base + "/", Type: q.typ, Pairs: q.pairs(), Strict: true}
	var ids []string
	for range 10_000 {
		page, err := w.service.Search(t.Context(), req)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Matches {
			ids = append(ids, v.ID)
		}
		next := linkOf(page, "next")
		if next == "" {
			return ids, nil
		}
		if between != nil {
			between()
		}
		_, query, _ := strings.Cut(next, "?")
		if req.Pairs, err = search.ParseQuery(query); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("the pages have no end")
}

func linkOf(page *search.Result, relation string) string {
	for _, l := range page.Links {
		if l.Relation == relation {
			return l.URL
		}
	}
	return ""
}

// rounds is how many queries are asked: n, or as many times that as the environment says.
func rounds(n int) int {
	if times, err := strconv.Atoi(os.Getenv("TARN_TEST_ROUNDS")); err == nil {
		return n * times
	}
	return n
}

func newGenerator(o *oracle, seed uint64) *generator {
	g := &generator{o: o, rng: rand.New(rand.NewPCG(seed, 2)), held: map[r4.ParamType][]holding{}}
	for _, typ := range g.types() {
		for _, p := range typ.Params() {
			if !unread(p) && slices.ContainsFunc(o.byType[typ], func(d *odoc) bool { return len(d.things(p)) > 0 }) {
				g.held[p.Type] = append(g.held[p.Type], holding{typ, p})
			}
		}
	}
	return g
}

func TestSearch_equalsAWalkOverTheDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := newOracle(w)
	load(t, w, o, population(t))
	g := newGenerator(o, seed())
	g.compare(t, w, rounds(600))
	w.service.Hurry()
	g.compare(t, w, rounds(400))
	w.service.Linger()
	g.compare(t, w, rounds(400))
}

// compare asks generated queries.
func (g *generator) compare(t *testing.T, w *world, queries int) {
	types := g.types()
	total := tally{}
	for range queries {
		q := asked{typ: pick(g, types)}
		if g.flip(50) { // types with many documents more often
			q.typ = pick(g, g.large())
		}
		for range 1 + g.rng.IntN(3) {
			if c, ok := g.cond(q.typ, 0); ok {
				q.conds = append(q.conds, c)
			}
		}
		if len(q.conds) == 0 {
			continue
		}
		if g.flip(70) {
			q.extra = append(q.extra, search.Pair{Name: "_count", Value: pick(g, []string{"1", "3", "7", "100", "1000"})})
		}
		if q.rarelyPaged() {
			q.extra = []search.Pair{{Name: "_count", Value: "200"}}
		}
		g.ask(t, w, q, total)
	}
	total.log(t)
}

// ask compares the answer to a query with the oracle's, and counts it.
func (g *generator) ask(t *testing.T, w *world, q asked, total tally) {
	t.Helper()
	want := q.want(g.o)
	got, err := q.got(t, w, nil)
	switch {
	case err != nil:
		t.Errorf("%s: %v", q, err)
	case !slices.Equal(got, want):
		t.Errorf("%s: %s", q, difference(got, want))
	}
	if total.add(q, len(want), len(g.o.byType[q.typ]), err == nil && slices.Equal(got, want)) > 25 {
		t.Fatal("and so on")
	}
}

// rarelyPaged keeps tests from asking for hundreds of pages of one resource.
func (q asked) rarelyPaged() bool {
	return len(q.extra) > 0 && q.extra[0].Value == "1" && len(q.conds) == 1
}

// large are the types with many documents.
func (g *generator) large() (all []r4.Code) {
	for _, typ := range g.types() {
		if len(g.o.byType[typ]) >= 20 {
			all = append(all, typ)
		}
	}
	if len(all) == 0 {
		return g.types()
	}
	return all
}

func difference(got, want []string) string {
	var more, less []string
	for _, id := range got {
		if !slices.Contains(want, id) {
			more = append(more, id)
		}
	}
	for _, id := range want {
		if !slices.Contains(got, id) {
			less = append(less, id)
		}
	}
	more, less = more[:min(5, len(more))], less[:min(5, len(less))]
	if len(more)+len(less) == 0 {
		return fmt.Sprintf("the order or the number differs: %.300v, want %.300v", got, want)
	}
	return fmt.Sprintf("%d found, %d wanted; too many: %.200v; missing: %.200v", len(got), len(want), more, less)
}

// seed is that of the generated queries; another one is given in the environment.
func seed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("TARN_TEST_SEED"), 10, 64); err == nil {
		return n
	}
	return 1
}
