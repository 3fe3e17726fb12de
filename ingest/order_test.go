package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"tarn/fhir/r4"
	"tarn/kv"
	"tarn/kv/kvtest"
)

// TestImport_theSameIDTwiceIsSettledByFileAndLine brings one id in several lines of several files, near and far apart,
// with the engine failing now and then: the versions are those lines in the order of the keys and of the lines.
func TestImport_theSameIDTwiceIsSettledByFileAndLine(t *testing.T) {
	t.Parallel()
	for _, others := range []int{0, 3000} { // with so many others each file is loaded, until the id is met again
		for every := range 4 {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var want []string
				for _, file := range []string{"a", "b", "b2", "c"} { // the keys' order
					var text strings.Builder
					for n := range 3 {
						family := fmt.Sprintf("%s-%d", file, n)
						want = append(want, family)
						fmt.Fprintf(&text, `{"resourceType":"Patient","id":"same","name":[{"family":%q}]}`+"\n", family)
						if n == 1 {
							text.WriteString("broken\n")
							for i := range others {
								text.WriteString(patient(fmt.Sprintf("%s-%d", file, i)))
							}
						}
					}
					w.cloud.set("in/"+file+".ndjson", text.String())
				}
				rec := w.start()
				w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
					switch {
					case every == 0 || one.N%(every+4) > 1:
						return kvtest.NoFault
					case one.N%(every+4) == 0:
						return kvtest.Before
					}
					return kvtest.After
				})
				w.work()
				w.faults.Hook(nil)
				v, err := w.data.Latest(t.Context())
				must(t, err)
				defer v.Close()
				code, _ := r4.CodeOf("Patient")
				last, err := v.Read(t.Context(), code, "same")
				must(t, err)
				if last.Number != uint64(len(want)) {
					t.Errorf("the last version is %d of %d", last.Number, len(want))
				}
				for n, family := range want {
					got, err := v.ReadVersion(t.Context(), code, "same", uint64(n+1))
					must(t, err)
					if !strings.Contains(string(got.Body), `"family":"`+family+`"`) {
						t.Errorf("version %d is %s, want %s", n+1, got.Body, family)
					}
				}
				n := 0
				for _, file := range []string{"a", "b", "b2", "c"} {
					for line := range strings.Lines(w.output(rec)["SUCCESS/"+file+".ndjson"]) {
						if strings.Contains(line, `"same"`) {
							if n++; !strings.Contains(line, fmt.Sprintf(`"versionId":"%d"`, n)) {
								t.Errorf("the log says %s, want version %d", line, n)
							}
						}
					}
				}
				if n != len(want) {
					t.Errorf("%d lines of %d are logged", n, len(want))
				}
			})
		}
	}
}

// rows are the keys of some tables of the data store.
func (w *world) rows(tables string) (all []string) {
	w.t.Helper()
	space, err := w.faults.Open(w.t.Context(), "ds-"+datastore)
	must(w.t, err)
	snap, err := space.Snapshot(w.t.Context())
	must(w.t, err)
	defer snap.Close()
	for _, table := range tables {
		it := snap.Scan(w.t.Context(), kv.Prefix([]byte{byte(table)}))
		for it.Next() {
			all = append(all, string(it.Key()))
		}
		must(w.t, it.Err())
		must(w.t, it.Close())
	}
	return all
}

// TestImport_loadsEachResourceAtVersionIDOneWithItsIndex lets each write of an import of new resources fail on both sides:
// each is there at versionId 1, and the search index is that of an import that nothing disturbed. The index is not put
// off: it comes with the resources or not at all.
func TestImport_loadsEachResourceAtVersionIDOneWithItsIndex(t *testing.T) {
	t.Parallel()
	life := func(t *testing.T, nth int, side kvtest.Fault) (rows []string, writes, loads int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var text strings.Builder
			for i := range 4200 {
				fmt.Fprintf(&text, `{"resourceType":"Patient","id":"p-%d","active":true,"name":[{"family":"f%d"}],"birthDate":"19%02d"}`+"\n", i, i%7, i%100)
			}
			w.cloud.set("in/a.ndjson", text.String())
			w.cloud.set("in/b.ndjson", strings.ReplaceAll(text.String(), "p-", "q-"))
			w.start()
			w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
				if one.Batch != nil && one.Batch.Sorted() != nil {
					loads++
				}
				if writes++; writes == nth {
					return side
				}
				return kvtest.NoFault
			})
			w.work()
			versions := w.versions()
			for id, number := range versions {
				if number != 1 {
					t.Errorf("write %d, side %v: %s has version %d", nth, side, id, number)
				}
			}
			if len(versions) != 8400 {
				t.Errorf("write %d, side %v: %d resources", nth, side, len(versions))
			}
			rows = w.rows("sfi")
		})
		return rows, writes, loads
	}
	calm, writes, loads := life(t, 0, kvtest.NoFault)
	if loads < 2 || len(calm) < 5*8400 {
		t.Fatalf("%d loads, %d rows", loads, len(calm))
	}
	for nth := 1; nth <= writes; nth++ {
		for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
			if rows, _, _ := life(t, nth, side); !slices.Equal(rows, calm) {
				t.Errorf("write %d, side %v: %d rows of the index, and %d in an undisturbed import", nth, side, len(rows), len(calm))
			}
		}
	}
}
