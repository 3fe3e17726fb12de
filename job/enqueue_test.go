package job_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/fault"
	"tarn/job"
)

func TestEnqueue_keepsWhatWasGiven(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	before := time.Now().Truncate(time.Millisecond)
	rec := enqueue(t, l, job.New{Name: "nightly", Params: json.RawMessage(`{"a":1}`), ClientToken: "tok"})
	if rec.State != job.Submitted || len(rec.ID) != 32 || rec.SubmitTime.Before(before) || !rec.EndTime.IsZero() {
		t.Fatalf("record %+v", rec)
	}
	got, err := l.Describe(t.Context(), store1, rec.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec, got); diff != "" {
		t.Fatal(diff)
	}
	if _, err := l.Describe(t.Context(), store2, rec.ID); !fault.Is(err, fault.NotFound) {
		t.Fatalf("of another data store: %v", err)
	}
	if _, err := l.Describe(t.Context(), store1, "../../etc"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("no id: %v", err)
	}
}

func TestEnqueue_refusesWhatIsMalformed(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	ok := job.New{Kind: kind, Datastore: store1}
	for name, c := range map[string]struct {
		change func(*job.New)
		kind   fault.Kind
	}{
		"kind":        {func(n *job.New) { n.Kind = "a/b" }, fault.Invalid},
		"no kind":     {func(n *job.New) { n.Kind = "" }, fault.Invalid},
		"data store":  {func(n *job.New) { n.Datastore = strings.Repeat("A", 32) }, fault.Invalid},
		"id":          {func(n *job.New) { n.ID = "x" }, fault.Invalid},
		"name":        {func(n *job.New) { n.Name = strings.Repeat("n", 257) }, fault.Invalid},
		"token":       {func(n *job.New) { n.ClientToken = strings.Repeat("n", 129) }, fault.Invalid},
		"parameters":  {func(n *job.New) { n.Params = make([]byte, job.MaxParams+1) }, fault.TooLarge},
		"fingerprint": {func(n *job.New) { n.Fingerprint = strings.Repeat("n", 129) }, fault.Invalid},
	} {
		n := ok
		c.change(&n)
		if _, _, err := l.Enqueue(t.Context(), n); !fault.Is(err, c.kind) {
			t.Errorf("%s: got %v, want %v", name, err, c.kind)
		}
	}
	if page, err := l.List(t.Context(), job.ListFilter{}); err != nil || len(page.Jobs) != 0 {
		t.Fatalf("something was written: %v %v", page, err)
	}
}

func TestEnqueue_refusesTheSecondOfAnID(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	rec := enqueue(t, l, job.New{})
	_, _, err := l.Enqueue(t.Context(), job.New{ID: rec.ID, Kind: kind, Datastore: store2})
	wantKind(t, err, fault.Exists, rec.ID)
}

func TestEnqueue_throttlesBehindTwentyFiveWaiting(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	var last job.Record
	for range 1 + job.DefaultMaxWaiting { // one to run, 25 to wait
		last = enqueue(t, l, job.New{})
	}
	_, _, err := l.Enqueue(t.Context(), job.New{Kind: kind, Datastore: store1})
	wantKind(t, err, fault.Throttled, "25 export jobs")
	enqueue(t, l, job.New{Datastore: store2})
	enqueue(t, l, job.New{Kind: "import"})

	// The first one running changes nothing; a cancelled one makes room.
	if run, err := l.Claim(t.Context(), kind, store1, "me", 0); err != nil || run == nil {
		t.Fatal(run, err)
	}
	_, _, err = l.Enqueue(t.Context(), job.New{Kind: kind, Datastore: store1})
	wantKind(t, err, fault.Throttled, "full")
	if _, err := l.Cancel(t.Context(), store1, last.ID); err != nil {
		t.Fatal(err)
	}
	enqueue(t, l, job.New{})
}

func TestEnqueue_isIdempotentUnderAToken(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	n := job.New{Kind: kind, Datastore: store1, ClientToken: "once", Fingerprint: "f", MaxWaiting: 1}
	first := enqueue(t, l, n)
	enqueue(t, l, job.New{MaxWaiting: 1})
	again, reused, err := l.Enqueue(t.Context(), n) // although the queue is full
	if err != nil || !reused || again.ID != first.ID {
		t.Fatalf("again: %v %v %v", again.ID, reused, err)
	}
	if found, ok, err := l.Lookup(t.Context(), kind, store1, "once", "f"); err != nil || !ok || found.ID != first.ID {
		t.Fatalf("lookup: %v %v %v", found, ok, err)
	}
	if _, ok, err := l.Lookup(t.Context(), kind, store1, "other", "f"); err != nil || ok {
		t.Fatalf("lookup of an unknown token: %v %v", ok, err)
	}
	if _, _, err := l.Lookup(t.Context(), kind, store1, "once", "g"); !fault.Is(err, fault.Invalid) {
		t.Fatalf("lookup with another fingerprint: %v", err)
	}
	other := n
	other.Fingerprint = "g"
	_, _, err = l.Enqueue(t.Context(), other)
	wantKind(t, err, fault.Invalid, "ClientToken")
	other = n
	other.Datastore = store2
	_, _, err = l.Enqueue(t.Context(), other)
	wantKind(t, err, fault.Invalid, "ClientToken")
	other = n
	other.Kind = "import" // tokens of kinds do not meet
	if rec, reused, err := l.Enqueue(t.Context(), other); err != nil || reused || rec.ID == first.ID {
		t.Fatal(rec, reused, err)
	}
}

func TestEnqueue_beginsAgainWhatFailed(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	n := job.New{Kind: kind, Datastore: store1, ClientToken: "once", Again: true}
	end := func(s job.State) job.Record {
		t.Helper()
		rec := enqueue(t, l, n)
		if again := enqueue(t, l, n); again.ID != rec.ID {
			t.Fatal("begun again under way")
		}
		run, err := l.Claim(t.Context(), kind, store1, "me", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(t.Context(), s, ""); err != nil {
			t.Fatal(err)
		}
		return rec
	}
	first := end(job.Failed)
	if rec, reused, err := l.Enqueue(t.Context(), job.New{Kind: kind, Datastore: store1, ClientToken: "once"}); err != nil || !reused || rec.ID != first.ID {
		t.Fatalf("without Again: %+v %v %v", rec, reused, err)
	}
	second := end(job.Completed)
	if second.ID == first.ID {
		t.Fatal("not begun again")
	}
	if rec, reused, err := l.Enqueue(t.Context(), n); err != nil || !reused || rec.ID != second.ID {
		t.Fatalf("after it went well: %+v %v %v", rec, reused, err)
	}
}
