package search_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/kv/pebble"
	"tarn/search"
	"tarn/store"
	"tarn/synth"
)

// crowd is a population on disk, made once for each folder: TARN_BENCH_PATIENTS (200) in TARN_BENCH_DIR (a new one).
func crowd(b *testing.B) *world {
	dir, patients := os.Getenv("TARN_BENCH_DIR"), 200
	if n, err := strconv.Atoi(os.Getenv("TARN_BENCH_PATIENTS")); err == nil {
		patients = n
	}
	if dir == "" {
		dir = b.TempDir()
	}
	engine, err := pebble.Open(dir, pebble.Options{CacheBytes: 256 << 20})
	must(b, err)
	space, err := engine.Open(b.Context(), "ds-bench")
	must(b, err)
	st, err := store.Open(b.Context(), space, store.Options{Epoch: index.Epoch})
	must(b, err)
	w := &world{t: b, store: st, parser: fhir.NewParser(fhir.Limits{}), extract: index.NewExtractor()}
	w.service, err = search.New(search.Options{Datastores: w})
	must(b, err)
	b.Cleanup(func() {
		must(b, st.Close())
		must(b, engine.Close())
	})
	if at, err := st.Head(b.Context()); err != nil || at.Tx > 0 {
		must(b, err)
		return w
	}
	tx := store.Transaction{Bulk: true}
	begin, count := time.Now(), 0
	flush := func() {
		_, err := st.Commit(context.Background(), tx)
		must(b, err)
		tx.Writes = nil
	}
	for r := range synth.Population(synth.Options{Patients: patients, Seed: 1}) {
		tx.Writes = append(tx.Writes, w.write(string(r.JSON)))
		if count++; len(tx.Writes) == 1000 {
			flush()
		}
	}
	flush()
	b.Logf("loaded %d resources in %v", count, time.Since(begin).Round(time.Second))
	return w
}

// page asks one query, by links up to the page of that number.
func (w *world) page(b testing.TB, query string, number int) *search.Result {
	name, raw, _ := strings.Cut(query, "?")
	typ, _ := r4.CodeOf(name)
	pairs, err := search.ParseQuery(raw)
	must(b, err)
	req := search.Request{Datastore: "d", Base: base + "/", Type: typ, Pairs: pairs, Strict: true}
	for {
		page, err := w.service.Search(context.Background(), req)
		must(b, err)
		if number--; number <= 0 {
			return page
		}
		_, next, _ := strings.Cut(linkOf(page, "next"), "?")
		if next == "" {
			return page
		}
		req.Pairs, err = search.ParseQuery(next)
		must(b, err)
	}
}

// BenchmarkSearch tells the median and the 99th percentile of first pages, and of the hundredth, over a population.
func BenchmarkSearch(b *testing.B) {
	w := crowd(b)
	patients, err := w.sample(b, "Patient", 400)
	must(b, err)
	for _, q := range []struct {
		name  string
		query func(i int) string
	}{
		{"token", func(i int) string { return "Observation?code=http://loinc.org|" + loinc[i%len(loinc)] }},
		{"rare token", func(i int) string { return "Patient?identifier=" + patients[i%len(patients)].identifier }},
		{"token, date and reference", func(i int) string {
			return "Observation?code=http://loinc.org|" + loinc[i%len(loinc)] + "&date=ge2015&subject=Patient/" + patients[i%len(patients)].id
		}},
		{"token and date", func(i int) string {
			return fmt.Sprintf("Observation?code=http://loinc.org|%s&date=ge%d-%02d&date=lt%d", loinc[i%len(loinc)], 2012+i%10, 1+i%12, 2014+i%10)
		}},
		{"day", func(i int) string { return fmt.Sprintf("Observation?date=%d-%02d-%02d", 2012+i%10, 1+i%12, 1+i%28) }},
		{"chain", func(i int) string {
			return "Observation?code=http://loinc.org|" + loinc[i%len(loinc)] + "&subject:Patient.family=" + patients[i%len(patients)].family
		}},
		{"chain of many", func(i int) string {
			return "Observation?subject:Patient.gender=female&code=http://loinc.org|" + loinc[i%len(loinc)]
		}},
		{"_has", func(i int) string {
			return "Patient?_has:Observation:patient:code=http://loinc.org|" + loinc[i%len(loinc)] + "&gender=male"
		}},
		{"_has and date", func(i int) string {
			return fmt.Sprintf("Patient?_has:Observation:patient:date=%d-%02d-%02d", 2012+i%10, 1+i%12, 1+i%28)
		}},
		{"sort by date", func(i int) string { return "Observation?_sort=-date&code=http://loinc.org|" + loinc[i%len(loinc)] }},
		{"sort all by date", func(i int) string { return "Observation?_sort=date" }},
		{"sort a patient's", func(i int) string { return "Observation?_sort=-date&subject=Patient/" + patients[i%len(patients)].id }},
		{"name", func(i int) string { return "Patient?name=" + patients[i%len(patients)].family }},
		{"include", func(i int) string {
			return "Observation?_include=Observation:subject&_include=Observation:encounter&code=http://loinc.org|" + loinc[i%len(loinc)]
		}},
		{"revinclude", func(i int) string {
			return "Patient?_revinclude=Condition:subject&family=" + patients[i%len(patients)].family
		}},
		{"last updated", func(i int) string { return "Observation?_sort=-_lastUpdated" }},
	} {
		for _, number := range []int{1, 100} {
			b.Run(fmt.Sprintf("%s, page %d", q.name, number), func(b *testing.B) {
				var took []time.Duration
				matches := 0
				for i := 0; b.Loop(); i++ {
					begin := time.Now()
					if number > 1 { // only the last page counts
						before := w.page(b, q.query(i), number-1)
						_, next, _ := strings.Cut(linkOf(before, "next"), "?")
						name, _, _ := strings.Cut(q.query(i), "?")
						begin = time.Now()
						matches += len(w.page(b, name+"?"+next, 1).Matches)
					} else {
						matches += len(w.page(b, q.query(i), 1).Matches)
					}
					took = append(took, time.Since(begin))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(float64(matches)/float64(len(took)), "matches")
			})
		}
	}
}

var loinc = []string{"8302-2", "29463-7", "8867-4", "39156-5", "2339-0", "4548-4", "2160-0", "718-7", "85354-9", "72166-2"}

type someone struct{ id, family, identifier string }

// sample is some of the patients.
func (w *world) sample(b *testing.B, typ string, n int) (all []someone, err error) {
	v := w.view()
	defer func() { err = v.Close() }()
	code, _ := r4.CodeOf(typ)
	next, err := v.Next(b.Context(), code)
	if err != nil {
		return nil, err
	}
	for i := range n {
		version, err := v.ReadOrdinal(b.Context(), code, store.Ordinal(i*int(next)/n))
		if err != nil {
			return nil, err
		}
		root, err := w.parser.Scan(version.Body)
		if err != nil {
			return nil, err
		}
		identifier := root.Root().Member("identifier").First()
		all = append(all, someone{version.ID, string(root.Root().Member("name").First().Member("family").Text()),
			string(identifier.Member("system").Text()) + "|" + string(identifier.Member("value").Text())})
	}
	return all, nil
}
