package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
	"tarn/kv/pebble"
)

const (
	store1 = "00000000000000000000000000000001"
	store2 = "00000000000000000000000000000002"
	kind   = job.Kind("export")
)

func memory(t testing.TB) kv.Engine {
	t.Helper()
	engine, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func openLedger(t testing.TB, engine kv.Engine) *job.Ledger {
	t.Helper()
	space, err := engine.Open(context.Background(), "system")
	if err != nil {
		t.Fatal(err)
	}
	l, err := job.Open(context.Background(), space, job.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func enqueue(t testing.TB, l *job.Ledger, n job.New) job.Record {
	t.Helper()
	if n.Kind == "" {
		n.Kind = kind
	}
	if n.Datastore == "" {
		n.Datastore = store1
	}
	rec, _, err := l.Enqueue(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func wantKind(t testing.TB, err error, k fault.Kind, sentence string) {
	t.Helper()
	if !fault.Is(err, k) || !strings.Contains(fault.Message(err), sentence) {
		t.Fatalf("got %v (%v), want %v with %q", err, fault.KindOf(err), k, sentence)
	}
}

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

func TestList_pagesAndFilters(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	var all []job.Record
	for i := range 40 {
		all = append(all, enqueue(t, l, job.New{Name: fmt.Sprint("n", i%3), Datastore: []string{store1, store2}[i%2],
			Kind: []job.Kind{"export", "import"}[i/2%2]}))
	}
	if _, err := l.Cancel(t.Context(), all[5].Datastore, all[5].ID); err != nil {
		t.Fatal(err)
	}
	all[5].State = job.CancelSubmitted
	mid := all[20].SubmitTime
	for name, f := range map[string]job.ListFilter{
		"all":           {},
		"data store":    {Datastore: store1},
		"kind":          {Kind: "import"},
		"both":          {Datastore: store2, Kind: "export"},
		"name":          {Name: "n1"},
		"name and both": {Datastore: store2, Kind: "export", Name: "n2"},
		"state":         {State: job.CancelSubmitted},
		"no state":      {State: job.Failed},
		"before":        {SubmittedBefore: mid},
		"before, us":    {SubmittedBefore: mid.Add(time.Microsecond)},
		"after":         {SubmittedAfter: mid},
		"after, us":     {SubmittedAfter: mid.Add(-time.Microsecond)},
		"both ends":     {Datastore: store1, SubmittedAfter: all[3].SubmitTime, SubmittedBefore: mid},
		"nothing":       {SubmittedAfter: mid, SubmittedBefore: mid},
		"upside down":   {SubmittedAfter: mid.Add(time.Hour), SubmittedBefore: mid},
		"far past":      {SubmittedBefore: time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"far future":    {SubmittedBefore: time.Date(90000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		var want []string
		for _, rec := range slices.Backward(all) {
			if (f.Datastore == "" || rec.Datastore == f.Datastore) && (f.Kind == "" || rec.Kind == f.Kind) &&
				(f.Name == "" || rec.Name == f.Name) && (f.State == "" || rec.State == f.State) &&
				(f.SubmittedBefore.IsZero() || rec.SubmitTime.Before(f.SubmittedBefore)) &&
				(f.SubmittedAfter.IsZero() || rec.SubmitTime.After(f.SubmittedAfter)) {
				want = append(want, rec.ID)
			}
		}
		for _, limit := range []int{0, 1, 3, 7, 1000} {
			f.Limit, f.Cursor = limit, ""
			var got []string
			for {
				page, err := l.List(t.Context(), f)
				if err != nil {
					t.Fatalf("%s, limit %d: %v", name, limit, err)
				}
				if limit > 0 && len(page.Jobs) > limit || page.Next != "" && len(page.Jobs) == 0 {
					t.Fatalf("%s, limit %d: a page of %d, next %q", name, limit, len(page.Jobs), page.Next)
				}
				for _, rec := range page.Jobs {
					got = append(got, rec.ID)
				}
				if f.Cursor = page.Next; f.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, limit %d: got %v, want %v", name, limit, got, want)
			}
		}
	}
	for _, cursor := range []string{"x", strings.Repeat("z", 32), strings.Repeat("0", 31)} {
		if _, err := l.List(t.Context(), job.ListFilter{Cursor: cursor}); !fault.Is(err, fault.Invalid) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func TestRun_writesNothingUnderAnOldTerm(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l := openLedger(t, memory(t))
	rec := enqueue(t, l, job.New{})
	old, err := l.Claim(ctx, kind, store1, "old", 0)
	if err != nil || old == nil {
		t.Fatal(old, err)
	}
	if err := old.Checkpoint(ctx, "1", []byte("old"), job.Progress{PartsDone: 1}); err != nil {
		t.Fatal(err)
	}
	beat := old.Record().Beat
	if run, err := l.Claim(ctx, kind, store1, "new", beat-1); err != nil || run != nil {
		t.Fatalf("a lease that moved was taken: %v %v", run, err)
	}
	young, err := l.Claim(ctx, kind, store1, "new", beat)
	if err != nil || young == nil {
		t.Fatal(young, err)
	}
	for name, write := range map[string]func() error{
		"checkpoint": func() error { return old.Checkpoint(ctx, "2", []byte("old"), job.Progress{PartsDone: 1}) },
		"beat":       func() error { return old.Beat(ctx) },
		"progress":   func() error { return old.SetProgress(ctx, func(p *job.Progress) { p.Bytes = 7 }) },
		"plan":       func() error { return old.SetPlan(ctx, pieces("old"), job.Progress{}) },
		"finish":     func() error { return old.Finish(ctx, job.Completed, "") },
	} {
		if err := write(); !errors.Is(err, job.ErrTermLost) {
			t.Errorf("%s: got %v, want ErrTermLost", name, err)
		}
	}
	got, err := l.Describe(ctx, store1, rec.ID)
	if err != nil || got.State != job.InProgress || got.Term != 2 || got.Owner != "new" || got.Planned || got.Progress != (job.Progress{PartsDone: 1}) {
		t.Fatalf("%+v %v", got, err)
	}
	if err := young.Finish(ctx, job.Completed, ""); err != nil {
		t.Fatal(err)
	}
	if err := young.Beat(ctx); !errors.Is(err, job.ErrTermLost) {
		t.Fatalf("a beat after the end: %v", err)
	}
}

func TestSetPlan_keepsLargePlansOnceForAll(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l := openLedger(t, memory(t))
	rec := enqueue(t, l, job.New{})
	run, err := l.Claim(ctx, kind, store1, "me", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range run.Plan(ctx) {
		wantKind(t, err, fault.NotFound, "no plan")
	}
	// A plan that breaks off does not show.
	broken := errors.New("broken")
	err = run.SetPlan(ctx, func(yield func([]byte, error) bool) {
		for range 6 {
			if !yield(make([]byte, kv.MaxValue), nil) {
				return
			}
		}
		yield(nil, broken)
	}, job.Progress{PartsTotal: 99})
	if !errors.Is(err, broken) || run.Planned() || run.Record().Progress.PartsTotal != 0 {
		t.Fatalf("broken plan: %v", err)
	}
	if err := run.SetPlan(ctx, pieces(strings.Repeat("x", kv.MaxValue+1)), job.Progress{}); !fault.Is(err, fault.TooLarge) {
		t.Fatalf("a piece over the limit: %v", err)
	}
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprint(i)+strings.Repeat("p", 50<<10))
	}
	if err := run.SetPlan(ctx, pieces(want...), job.Progress{PartsTotal: 300}); err != nil {
		t.Fatal(err)
	}
	err = run.SetPlan(ctx, pieces("other"), job.Progress{})
	wantKind(t, err, fault.Exists, "plan")
	if rec, err := l.Describe(ctx, store1, rec.ID); err != nil || !rec.Planned || rec.Progress.PartsTotal != 300 {
		t.Fatalf("%+v %v", rec, err)
	}
	var got []string
	for p, err := range l.Plan(ctx, rec.ID) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(p))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%d pieces, want %d, or other ones", len(got), len(want))
	}
}

func TestSetPlan_mayBeEmpty(t *testing.T) {
	t.Parallel()
	l := openLedger(t, memory(t))
	enqueue(t, l, job.New{})
	run, err := l.Claim(t.Context(), kind, store1, "me", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.SetPlan(t.Context(), pieces(), job.Progress{}); err != nil || !run.Planned() {
		t.Fatal(err)
	}
	for _, err := range run.Plan(t.Context()) {
		t.Fatal("a piece", err)
	}
}

func pieces(all ...string) func(func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		for _, p := range all {
			if !yield([]byte(p), nil) {
				return
			}
		}
	}
}
