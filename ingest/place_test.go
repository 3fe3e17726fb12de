package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"tarn/fault"
	"tarn/fhir"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

// fill gives a world three files: good and bad lines, an empty one, one with blank lines at its end.
func (w *world) fill() {
	var a strings.Builder
	for i := range 40 {
		a.WriteString(patient(fmt.Sprintf("a-%d", i)))
		if i%10 == 3 {
			a.WriteString("broken\n")
		}
	}
	w.cloud.set("in/a.ndjson", a.String()+patient("a-0"))
	w.cloud.set("in/b.ndjson", "")
	w.cloud.set("in/c.ndjson", patient("c-1")+"\n\n  \n")
	w.cloud.set("in/d.ndjson", patient("d-1"))
	w.cloud.set("in/d.ndjson.bak", patient("no-input"))
	// The logs of an earlier import into the same folder are no input.
	w.cloud.set("in/log/"+ingest.Folder(datastore, strings.Repeat("9", 32))+"FAILURE/a.ndjson", patient("no-input-either"))
}

// outcome is all that an import left.
type outcome struct {
	rec      job.Record
	versions map[string]uint64
	output   map[string]string
}

func (o outcome) String() string {
	return asJSON([]any{o.rec.State, o.rec.Message, o.rec.Progress, o.versions, o.output})
}

func (w *world) outcome(rec job.Record) outcome {
	return outcome{w.describe(rec), w.versions(), w.output(rec)}
}

// TestImport_isTheSameAfterAFaultAtEveryWrite lets each write of the engine fail, before and after it took effect, with
// and without a restart behind it: no line is applied twice or left out, and the logs have the same bytes.
func TestImport_isTheSameAfterAFaultAtEveryWrite(t *testing.T) {
	var calm outcome
	writes := 0
	life := func(t *testing.T, nth int, side kvtest.Fault) (o outcome, n int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.fill()
			rec := w.start()
			w.faults.Hook(func(kvtest.Write) kvtest.Fault {
				if n++; n == nth {
					return side
				}
				return kvtest.NoFault
			})
			w.work()
			o = w.outcome(rec)
			if left := w.riders(); left > 0 {
				t.Errorf("%d pieces of logs are left", left)
			}
		})
		return o, n
	}
	calm, writes = life(t, 0, kvtest.NoFault)
	if calm.rec.State != job.CompletedWithErrors || calm.versions["Patient/a-0"] != 2 || len(calm.versions) != 42 || strings.Count(calm.output["FAILURE/a.ndjson"], "\n") != 4 {
		t.Fatalf("undisturbed: %v", calm)
	}
	if writes < 8 {
		t.Fatalf("only %d writes", writes)
	}
	for nth := 1; nth <= writes; nth++ {
		for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
			if got, _ := life(t, nth, side); got.String() != calm.String() {
				t.Errorf("write %d, side %v:\n%v\nwant\n%v", nth, side, got, calm)
			}
		}
	}
}

func TestImport_isTheSameAfterAFaultAtEveryPut(t *testing.T) {
	t.Parallel()
	boom := fault.Errorf(fault.Unavailable, "test", "boom")
	life := func(nth int, after bool) (o outcome, n int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.fill()
			rec := w.start()
			var mu sync.Mutex
			w.cloud.onPut = func(string) (error, error) {
				mu.Lock()
				defer mu.Unlock()
				switch n++; {
				case n != nth:
					return nil, nil
				case after:
					return nil, boom
				}
				return boom, nil
			}
			w.work()
			o = w.outcome(rec)
		})
		return o, n
	}
	calm, puts := life(0, false)
	if puts != 5 {
		t.Fatalf("%d puts, want logs of a, c and d, and a manifest", puts)
	}
	for nth := 1; nth <= puts; nth++ {
		for _, after := range []bool{false, true} {
			if got, _ := life(nth, after); got.String() != calm.String() {
				t.Errorf("put %d (after: %v):\n%v\nwant\n%v", nth, after, got, calm)
			}
		}
	}
}

func TestImport_refusesInputThatIsNoLongerWhatWasPlanned(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"longer":                  func(w *world) { w.cloud.set("in/b.ndjson", patient("b-1")+patient("b-2")) },
		"shorter":                 func(w *world) { w.cloud.set("in/b.ndjson", "{}") },
		"other bytes of one size": func(w *world) { w.cloud.set("in/b.ndjson", patient("b-9")) },
		"deleted":                 func(w *world) { w.cloud.remove("in/b.ndjson") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.cloud.set("in/a.ndjson", patient("a-1"))
				w.cloud.set("in/b.ndjson", patient("b-1"))
				rec := w.start()
				w.cloud.onGet = func(key string) {
					if key == "in/a.ndjson" { // the plan is made
						change(w)
					}
				}
				w.work()
				got := w.describe(rec)
				if got.State != job.Failed || !strings.Contains(got.Message, "in/b.ndjson was changed or deleted") || !strings.Contains(got.Message, "Import it again") {
					t.Errorf("%s: %s", got.State, got.Message)
				}
				if v := w.versions(); len(v) != 1 || got.Progress.Files != 1 || got.Progress.FilesTotal != 2 {
					t.Errorf("applied %v, progress %+v", v, got.Progress)
				}
			})
		})
	}
}

func TestImport_readsAgainWhatBrokeOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.set("in/a.ndjson", patient("a-1")+patient("a-2"))
		w.cloud.cutGet = len(patient("a-2"))
		rec := w.start()
		w.work()
		if got := w.describe(rec); got.State != job.Completed || got.Progress.Resources != 2 {
			t.Errorf("%s %s %+v", got.State, got.Message, got.Progress)
		}
		if v := w.versions(); v["Patient/a-1"] != 1 || v["Patient/a-2"] != 1 {
			t.Errorf("%v", v)
		}
	})
}

// TestImport_thatIsCancelledOrFailsSaysWhatItDid ends a job while it writes a log: what it had applied stays, logs and
// manifest say what that is, and nothing that was kept for them is left.
func TestImport_thatIsCancelledOrFailsSaysWhatItDid(t *testing.T) {
	t.Parallel()
	for _, cancel := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.fill()
			rec := w.start()
			var mu sync.Mutex
			once := false
			w.cloud.onPut = func(key string) (error, error) {
				mu.Lock()
				defer mu.Unlock()
				if !strings.HasSuffix(key, "SUCCESS/a.ndjson") || once {
					return nil, nil
				}
				once = true
				if w.riders() == 0 {
					t.Error("no pieces yet")
				}
				if cancel {
					_, err := w.ledger.Cancel(t.Context(), datastore, rec.ID)
					must(t, err)
					return context.Canceled, nil
				}
				return fault.Errorf(fault.Denied, "test", "not authorized to perform s3:PutObject"), nil
			}
			w.work()
			got := w.describe(rec)
			if want := map[bool]job.State{true: job.CancelCompleted, false: job.Failed}[cancel]; got.State != want {
				t.Errorf("%s %s, want %s", got.State, got.Message, want)
			}
			if left := w.riders(); left > 0 {
				t.Errorf("%s leaves %d pieces", got.State, left)
			}
			versions, logs := w.versions(), w.output(rec)
			lines := 0
			for name, text := range logs {
				if strings.HasPrefix(name, "SUCCESS/") {
					lines += strings.Count(text, "\n")
				}
			}
			var m struct {
				Imported int64 `json:"numberOfResourcesImportedSuccessfully"`
				Failed   int64 `json:"numberOfResourcesWithCustomerError"`
			}
			must(t, json.Unmarshal([]byte(logs["manifest.json"]), &m))
			// a-0 stands in two lines.
			if n := int64(len(versions)) + 1; n < 41 || got.Progress.Resources != n || int64(lines) != n || m.Imported != n || m.Failed != 4 {
				t.Errorf("%s: %d resources stay, %d lines of logs, manifest %+v, progress %+v", got.State, len(versions), lines, m, got.Progress)
			}
			if strings.Count(logs["FAILURE/a.ndjson"], "\n") != 4 {
				t.Errorf("%s: %q", got.State, logs["FAILURE/a.ndjson"])
			}
		})
	}
}

// TestImport_boundsWhatItTellsOfFailures feeds lines that fail with as many words as they can.
func TestImport_boundsWhatItTellsOfFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var text strings.Builder
	const n = 1200
	for i := range n {
		fmt.Fprintf(&text, `{"resourceType":"Patient","id":"x","%s%d":1,"%s%d":{"resourceType":"\u0007%s"}}`+"\n",
			strings.Repeat("é", 3000), i, strings.Repeat("<", 300), i, strings.Repeat("z", 5000))
		fmt.Fprintf(&text, `{"resourceType":"%s"}`+"\n", strings.Repeat("Q\\u0007", 900))
		fmt.Fprintf(&text, `{"resourceType":"Patient","id":"%s"}`+"\n", strings.Repeat("i", 9000))
		fmt.Fprintf(&text, `{"%[1]s":1,"%[1]s":2}`+"\n", strings.Repeat("d", 4000))
	}
	w.cloud.set("in/bad.ndjson", text.String())
	rec := w.start()
	w.work()
	got := w.describe(rec)
	if got.State != job.CompletedWithErrors {
		t.Fatalf("%s: %s", got.State, got.Message)
	}
	log := w.output(rec)["FAILURE/bad.ndjson"]
	if int64(strings.Count(log, "\n")) != got.Progress.Failed || got.Progress.Failed < 3*n {
		t.Errorf("the log has %d lines, %d failed", strings.Count(log, "\n"), got.Progress.Failed)
	}
	for line := range strings.Lines(log) {
		if len(line) > 20_000 {
			t.Fatalf("a line of the log has %d bytes: %.200s", len(line), line)
		}
	}
	if !maps.Equal(w.versions(), map[string]uint64{}) && len(w.versions()) > 1 {
		t.Errorf("%v", w.versions())
	}
}

func TestFailure_isShortAndValidWhateverTheErrorSays(t *testing.T) {
	t.Parallel()
	var issues []fhir.Issue
	for range 100 {
		issues = append(issues, fhir.Issue{Severity: "error", Code: "invalid", Diagnostics: strings.Repeat("\xff\x00é", 9999), Expression: []string{strings.Repeat("x", 9999)}})
	}
	text := ingest.FailureTextForTest(7, fhir.NewOutcomeError(fault.Invalid, "test", issues...))
	var line struct{ LineID int64 }
	if err := json.Unmarshal(text, &line); err != nil || line.LineID != 7 || len(text) > 100_000 || strings.Count(string(text), "\n") != 1 {
		t.Errorf("%d bytes, line %d: %v", len(text), line.LineID, err)
	}
}

// A line over the bound is refused alone, and the bound is named.
func TestImport_tellsHowLongALineMayBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.set("in/long.ndjson", `{"resourceType":"Binary","id":"long","data":"`+strings.Repeat("A", store.MaxDocument)+"\"}\n"+`{"resourceType":"Patient","id":"short"}`+"\n")
	rec := w.start()
	w.work()
	if got := w.describe(rec); got.State != job.CompletedWithErrors || got.Progress.Failed != 1 {
		t.Errorf("%s, %d failed: %s", got.State, got.Progress.Failed, got.Message)
	}
	if log := w.output(rec)["FAILURE/long.ndjson"]; !strings.Contains(log, `"lineId":1`) || !strings.Contains(log, fmt.Sprint(store.MaxDocument)) {
		t.Errorf("the log says %q", log)
	}
}
