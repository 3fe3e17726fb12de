package faults_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"tarn/export"
	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv/kvtest"
)

// fill stores what exports show: one type over a file's bound, and three small ones.
func (h *house) fill() {
	h.t.Helper()
	h.put("Patient", "p", 5010)
	h.put("Basic", "b", 20)
	h.put("Organization", "o", 3)
	h.put("Observation", "x", 100)
}

var jobNumber = regexp.MustCompile(`-\d+-(\d+-\d+\.ndjson)$`)

// exported are the files of an export, but for the number in their names that is the job's.
func (h *house) exported(rec job.Record) map[string]string {
	h.t.Helper()
	all := map[string]string{}
	for name, text := range h.below("out/" + export.Folder(h.data.ID, rec.ID)) {
		if name != export.ManifestName {
			all[jobNumber.ReplaceAllString(name, "-N-$1")] = text
		}
	}
	return all
}

// whole demands that an export is COMPLETED, has the files of another one, and is what the data store says it must be.
func (h *house) whole(what string, rec job.Record, want map[string]string) {
	h.t.Helper()
	if got := h.describe(rec); got.State != job.Completed {
		h.t.Errorf("%s: %s: %s", what, got.State, got.Message)
		return
	}
	if got := h.exported(rec); !maps.Equal(got, want) {
		h.t.Errorf("%s: the files are %v, or their bytes are others than those of the undisturbed export, %v", what, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	folder := h.below("out/" + export.Folder(h.data.ID, rec.ID))
	m, err := export.ParseManifest([]byte(folder[export.ManifestName]))
	if err != nil {
		h.t.Errorf("%s: %v", what, err)
		return
	}
	n := 0
	_, err = h.exports.Digests(h.t.Context(), h.data.ID, rec.ID, func(f export.File) error {
		if n >= len(m.Output) || m.Output[n] != f {
			h.t.Errorf("%s: the manifest does not say of %s what the data store says", what, f.Name)
		}
		n++
		return nil
	})
	if err != nil || n != len(m.Output) {
		h.t.Errorf("%s: %d digests for %d files, %v", what, n, len(m.Output), err)
	}
}

// once counts the jobs of a token.
func (h *house) once(what string, kind job.Kind, rec job.Record, before int) {
	h.t.Helper()
	page, err := h.ledger.List(h.t.Context(), job.ListFilter{Datastore: h.data.ID, Kind: kind})
	must(h.t, err)
	if len(page.Jobs) != before+1 && len(page.Jobs) < 100 {
		h.t.Errorf("%s: %d jobs of a kind, want %d", what, len(page.Jobs), before+1)
	}
}

// TestExport_isTheSameAfterAFaultAtEveryWriteOfTheEngine lets each write, from the call that starts the job to its end,
// fail before and after it took effect.
func TestExport_isTheSameAfterAFaultAtEveryWriteOfTheEngine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.fill()
		h.writes.Hook(nil)
		calm := h.startExport("calm")
		h.run()
		writes := h.writes.Writes()
		want := h.exported(calm)
		h.whole("undisturbed", calm, want)
		if writes < 15 || len(want) != 5 {
			t.Fatalf("%d writes, %d files", writes, len(want))
		}
		t.Logf("%d writes, each on two sides", writes)
		jobs := 1
		for n := 1; n <= writes; n++ {
			for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
				what := fmt.Sprintf("write %d of %d, side %d", n, writes, side)
				h.writes.Hook(func(w kvtest.Write) kvtest.Fault {
					if w.N == n {
						return side
					}
					return kvtest.NoFault
				})
				rec := h.startExport(what)
				h.run()
				if h.writes.Writes() < n {
					t.Errorf("%s: only %d writes", what, h.writes.Writes())
				}
				h.writes.Hook(nil)
				h.whole(what, rec, want)
				h.once(what, export.Kind, rec, jobs)
				jobs++
			}
		}
	})
}

func TestExport_isTheSameAfterAFaultAtEveryPut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.fill()
		h.puts.Hook(nil)
		calm := h.startExport("calm")
		h.run()
		puts := h.puts.Puts()
		want := h.exported(calm)
		for n := 1; n <= puts; n++ {
			for side, fail := range []func(int){h.puts.FailBefore, h.puts.FailAfter} {
				what := fmt.Sprintf("put %d of %d, side %d", n, puts, side)
				fail(n)
				rec := h.startExport(what)
				h.run()
				if h.puts.Puts() < puts+1 {
					t.Errorf("%s: %d puts; the failed one was not done again", what, h.puts.Puts())
				}
				h.whole(what, rec, want)
			}
		}
	})
}

// input puts what an import reads below in/NAME/: good lines and bad ones in three files.
func (h *house) input(name string) {
	h.t.Helper()
	for _, kind := range []string{"Patient", "Organization", "Basic"} {
		var b strings.Builder
		for i := range h.lines(kind) {
			switch {
			case i%20 == 7:
				b.WriteString("broken\n")
			case kind == "Basic":
				fmt.Fprintf(&b, `{"resourceType":"Basic","id":"%s-%d","code":{"text":"x"}}`+"\n", name, i)
			default:
				fmt.Fprintf(&b, `{"resourceType":%q,"id":"%s-%d","active":true,"name":%s}`+"\n", kind, name, i, map[string]string{"Patient": `[{"family":"x"}]`, "Organization": `"x"`}[kind])
			}
		}
		h.upload("in/"+name+"/"+kind+".ndjson", b.String())
	}
}

// lines is how many an input has of a type.
func (h *house) lines(kind string) int {
	if kind == "Patient" {
		return h.patients
	}
	return few
}

// imported is all that an import left: its state and progress, its logs, and the versions of its resources.
func (h *house) imported(rec job.Record, name string) string {
	h.t.Helper()
	got := h.describe(rec)
	var all []string
	for file, text := range h.below("log/" + ingest.Folder(h.data.ID, rec.ID)) {
		all = append(all, file+": "+strings.NewReplacer(rec.ID, "JOB", name, "NAME").Replace(text))
	}
	slices.Sort(all)
	s, err := h.catalog.Store(h.t.Context(), h.data.ID)
	must(h.t, err)
	v, err := s.Latest(h.t.Context())
	must(h.t, err)
	defer v.Close()
	for _, kind := range []string{"Patient", "Organization", "Basic"} {
		var numbers []uint64
		for i := range h.lines(kind) {
			version, err := v.Read(context.Background(), codeOf(kind), fmt.Sprintf("%s-%d", name, i))
			if fault.Is(err, fault.NotFound) {
				continue
			}
			must(h.t, err)
			numbers = append(numbers, version.Number)
		}
		all = append(all, fmt.Sprint(kind, numbers))
	}
	return fmt.Sprintf("%s %s %+v\n%s", got.State, got.Message, got.Progress, strings.Join(all, "\n"))
}

// isLoad reports whether a write is one of sorted bulk data, past the engine's log.
func isLoad(w kvtest.Write) bool { return w.Batch == nil || w.Batch.Sorted() != nil }

// TestImport_isTheSameAfterAFaultAtEveryWriteOfTheEngine is that of exports for imports: of one that commits all, and of
// one that loads its largest file.
func TestImport_isTheSameAfterAFaultAtEveryWriteOfTheEngine(t *testing.T) {
	t.Parallel()
	for _, lines := range []int{few, many} {
		t.Run(fmt.Sprint(lines), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.patients = lines
				h.input("n0000")
				loads := 0
				h.writes.Hook(func(w kvtest.Write) kvtest.Fault {
					if isLoad(w) {
						loads++
					}
					return kvtest.NoFault
				})
				calm := h.startImport("n0000")
				h.run()
				writes := h.writes.Writes()
				want := h.imported(calm, "n0000")
				if !strings.HasPrefix(want, "COMPLETED_WITH_ERRORS") || strings.Count(want, "1 1 1") < 3 || (loads > 0) != (lines == many) {
					t.Fatalf("undisturbed, %d loads: %s", loads, want)
				}
				loads = 0 // from here on: at which a fault was
				for n := 1; n <= writes; n++ {
					for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
						name, hit := fmt.Sprintf("n%03d%d", n, side), false
						h.input(name)
						h.writes.Hook(func(w kvtest.Write) kvtest.Fault {
							if w.N != n {
								return kvtest.NoFault
							}
							hit = true
							if isLoad(w) {
								loads++
							}
							return side
						})
						rec := h.startImport(name)
						h.run()
						h.writes.Hook(nil)
						if !hit {
							t.Errorf("write %d of %d, side %d: the import has fewer writes, and nothing failed", n, writes, side)
						}
						if got := h.imported(rec, name); got != want {
							t.Errorf("write %d of %d, side %d:\n%s\nwant\n%s", n, writes, side, got, want)
						}
					}
				}
				if (loads >= 2) != (lines == many) {
					t.Errorf("%d faults were at a load", loads)
				}
				t.Logf("%d writes, each on two sides; %d faults were at a load", writes, loads)
			})
		})
	}
}
