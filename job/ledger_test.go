package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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
