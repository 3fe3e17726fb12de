package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"tarn/export"
	"tarn/fhir"
	"tarn/job"
	"tarn/store"
)

// rebuilt is a data store as somebody keeps it who knows nothing but its exports.
type rebuilt map[string]string // Type/id -> body

// apply takes one export in.
func (r rebuilt) apply(t *testing.T, f folder) export.Manifest {
	t.Helper()
	m, err := export.ParseManifest(f[export.ManifestName])
	must(t, err)
	for _, file := range m.Deleted {
		for line := range bytes.Lines(f[file.Name]) {
			var b struct {
				ResourceType, Type string
				Entry              []struct{ Request struct{ Method, URL string } }
			}
			must(t, json.Unmarshal(line, &b))
			if b.ResourceType != "Bundle" || b.Type != "transaction" {
				t.Fatalf("a line of %s is %.100s", file.Name, line)
			}
			for _, e := range b.Entry {
				if e.Request.Method != "DELETE" {
					t.Fatalf("a deletion by %s", e.Request.Method)
				}
				delete(r, e.Request.URL)
			}
		}
	}
	for _, file := range m.Output {
		for line := range bytes.Lines(f[file.Name]) {
			var b struct{ ResourceType, ID string }
			must(t, json.Unmarshal(line, &b))
			key, body := b.ResourceType+"/"+b.ID, strings.TrimSuffix(string(line), "\n")
			if r[key] == body {
				t.Errorf("%s is repeated: %.200s", key, body)
			}
			r[key] = body
		}
	}
	return m
}

// truth is what the data store holds as of a transaction.
func (w *world) truth(at store.TxID) rebuilt {
	v, err := w.store().At(w.t.Context(), at)
	must(w.t, err)
	all := rebuilt{}
	types, err := v.Types(w.t.Context())
	must(w.t, err)
	for _, code := range types {
		s := v.Scan(w.t.Context(), code, 0, store.End)
		for s.Next() {
			all[code.String()+"/"+s.Version().ID] = string(s.Body())
		}
		must(w.t, errors.Join(s.Err(), s.Close()))
	}
	must(w.t, v.Close())
	return all
}

func (r rebuilt) compare(t *testing.T, want rebuilt, when string) {
	t.Helper()
	for k, v := range want {
		if r[k] != v {
			t.Fatalf("%s: %s is %.200q, the data store has %.200q", when, k, r[k], v)
		}
	}
	for k := range r {
		if _, ok := want[k]; !ok {
			t.Fatalf("%s: %s should have gone", when, k)
		}
	}
}

// scribble writes and deletes at random until ctx ends, and tells of each commit.
func (w *world) scribble(ctx context.Context, seed uint64, committed chan<- struct{}) error {
	rnd := rand.New(rand.NewPCG(seed, 1))
	p := fhir.NewParser(fhir.Limits{})
	for n := 0; ctx.Err() == nil; n++ {
		var tx store.Transaction
		names := map[string]bool{}
		for range 1 + rnd.IntN(20) {
			typ, id := []string{"Patient", "Basic", "Observation"}[rnd.IntN(3)], fmt.Sprintf("r%d", rnd.IntN(300))
			if names[typ+id] {
				continue
			}
			names[typ+id] = true
			r, err := p.Parse(fmt.Appendf(nil, `{"resourceType":%q,"id":%q,"language":"%d-%d"}`, typ, id, seed, n))
			if err != nil {
				return err
			}
			op := store.Put
			if rnd.IntN(3) == 0 {
				op = store.Delete
			}
			tx.Writes = append(tx.Writes, store.Write{Op: op, Type: r.Code(), ID: id, Resource: r})
		}
		if _, err := w.store().Commit(context.WithoutCancel(ctx), tx); err != nil {
			return err
		}
		select {
		case committed <- struct{}{}:
		default:
		}
	}
	return nil
}

// A chain of exports, each since the transactionTime of the one before, loses nothing and repeats nothing while others
// write: after each of them the rebuilt data store is the real one as of that export.
func TestSince_aChainOfExportsRebuildsTheDataStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 50, "en")
	ctx, stop := context.WithCancel(t.Context())
	wrote, committed := make(chan error, 2), make(chan struct{})
	for seed := range uint64(2) {
		go func() { wrote <- w.scribble(ctx, seed, committed) }()
	}
	links := 101 // everything, and a hundred times what has changed
	if testing.Short() {
		links = 10
	}
	changed := 0 // links that show any change
	copy, since := rebuilt{}, fhir.Instant(0)
	for n := range links {
		select { // however slow the writers are, each export has something new to tell
		case <-committed:
		case err := <-wrote:
			t.Fatal(err)
		}
		r := w.request()
		if n > 0 {
			r.Selection = export.Selection{Since: since, Deleted: true}
		}
		rec, err := w.exports.Start(t.Context(), r)
		must(t, err)
		w.run()
		if got := w.describe(rec.ID); got.State != job.Completed {
			t.Fatalf("export %d is %s: %s", n, got.State, got.Message)
		}
		_, j, err := w.exports.Describe(t.Context(), w.data.ID, rec.ID)
		must(t, err)
		f := w.folder(rec.ID)
		m := copy.apply(t, f)
		if n > 0 && len(m.Output)+len(m.Deleted) > 0 {
			changed++
		}
		copy.compare(t, w.truth(j.TxID), fmt.Sprintf("after export %d", n))
		if n%10 == 3 {
			w.proves(rec.ID, f)
		}
		if since, err = fhir.ParseInstant(m.TransactionTime); err != nil {
			t.Fatal(err)
		}
		w.empty()
	}
	stop()
	must(t, errors.Join(<-wrote, <-wrote))
	if changed < (links-1)*9/10 {
		t.Errorf("of %d exports of what has changed %d show a change: nothing was written meanwhile", links-1, changed)
	}
	t.Logf("%d exports of what has changed, %d of them show a change", links-1, changed)
}

// proves verifies an export against its manifest and the data store.
func (w *world) proves(id string, f folder) {
	w.t.Helper()
	var digests []export.File
	_, err := w.exports.Digests(w.t.Context(), w.data.ID, id, func(d export.File) error {
		digests = append(digests, d)
		return nil
	})
	must(w.t, err)
	report, err := export.Verify(w.t.Context(), f, digests, nil)
	must(w.t, err)
	if len(report.Problems) > 0 {
		w.t.Errorf("verify: %v", report.Problems)
	}
}
