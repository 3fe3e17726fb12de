package search_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/search"
	"tarn/store"
)

const base = "http://tarn.test/datastore/d/r4"

// world is a data store in memory, and the service that searches it.
type world struct {
	t       testing.TB
	store   *store.Store
	service *search.Service
	parser  *fhir.Parser
	extract *index.Extractor
	now     time.Time // as the service sees it
}

func (w *world) Store(context.Context, string) (*store.Store, error) { return w.store, nil }

func newWorld(t testing.TB) *world { return newWorldOf(t, index.Epoch) }

// newWorldOf is a data store of which the index was made by the tables of an epoch.
func newWorldOf(t testing.TB, epoch uint32) *world {
	t.Helper()
	inner, err := pebble.Open("data", pebble.Options{FS: vfs.NewMem()})
	must(t, err)
	engine := kvtest.NewNarrow(inner, 1, time.Minute) // whoever holds a snapshot while waiting for another fails
	space, err := engine.Open(t.Context(), "ds-search")
	must(t, err)
	var ticks atomic.Int64 // transactions lie some time apart, so that _lastUpdated tells them apart
	clock := func() time.Time {
		return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(ticks.Add(1)) * 7 * time.Hour)
	}
	st, err := store.Open(t.Context(), space, store.Options{Epoch: epoch, Now: clock})
	must(t, err)
	w := &world{t: t, store: st, parser: fhir.NewParser(fhir.Limits{}), extract: index.NewExtractor(), now: time.Date(2025, 6, 8, 0, 0, 0, 0, time.UTC)}
	w.service, err = search.New(search.Options{Datastores: w, Now: func() time.Time { return w.now }})
	must(t, err)
	t.Cleanup(func() {
		must(t, st.Close())
		must(t, engine.Close())
	})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write is the write of a resource with its entries.
func (w *world) write(body string) store.Write {
	w.t.Helper()
	res, err := w.parser.Parse([]byte(body))
	must(w.t, err)
	return store.Write{Op: store.Put, Type: res.Code(), ID: res.ID(), Resource: res,
		Entries: w.extract.ExtractOwned(w.parser.Doc(), res.Code()), Epoch: index.Epoch}
}

// put stores resources in one transaction, and tells its instant in ms since 1970.
func (w *world) put(bodies ...string) int64 {
	w.t.Helper()
	var tx store.Transaction
	for _, b := range bodies {
		tx.Writes = append(tx.Writes, w.write(b))
	}
	results, err := w.store.Commit(context.Background(), tx)
	must(w.t, err)
	return int64(results[0].Instant)
}

func (w *world) delete(typ, id string) {
	w.t.Helper()
	code, _ := r4.CodeOf(typ)
	_, err := w.store.Commit(context.Background(), store.Transaction{Writes: []store.Write{{Op: store.Delete, Type: code, ID: id}}})
	must(w.t, err)
}

func (w *world) view() *store.View {
	w.t.Helper()
	v, err := w.store.Latest(context.Background())
	must(w.t, err)
	return v
}

// names reports whether an error names the parameter.
func (w *world) names(err error, param string) bool {
	var o *fhir.OutcomeError
	return errors.As(err, &o) && len(o.Issues) > 0 && strings.Contains(o.Issues[0].Diagnostics+o.Issues[0].Details, param)
}
