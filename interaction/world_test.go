package interaction_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/fhir/validate"
	"tarn/interaction"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

const (
	place = "00000000000000000000000000000001" // the data store
	base  = "http://tarn.example/datastore/" + place + "/r4/"
)

// world is a service over one data store whose matcher looks for the texts of the criteria in the documents.
type world struct {
	*interaction.Service
	t     testing.TB
	store *store.Store
}

// newWorld has room for one snapshot: whoever holds one while waiting for another fails.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, newEngine(t, 1))
}

// newEngine has room for some snapshots.
func newEngine(t testing.TB, snapshots int) kv.Engine {
	t.Helper()
	inner, err := pebble.Open(t.TempDir(), pebble.Options{})
	must(t, err)
	return kvtest.NewNarrow(inner, snapshots, 10*time.Second)
}

// newWorldOn closes the engine when the test ends.
func newWorldOn(t testing.TB, engine kv.Engine) *world {
	t.Helper()
	space, err := engine.Open(t.Context(), "s")
	must(t, err)
	st, err := store.Open(t.Context(), space, store.Options{})
	must(t, err)
	t.Cleanup(func() {
		must(t, st.Close())
		must(t, engine.Close())
	})
	w := &world{t: t, store: st}
	w.Service = interaction.New(w, fhir.Limits{})
	w.UseMatcher(scanner{})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Store is the one data store.
func (w *world) Store(context.Context, string) (*store.Store, error) { return w.store, nil }

// transact carries out a Bundle of entries.
func (w *world) transact(entries string) (interaction.Transacted, error) {
	return w.transactWith(entries, interaction.TransactionRequest{})
}

func (w *world) transactWith(entries string, r interaction.TransactionRequest) (interaction.Transacted, error) {
	b, err := w.ReadBundle(base, []byte(`{"resourceType":"Bundle","type":"transaction","entry":[`+entries+`]}`))
	if err != nil {
		return interaction.Transacted{}, err
	}
	defer b.Close()
	r.Datastore, r.Base, r.Bundle, r.Options = place, base, b, interaction.WriteOptions{Level: validate.StructureOnly}
	return w.Transact(w.t.Context(), r)
}

// scanner finds resources whose documents hold every value of the criteria as a string, or whose _id it is.
type scanner struct{}

func (scanner) MatchAt(ctx context.Context, v *store.View, _ string, typ r4.Code, criteria string, limit int) (found []store.Version, err error) {
	q, err := url.ParseQuery(criteria)
	if err != nil {
		return nil, err
	}
	s := v.Scan(ctx, typ, 0, store.End)
	defer func() { _ = s.Close() }()
	for s.Next() && len(found) < limit {
		ok := true
		for name, values := range q {
			for _, value := range values {
				if name == "_id" {
					ok = ok && s.Version().ID == value
				} else {
					ok = ok && bytes.Contains(s.Body(), fmt.Appendf(nil, "%q", value))
				}
			}
		}
		if ok {
			version := s.Version()
			version.Body = bytes.Clone(version.Body)
			found = append(found, version)
		}
	}
	return found, s.Err()
}

// MeetsAt goes by the index alone: a token of identifier is known by its value.
func (scanner) MeetsAt(_ context.Context, _ *store.View, _ string, _ r4.Code, criteria string, resources [][]fhir.IndexEntry) ([]bool, error) {
	q, err := url.ParseQuery(criteria)
	if err != nil {
		return nil, err
	}
	meets := make([]bool, len(resources))
	for i, entries := range resources {
		for _, e := range entries {
			meets[i] = meets[i] || q.Get("identifier") != "" && bytes.Contains(e.Value, []byte(q.Get("identifier")))
		}
	}
	return meets, nil
}
