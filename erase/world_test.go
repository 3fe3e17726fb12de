package erase_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"tarn/erase"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/search"
	"tarn/store"
)

const datastore = "0123456789abcdef0123456789abcdef"

var patient, _ = r4.CodeOf("Patient")

// world is a service over one data store, on an engine whose writes can fail, beside exports that a test makes up.
type world struct {
	t      *testing.T
	faults *kvtest.Faulty
	space  kv.Space
	ledger *job.Ledger
	data   *store.Store
	o      erase.Options
	svc    *erase.Service

	looking func() // what happens when the keeper has read what there is to purge

	mu        sync.Mutex
	pins      map[string]store.TxID
	ended     []store.TxID      // of exports that have ended and that the ledger still knows
	unread    error             // of the look for these
	abandoned map[string]string // exports that were ended, and why
	discarded []discarding
}

func (w *world) Store(context.Context, string) (*store.Store, error) { return w.data, nil }

func (w *world) Pinned(ctx context.Context, _ string, yield func(string, store.TxID)) error {
	if w.looking != nil && ctx.Value(keeping{}) != nil {
		w.looking()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, tx := range w.pins {
		yield(id, tx)
	}
	return nil
}

func (w *world) Earliest(context.Context, string) (tx store.TxID, known bool, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unread != nil {
		return 0, false, w.unread
	}
	for _, at := range w.ended {
		if !known || at < tx {
			tx, known = at, true
		}
	}
	return tx, known, nil
}

func (w *world) Abandon(_ context.Context, _, id, message string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abandoned[id] = message
	delete(w.pins, id)
	return nil
}

// discarding is a call of DiscardHolding.
type discarding struct {
	places int
	before store.TxID
}

func (w *world) DiscardHolding(_ context.Context, _ string, places []store.Place, before store.TxID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.discarded = append(w.discarded, discarding{len(places), before})
	return nil
}

// newWorld has room for one snapshot: whoever holds one while waiting for another fails.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, 1)
}

func newWorldOf(t *testing.T, snapshots int) *world {
	t.Helper()
	inner, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, inner.Close()) })
	w := &world{t: t, faults: kvtest.NewFaulty(kvtest.NewNarrow(inner, snapshots, 2*time.Hour)), pins: map[string]store.TxID{}, abandoned: map[string]string{}}
	system, err := w.faults.Open(t.Context(), "system")
	must(t, err)
	w.space, err = w.faults.Open(t.Context(), "ds-"+datastore)
	must(t, err)
	w.ledger, err = job.Open(t.Context(), system, job.Options{})
	must(t, err)
	w.data, err = store.Open(t.Context(), w.space, store.Options{Epoch: index.Epoch, Alone: true})
	must(t, err)
	t.Cleanup(func() { must(t, w.data.Close()) })
	queries, err := search.New(search.Options{Datastores: w})
	must(t, err)
	w.o = erase.Options{Datastores: w, Ledger: w.ledger, Exports: w, Queries: queries,
		List: func(context.Context) ([]string, error) { return []string{datastore}, nil }}
	w.svc = erase.New(w.o)
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put stores a resource under its own id.
func (w *world) put(text string) {
	w.t.Helper()
	parser, extractor := fhir.NewParser(fhir.Limits{}), index.NewExtractor()
	r, err := parser.Parse([]byte(text))
	must(w.t, err)
	_, err = w.data.Commit(w.t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: r.Code(), ID: r.ID(), Resource: r,
		Entries: extractor.ExtractOwned(parser.Doc(), r.Code()), Epoch: index.Epoch}}})
	must(w.t, err)
}

func (w *world) delete(typ, id string) {
	w.t.Helper()
	code, _ := r4.CodeOf(typ)
	_, err := w.data.Commit(w.t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Delete, Type: code, ID: id}}})
	must(w.t, err)
}

// holds names a row that has the text in it.
func (w *world) holds(text string) string { return kvtest.Holding(w.t, w.space, text) }

// live counts the resources that are there.
func (w *world) live() (n int) {
	w.t.Helper()
	v, err := w.data.Latest(context.Background())
	must(w.t, err)
	defer v.Close()
	types, err := v.Types(context.Background())
	must(w.t, err)
	for _, typ := range types {
		some, err := v.Count(context.Background(), typ)
		must(w.t, err)
		n += some
	}
	return n
}

// keeping is in the context of the keeper alone.
type keeping struct{}

// run is one start of the server: the service and its jobs run until stop is called.
func (w *world) run(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{erase.Kind: w.svc.Work()}, Attempts: 3})
	var beside sync.WaitGroup
	beside.Go(func() { _ = r.Run(ctx) })
	beside.Go(func() { w.svc.Run(context.WithValue(ctx, keeping{}, true)) })
	return func() {
		cancel()
		beside.Wait()
	}
}

// until runs the service and its jobs, as one start of the server, until the erasure is in a state, or ctx ends.
func (w *world) until(ctx context.Context, id string, state erase.State) erase.Progress {
	w.t.Helper()
	defer w.run(ctx)()
	for looks := 0; ; looks++ {
		p, err := w.svc.Status(context.Background(), datastore, id)
		must(w.t, err)
		if p.State == state || p.State == erase.Failed || ctx.Err() != nil {
			return p
		}
		if looks == 20_000 { // more than a day of the bubble's clock
			w.t.Fatalf("the erasure stays %s", p.State)
		}
		select {
		case <-ctx.Done():
		case <-time.After(7 * time.Second):
		}
	}
}
