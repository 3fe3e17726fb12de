package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"tarn/job"
)

// Small lines that replace large resources: what they replace goes to history in the same transaction, which has a bound.
func TestImport_replacesManyLargeResourcesBySmallOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 600
	large := strings.Repeat("x", 60_000) // not kept apart by the store, so that 600 of them are 36 MB of rows
	var old, young strings.Builder
	for i := range n {
		fmt.Fprintf(&old, `{"resourceType":"Basic","id":"b-%d","code":{"text":"note"},"language":%q}`+"\n", i, large)
		fmt.Fprintf(&young, `{"resourceType":"Basic","id":"b-%d","code":{"text":"note"}}`+"\n", i)
		if i%100 == 50 {
			young.WriteString("broken\n")
		}
	}
	w.cloud.set("in/a.ndjson", old.String())
	first := w.start()
	w.work()
	if rec := w.describe(first); rec.State != job.Completed {
		t.Fatalf("%s: %s", rec.State, rec.Message)
	}
	w.cloud.set("in/a.ndjson", young.String())
	second := w.start()
	w.work()
	rec := w.describe(second)
	if rec.State != job.CompletedWithErrors || rec.Progress.Resources != n || rec.Progress.Failed != n/100 {
		t.Fatalf("%s: %s %+v", rec.State, rec.Message, rec.Progress)
	}
	for id, number := range w.versions() {
		if number != 2 {
			t.Errorf("%s has version %d, want 2", id, number)
		}
	}
	for name, text := range w.output(second) {
		if strings.Contains(name, "FAILURE") && strings.Count(text, "\n") != n/100 {
			t.Errorf("%s has %d lines, want %d", name, strings.Count(text, "\n"), n/100)
		}
	}
}

// A resource with more entries in the index than one transaction holds costs its line only.
func TestImport_refusesALineThatNoTransactionHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group := func(members int) string {
		var b strings.Builder
		b.WriteString(`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[`)
		for i := range members {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"entity":{"reference":"Patient/0f8fad5b-d9cb-469f-a165-7086%08d"}}`, i)
		}
		return b.String() + "]}\n"
	}
	w.cloud.set("in/a.ndjson", group(1)+patient("before"))
	w.start()
	w.work()
	w.cloud.set("in/a.ndjson", patient("one")+group(200_000)+patient("two"))
	rec := w.start()
	w.work()
	if got := w.describe(rec); got.State != job.CompletedWithErrors {
		t.Errorf("%s %q", got.State, got.Message)
	}
	if got := w.versions(); got["Patient/one"] != 1 || got["Patient/two"] != 1 || got["Group/g"] != 1 {
		t.Errorf("%v", got)
	}
	for name, text := range w.output(rec) {
		if strings.Contains(name, "FAILURE") && !strings.Contains(text, "413") {
			t.Errorf("%s: %.300s", name, text)
		}
	}
}
