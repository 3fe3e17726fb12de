package search_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tarn/fhir/r4"
	"tarn/search"
	"tarn/store"
	"tarn/synth"
)

// dataFolder is where the official examples and the Synthea sample are, or empty.
func dataFolder() string {
	folder := os.Getenv("TARN_TEST_DATA")
	if folder == "" {
		folder = "../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(folder, "r4-examples")); err != nil {
		return ""
	}
	return folder
}

// lines are up to most lines of a file, evenly spread.
func lines(t testing.TB, file string, most int) (out []string) {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	scanner := bufio.NewScanner(z)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		out = append(out, scanner.Text())
	}
	must(t, scanner.Err())
	if len(out) <= most {
		return out
	}
	spread := out[:0:0]
	for i := range most {
		spread = append(spread, out[i*len(out)/most])
	}
	return spread
}

// people is an invented population.
func people(n int) (out []string) {
	for r := range synth.Population(synth.Options{Patients: n, Seed: 7}) {
		out = append(out, string(r.JSON))
	}
	return out
}

// examples are the official ones, up to most of each type.
func examples(t testing.TB, folder string, most int) (out []string) {
	files, err := filepath.Glob(filepath.Join(folder, "r4-examples", "*.ndjson.gz"))
	must(t, err)
	for _, f := range files {
		for _, line := range lines(t, f, most) {
			if len(line) < 60_000 {
				out = append(out, line)
			}
		}
	}
	return out
}

// load puts documents into a world and an oracle, in one order. What has no id gets none of either.
func load(t testing.TB, w *world, o *oracle, bodies []string) {
	t.Helper()
	var tx store.Transaction
	flush := func() {
		if len(tx.Writes) > 0 {
			_, err := w.store.Commit(context.Background(), tx)
			must(t, err)
			tx = store.Transaction{}
		}
	}
	seen := map[string]bool{}
	for _, b := range bodies {
		res, err := w.parser.Parse([]byte(b))
		if err != nil || res.ID() == "" {
			continue
		}
		name := res.Type() + "/" + res.ID()
		if seen[name] {
			flush()
			clear(seen)
		}
		seen[name] = true
		tx.Writes = append(tx.Writes, w.write(b))
		o.put(b)
		if len(tx.Writes) == 300 {
			flush()
			clear(seen)
		}
	}
	flush()
}

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

// population is the documents that generated queries are about.
func population(t testing.TB) []string {
	folder := dataFolder()
	if folder == "" {
		t.Log("the official examples and the Synthea sample are not here: an invented population only")
		return people(12)
	}
	bodies := examples(t, folder, 12)
	for _, name := range []string{"Patient", "Practitioner", "Organization", "Encounter", "Condition", "Observation", "MedicationRequest", "Procedure"} {
		for _, version := range []string{"synthea-v3", "synthea"} {
			file := filepath.Join(folder, version, name+".ndjson.gz")
			if _, err := os.Stat(file); err == nil {
				bodies = append(bodies, lines(t, file, 60)...)
			}
		}
	}
	return append(bodies, people(4)...)
}

// strange reports parameters whose values the oracle does not read.
func strange(typ r4.Code, p *r4.SearchParam) bool {
	return p.Type == r4.ParamSpecial || p.Expression == "" || strings.Contains(p.Expression, "[") || strings.HasPrefix(p.Name, "phonetic")
}

// rounds is how many queries are asked: n, or as many times that as the environment says.
func rounds(n int) int {
	if times, err := strconv.Atoi(os.Getenv("TARN_TEST_ROUNDS")); err == nil {
		return n * times
	}
	return n
}

func newGenerator(o *oracle, seed uint64) *generator {
	timed := map[*r4.SearchParam]bool{}
	return &generator{o: o, rng: rand.New(rand.NewPCG(seed, 2)), skip: func(typ r4.Code, p *r4.SearchParam) bool {
		if _, ok := timed[p]; !ok && p.Type == r4.ParamDate { // a Timing is left to the tests of package index
			timed[p] = slices.ContainsFunc(o.byType[typ], func(d *odoc) bool {
				return slices.ContainsFunc(d.things(p), func(x thing) bool { return x.of.Name == "Timing" })
			})
		}
		return strange(typ, p) || timed[p]
	}}
}

func TestSearch_equalsAWalkOverTheDocuments(t *testing.T) {
	t.Parallel()
	w, o := newWorld(t), newOracle()
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
	hits, empty, differ := 0, 0, 0
	kinds := map[string]int{}
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
		want := q.want(g.o)
		got, err := q.got(t, w, nil)
		if err != nil {
			differ++
			t.Errorf("%s: %v", q, err)
		} else if !slices.Equal(got, want) {
			differ++
			t.Errorf("%s: %s", q, difference(got, want))
		}
		if differ > 25 {
			t.Fatal("and so on")
		}
		if len(want) > 0 {
			hits++
		} else {
			empty++
		}
		for _, c := range q.conds {
			kinds[kindOf(c.key)]++
		}
	}
	t.Logf("%d queries found something, %d nothing; %v; differences: %d", hits, empty, kinds, differ)
}

// rarelyPaged keeps tests from asking for hundreds of pages of one resource.
func (q asked) rarelyPaged() bool {
	return len(q.extra) > 0 && q.extra[0].Value == "1" && len(q.conds) == 1
}

func kindOf(key string) string {
	switch {
	case strings.HasPrefix(key, "_has"):
		return "_has"
	case strings.Contains(key, "."):
		return "chain"
	}
	if _, modifier, ok := strings.Cut(key, ":"); ok {
		return ":" + modifier
	}
	return "plain"
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
