package interaction_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/job"
	"tarn/store"
)

// office is a world with a ledger; its work fails once after it was done, as if the process had died there.
type office struct {
	*world
	*interaction.Background
	ledger *job.Ledger
	lost   atomic.Int64 // answers that got lost

	attempts int // of the runner; 0: as usual
}

func newOffice(t *testing.T) *office {
	t.Helper()
	engine := newEngine(t, 1)
	o := &office{world: newWorldOn(t, engine)}
	space, err := engine.Open(t.Context(), "system")
	must(t, err)
	o.ledger, err = job.Open(t.Context(), space, job.Options{})
	must(t, err)
	o.Background = interaction.NewBackground(o.Service, o.ledger)
	return o
}

// Run does the work and loses its first answer.
func (o *office) Run(ctx context.Context, run *job.Run) error {
	err := o.Work().Run(ctx, run)
	if err == nil && o.lost.Add(1) == 1 {
		return fault.Errorf(fault.Unavailable, "test", "The answer got lost.")
	}
	return err
}

// start runs jobs until the test ends.
func (o *office) start() {
	runner := job.NewRunner(o.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{interaction.TransactionKind: o}, Attempts: o.attempts})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	o.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			o.t.Error(err)
		}
	})
}

func (o *office) submit(body string) string { return o.submitOnce("", body) }

func (o *office) submitOnce(key, body string) string {
	o.t.Helper()
	b, err := o.ReadBundle(base, []byte(body))
	must(o.t, err)
	defer b.Close()
	id, err := o.Submit(o.t.Context(), interaction.TransactionRequest{Datastore: place, Base: base, Bundle: b, Key: key}, []byte(body))
	must(o.t, err)
	return id
}

// end waits for the end of a transaction.
func (o *office) end(id string) (*interaction.Record, error) {
	for {
		changed := o.ledger.Changed()
		p, err := o.Status(o.t.Context(), place, id)
		if err != nil || p.Record != nil {
			return p.Record, err
		}
		<-changed
	}
}

func TestBackground_doesEachTransactionOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	// Large enough for several pieces.
	id := o.submit(`{"resourceType":"Bundle","type":"transaction","entry":[` + entry("", aPatient(`,"language":"`+strings.Repeat("x", 1<<20)+`"`), "POST", "Patient") + `,` + entry("", aPatient(`,"id":"p"`), "PUT", "Patient/p") + `]}`)
	if p, err := o.Status(t.Context(), place, id); err != nil || p.State != job.Submitted || p.Record != nil {
		t.Fatalf("before it began: %+v %v", p, err)
	}
	o.start()
	rec, err := o.end(id)
	must(t, err)
	if len(rec.Done) != 2 || rec.Done[0].Status != 201 || rec.Done[1].Version.ID != "p" || rec.Done[1].Version.Number != 1 {
		t.Errorf("%+v", rec)
	}
	again := o.submit(`{"resourceType":"Bundle","type":"transaction","entry":[` + entry("", aPatient(`,"id":"p"`), "PUT", "Patient/p", "ifMatch", "1") + `]}`)
	if _, err := o.end(again); err != nil {
		t.Fatal(err)
	}
	if head, err := o.store.Head(t.Context()); err != nil || head.Tx != 2 {
		t.Errorf("two transactions made %d (%v), though an answer got lost (%d)", head.Tx, err, o.lost.Load())
	}
	for r, err := range o.store.Riders(t.Context(), []byte("bundle/body/")) {
		t.Errorf("the body %s is left (%v)", r.Key, err)
	}
}

// A clock that jumps ahead by years, or is put right after it was years behind, does not make a waiting transaction old.
func TestBackground_doesWhatWaitsWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var ids []string
	const year = 365 * 24 * time.Hour
	for _, off := range []time.Duration{0, 20 * year, 0, -20 * year, 0} {
		o.Service.SetNow(func() time.Time { return time.Now().Add(off) })
		id := o.submit(`{"resourceType":"Bundle","type":"transaction","entry":[` + entry("", aPatient(fmt.Sprintf(`,"id":"p%d"`, len(ids))), "PUT", fmt.Sprintf("Patient/p%d", len(ids))) + `]}`)
		ids = append(ids, id)
		for _, id := range ids {
			if p, err := o.Status(t.Context(), place, id); err != nil || p.State != job.Submitted {
				t.Errorf("off by %v: %+v, %v", off, p, err)
			}
		}
	}
	o.start()
	for n, id := range ids[:3] {
		if rec, err := o.end(id); err != nil || len(rec.Done) != 1 || rec.Done[0].Version.Number != 1 {
			t.Errorf("transaction %d: %+v, %v", n, rec, err)
		}
	}
	if _, err := o.end(ids[4]); err != nil {
		t.Error(err)
	}
	if head, err := o.store.Head(t.Context()); err != nil || head.Tx != store.TxID(len(ids)) {
		t.Errorf("%d transactions made %d, %v", len(ids), head.Tx, err)
	}
}

func TestBackground_keepsWhyATransactionFailed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.start()
	id := o.submit(`{"resourceType":"Bundle","type":"transaction","entry":[` + entry("", aPatient(`,"id":"p"`), "PUT", "Patient/p", "ifMatch", "7") + `]}`)
	for range 2 { // the second time it is only read
		if _, err := o.end(id); !fault.Is(err, fault.Precondition) || !strings.Contains(err.Error(), "Bundle.entry[0]") {
			t.Errorf("%v", err)
		}
	}
	if _, err := o.Status(t.Context(), place, "00000000000000000000000000000000"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

func TestBackground_doesOneOfAllTransactionsWithAKey(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, err := o.transact(entry("", aPatient(`,"id":"p"`), "PUT", "Patient/p"))
	must(t, err)
	// Repeated, it would fail: the version that it demands is no longer there.
	body := `{"resourceType":"Bundle","type":"transaction","entry":[` + entry("", aPatient(`,"id":"p"`), "PUT", "Patient/p", "ifMatch", "1") + `,` + entry("", "", "GET", "Patient/p") + `]}`
	first, second := o.submitOnce("k", body), o.submitOnce("k", body)
	o.start()
	did, err := o.end(first)
	must(t, err)
	told, err := o.end(second)
	must(t, err)
	if did.Again || !told.Again || told.Tx != did.Tx || told.Done[0].Version.Number != 2 || told.Entries[1].Path != "Patient/p" {
		t.Errorf("the first: %+v, the second: %+v", did, told)
	}
	b, err := o.ReadBundle(base, []byte(body))
	must(t, err)
	defer b.Close()
	rec, again, err := o.TransactOnce(t.Context(), interaction.TransactionRequest{Datastore: place, Base: base, Bundle: b, Key: "k"})
	if err != nil || !again || rec.Tx != did.Tx {
		t.Errorf("at once: %+v %v %v", rec, again, err)
	}
	// What failed leaves the key free.
	failed := o.submitOnce("f", body)
	if _, err := o.end(failed); !fault.Is(err, fault.Precondition) {
		t.Error(err)
	}
	good := o.submitOnce("f", strings.Replace(body, `"ifMatch":"1"`, `"ifMatch":"2"`, 1))
	if rec, err := o.end(good); err != nil || rec.Again || rec.Done[0].Version.Number != 3 {
		t.Errorf("%+v %v", rec, err)
	}
	for r, err := range o.store.Riders(t.Context(), []byte("bundle/body/")) {
		t.Errorf("the body %s is left (%v)", r.Key, err)
	}
}

// unready finds nothing for a while, as a data store that is indexed anew.
type unready struct {
	scanner
	asked atomic.Int64
}

func (u *unready) MatchAt(ctx context.Context, v *store.View, base string, typ r4.Code, criteria string, limit int) ([]store.Version, error) {
	if u.asked.Add(1) == 1 {
		return nil, store.ErrIndexing
	}
	return u.scanner.MatchAt(ctx, v, base, typ, criteria, limit)
}

// A single attempt is allowed, and waiting for the index is none.
func TestBackground_waitsUntilTheDataStoreIsIndexedAnew(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.lost.Store(1) // no answer gets lost
	o.UseMatcher(&unready{})
	o.attempts = 1
	id := o.submit(`{"resourceType":"Bundle","type":"transaction","entry":[` + entry("", aPatient(""), "POST", "Patient", "ifNoneExist", "_id=x") + `]}`)
	o.start()
	if rec, err := o.end(id); err != nil || len(rec.Done) != 1 {
		t.Errorf("%+v %v", rec, err)
	}
}
