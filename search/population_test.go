package search_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"testing"

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
	var written []string
	flush := func() {
		if len(tx.Writes) > 0 {
			results, err := w.store.Commit(context.Background(), tx)
			must(t, err)
			for i, b := range written {
				o.put(b, int64(results[i].Instant))
			}
			tx, written = store.Transaction{}, nil
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
		tx.Writes, written = append(tx.Writes, w.write(b)), append(written, b)
		if len(tx.Writes) == 50 {
			flush()
			clear(seen)
		}
	}
	flush()
}

// population is the documents that generated queries are about.
func population(t testing.TB) []string {
	folder := dataFolder()
	if folder == "" {
		t.Log("the official examples and the Synthea sample are not here: an invented population only")
		return append(people(12), inventedDocuments()...)
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
	return append(append(bodies, people(4)...), inventedDocuments()...)
}
