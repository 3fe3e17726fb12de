package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

// world is a store over an engine whose writes can fail.
type world struct {
	t      *testing.T
	faulty *kvtest.Faulty
	space  kv.Space
	s      *store.Store
	c      *clock
}

func newWorld(t *testing.T) *world {
	inner, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	w := &world{t: t, faulty: kvtest.NewFaulty(inner), c: &clock{}}
	w.c.Store(1_700_000_000_000)
	w.space, err = w.faulty.Open(t.Context(), "ds-erase")
	must(t, err)
	w.s = open(w.space, w.c)
	t.Cleanup(func() {
		must(t, w.s.Close())
		must(t, inner.Close())
	})
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func parsed(t *testing.T, body []byte) fhir.Resource {
	t.Helper()
	r, err := fhir.NewParser(fhir.Limits{MaxBytes: 20 << 20}).Parse(body)
	must(t, err)
	return r
}

// put writes a version that holds the text, in its document and its index.
func (w *world) put(id, text string, size int) store.Result {
	w.t.Helper()
	r := document(types[2], 1, size)
	body := bytes.Replace(r.Bytes(), []byte(`"language":"1`), []byte(`"language":"`+text), 1)
	one := store.Write{Op: store.Put, Type: types[2], ID: id, Resource: parsed(w.t, body), Epoch: 1,
		Entries: []store.Entry{{Param: 1, Value: []byte(text)}, {Param: 2, Value: []byte("p" + strings.Repeat(text, 40))}}}
	w.c.Add(1)
	results, err := w.s.Commit(w.t.Context(), store.Transaction{Writes: []store.Write{one}})
	must(w.t, err)
	return results[0]
}

// holds names a row that has the text in it.
func (w *world) holds(text string) string { return kvtest.Holding(w.t, w.space, text) }

// TestErase_leavesNoByte erases resources that are live, deleted, large and made anew, and looks at every row.
func TestErase_leavesNoByte(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var places []store.Place
	names := []store.Name{}
	for i, size := range []int{0, 70 << 10, 1100 << 10, 0} {
		id := fmt.Sprintf("e%d", i)
		for n := range 3 {
			w.put(id, fmt.Sprintf("SECRET-%d", n), size)
		}
		if i == 3 {
			_, err := w.s.Commit(ctx, store.Transaction{Writes: []store.Write{{Op: store.Delete, Type: types[2], ID: id}}})
			must(t, err)
		}
		names = append(names, store.Name{Type: types[2], ID: id})
	}
	w.put("other", "KEPT", 0)
	results, err := w.s.Erase(ctx, store.Erasure{Resources: names})
	must(t, err)
	for _, r := range results {
		places = append(places, store.Place{Type: r.Type, Ordinal: r.Ordinal})
	}
	if w.holds("SECRET") == "" {
		t.Error("it was purged at once, though somebody may have pinned it")
	}
	again := w.put("e0", "ANEW", 0)
	if again.Number != 5 || again.Change != store.Created {
		t.Errorf("made anew: version %d, %v", again.Number, again.Change)
	}
	must(t, w.s.Purge(ctx, places, store.TxID(1<<62)))
	must(t, w.s.Purge(ctx, places, store.TxID(1<<62)))
	if row := w.holds("SECRET"); row != "" {
		t.Errorf("row %s still tells", row)
	}
	if w.holds("KEPT") == "" || w.holds("ANEW") == "" {
		t.Error("too much has gone")
	}
	results, err = w.s.Erase(ctx, store.Erasure{Resources: append(names[1:2:2], store.Name{Type: types[2], ID: "never"})})
	must(t, err)
	if results[0].Change != store.None || !results[0].Erased || results[1].Change != store.None || results[1].Number != 0 {
		t.Errorf("erased again: %+v", results)
	}
}

// TestErase_ofManyIsOneTransaction erases more than a batch could move.
func TestErase_ofManyIsOneTransaction(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var names []store.Name
	for from := 0; from < 2400; from += 240 {
		var writes []store.Write
		for i := range 240 {
			id := fmt.Sprintf("m%d", from+i)
			writes = append(writes, store.Write{Op: store.Put, Type: types[1], ID: id, Resource: document(types[1], i, 8<<10), Epoch: 1,
				Entries: []store.Entry{{Param: 1, Value: []byte(id)}}})
			names = append(names, store.Name{Type: types[1], ID: id})
		}
		_, err := w.s.Commit(ctx, store.Transaction{Writes: writes})
		must(t, err)
	}
	before, err := w.s.Head(ctx)
	must(t, err)
	results, err := w.s.Erase(ctx, store.Erasure{Resources: names})
	must(t, err)
	var places []store.Place
	for _, r := range results {
		if r.Tx != before.Tx+1 || r.Change != store.Deleted {
			t.Fatalf("%+v", r)
		}
		places = append(places, store.Place{Type: r.Type, Ordinal: r.Ordinal})
	}
	count := func(v *store.View, err error) (n int) {
		must(t, err)
		defer v.Close()
		scan := v.Scan(ctx, types[1], 0, store.End)
		for scan.Next() {
			n++
		}
		must(t, scan.Err())
		must(t, scan.Close())
		return n
	}
	if n := count(w.s.Pinned(ctx, before.Tx)); n != len(names) {
		t.Errorf("who has pinned it sees %d", n)
	}
	if n := count(w.s.At(ctx, before.Tx)); n != 0 {
		t.Errorf("others see %d", n)
	}
	must(t, w.s.Purge(ctx, places, store.TxID(1<<62)))
	if n := count(w.s.Pinned(ctx, before.Tx)); n != 0 {
		t.Errorf("after the purge it sees %d", n)
	}
}

// TestErase_failsOnBothSides fails every write of an erasure and its purge, and repeats what failed.
func TestErase_failsOnBothSides(t *testing.T) {
	t.Parallel()
	for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
		for nth := 1; ; nth++ {
			w, ctx := newWorld(t), t.Context()
			var names []store.Name
			for i := range 66 { // staged
				id := fmt.Sprintf("f%d", i)
				w.put(id, "SECRET", 0)
				w.put(id, "SECRET", 70<<10*(i%2))
				names = append(names, store.Name{Type: types[2], ID: id})
			}
			if side == kvtest.Before {
				w.faulty.FailBefore(nth)
			} else {
				w.faulty.FailAfter(nth)
			}
			once, visible := []byte("erasure/1"), 0
			erase := func() error {
				_, err := w.s.Erase(ctx, store.Erasure{Resources: names, Once: [][]byte{once}, Riders: []store.Rider{{Key: once, Value: []byte{1}}}})
				return err
			}
			for err := erase(); err != nil && !errors.Is(err, store.ErrDone); err = erase() {
				if !fault.Is(err, fault.Unavailable) {
					t.Fatal(err)
				}
				v, err := w.s.Latest(ctx)
				must(t, err)
				visible, err = v.Count(ctx, types[2])
				must(t, errors.Join(err, v.Close()))
				if visible != 0 && visible != len(names) {
					t.Fatalf("write %d, side %v: %d are visible", nth, side, visible)
				}
			}
			var places []store.Place
			for i := range names {
				places = append(places, store.Place{Type: types[2], Ordinal: store.Ordinal(i)})
			}
			for w.s.Purge(ctx, places, store.TxID(1<<62)) != nil {
			}
			if row := w.holds("SECRET"); row != "" {
				t.Fatalf("write %d, side %v: row %s still tells", nth, side, row)
			}
			head, err := w.s.Head(ctx)
			must(t, err)
			if head.Tx != store.TxID(2*len(names)+1) {
				t.Errorf("write %d, side %v: the head is %d", nth, side, head.Tx)
			}
			if w.faulty.Writes() < nth {
				break
			}
			nth += nth / 2 // not each of the many steps of the purge
		}
	}
}

// TestTrim_ofManyVersionsNeverLies removes thousands of versions of one resource with a fault at each write: what is read
// as of any transaction is what was there then, or is said to be removed.
func TestTrim_ofManyVersionsNeverLies(t *testing.T) {
	t.Parallel()
	for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
		for nth := 1; nth <= 2; nth++ {
			w, ctx := newWorld(t), t.Context()
			const n = 2600
			for from := 0; from < n; from += 50 { // groups would merge them; a transaction each
				for i := range 50 {
					_, err := w.s.Commit(ctx, store.Transaction{Bulk: true, Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "x", Resource: document(types[0], from+i+1, 0)}}})
					must(t, err)
				}
			}
			if side == kvtest.Before {
				w.faulty.FailBefore(nth)
			} else {
				w.faulty.FailAfter(nth)
			}
			check := func() {
				t.Helper()
				for tx := store.TxID(1); tx <= n; tx += 37 {
					v, err := w.s.At(ctx, tx)
					must(t, err)
					got, err := v.Read(ctx, types[0], "x")
					if err == nil && (got.Number != uint64(tx) || tx < n-100 && nth == 0) || err != nil && !errors.Is(err, store.ErrRemoved) || err != nil && tx >= n-100 {
						t.Fatalf("side %v: as of %d: version %d, %v", side, tx, got.Number, err)
					}
					must(t, v.Close())
				}
			}
			for done := false; !done; {
				next, _, err := w.s.Trim(ctx, store.Keep{Horizon: n - 100}, store.Place{})
				if err != nil && !fault.Is(err, fault.Unavailable) {
					t.Fatal(err)
				}
				check()
				done = err == nil && next == store.Place{}
			}
			v, err := w.s.Latest(ctx)
			must(t, err)
			versions := 0
			for _, err := range v.History(ctx, types[0], "x", 0) {
				must(t, err)
				versions++
			}
			if versions != 101 {
				t.Errorf("%d versions are left", versions)
			}
			if _, err := v.ReadVersion(ctx, types[0], "x", 7); !fault.Is(err, fault.Gone) || !strings.Contains(fault.Message(err), "removed") {
				t.Errorf("version 7: %v", err)
			}
			must(t, v.Close())
		}
	}
}

// TestErase_refusesWhatIsNoLongerAsItWasSeen erases resources some of which have got another version.
func TestErase_refusesWhatIsNoLongerAsItWasSeen(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	var names []store.Name
	for i := range 4 {
		r := w.put(fmt.Sprintf("s%d", i), "SEEN", 0)
		names = append(names, store.Name{Type: types[2], ID: r.ID, Tx: r.Tx})
	}
	again := w.put("s1", "AGAIN", 0)
	_, err := w.s.Commit(ctx, store.Transaction{Writes: []store.Write{{Op: store.Delete, Type: types[2], ID: "s3"}}})
	must(t, err)
	_, err = w.s.Erase(ctx, store.Erasure{Resources: names})
	var changed *store.ChangedError
	if !errors.As(err, &changed) || !fault.Is(err, fault.Conflict) || fmt.Sprint(changed.Resources) != "[1 3]" {
		t.Errorf("%v, %+v", err, changed)
	}
	names[1].Tx, names[3].Tx = again.Tx, 0
	results, err := w.s.Erase(ctx, store.Erasure{Resources: names})
	must(t, err)
	for _, r := range results {
		if r.Change != store.Deleted || r.Tx != again.Tx+2 {
			t.Errorf("%+v", r)
		}
	}
}

// TestPurge_ofWhatWasErasedAgain purges the first of two erasures, while somebody has pinned what stood between them.
func TestPurge_ofWhatWasErasedAgain(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), t.Context()
	erase := func() (store.Place, store.TxID) {
		results, err := w.s.Erase(ctx, store.Erasure{Resources: []store.Name{{Type: types[2], ID: "e"}}})
		must(t, err)
		return store.Place{Type: types[2], Ordinal: results[0].Ordinal}, results[0].Tx
	}
	w.put("e", "FIRST", 0)
	w.put("e", "FIRST", 0)
	place, first := erase()
	between := w.put("e", "SECOND", 0)
	_, second := erase()
	w.put("e", "THIRD", 0)
	must(t, w.s.Purge(ctx, []store.Place{place}, first))
	if row := w.holds("FIRST"); row != "" {
		t.Errorf("row %s still tells of what the first erased", row)
	}
	v, err := w.s.Pinned(ctx, between.Tx)
	must(t, err)
	if got, err := v.Read(ctx, types[2], "e"); err != nil || got.Number != between.Number {
		t.Errorf("what stood between: version %d, %v", got.Number, err)
	}
	must(t, v.Close())
	must(t, w.s.Purge(ctx, []store.Place{place}, second))
	if w.holds("SECOND") != "" || w.holds("THIRD") == "" {
		t.Error("after the second purge", w.holds("SECOND"), w.holds("THIRD"))
	}
}
