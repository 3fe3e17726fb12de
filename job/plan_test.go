package job_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

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
