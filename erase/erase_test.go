package erase_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fault"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

// family fills a data store: a patient with what is theirs alone, and what is not.
func (w *world) family() (left int) {
	w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive"}]}`)
	w.put(`{"resourceType":"Patient","id":"p1","name":[{"family":"Secretive","given":["Secretive"]}]}`)
	w.put(`{"resourceType":"Patient","id":"p2","name":[{"family":"Other"}],"link":[{"other":{"reference":"Patient/p1"},"type":"seealso"}]}`)
	for i := range 70 {
		w.put(fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","status":"final","code":{"text":"secretive"},"subject":{"reference":"Patient/p1"}}`, i))
		w.put(fmt.Sprintf(`{"resourceType":"Observation","id":"other%d","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p2"}}`, i))
	}
	w.put(`{"resourceType":"Condition","id":"c","code":{"text":"secretive"},"subject":{"reference":"Patient\/p1"}}`)
	w.delete("Condition", "c")
	w.put(`{"resourceType":"Condition","id":"esc","code":{"text":"secretive"},"subject":{"reference":"Patient/\u0070\u0031"}}`)
	w.delete("Condition", "esc")
	w.put(`{"resourceType":"Practitioner","id":"dr"}`)
	w.put(`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}},{"entity":{"reference":"Patient/p2"}}]}`)
	return 1 + 70 + 2
}

func request(compartment bool) erase.Request {
	return erase.Request{Datastore: datastore, Type: patient, ID: "p1", Compartment: compartment, Base: "http://tarn.test/r4"}
}

// TestErasure_isWholeAfterAFaultAtEveryWrite erases a compartment while each write fails on both sides.
func TestErasure_isWholeAfterAFaultAtEveryWrite(t *testing.T) {
	t.Parallel()
	life := func(t *testing.T, nth int, side kvtest.Fault) (writes int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			left := w.family()
			all := w.live()
			w.faults.Hook(func(kvtest.Write) kvtest.Fault {
				if writes++; writes == nth {
					return side
				}
				return kvtest.NoFault
			})
			id, _, err := w.svc.Start(t.Context(), request(true))
			if err != nil { // whether it was taken nobody knows: it is asked for again
				if id, _, err = w.svc.Start(t.Context(), request(true)); err != nil {
					t.Fatal(err)
				}
			}
			if n := w.live(); n != all && n != left {
				t.Errorf("write %d, side %v: %d are visible", nth, side, n)
			}
			p := w.until(t.Context(), id, erase.Done)
			if p.State != erase.Done {
				t.Fatalf("write %d, side %v: %+v", nth, side, p)
			}
			if n := w.live(); n != left {
				t.Errorf("write %d, side %v: %d are left, not %d", nth, side, n, left)
			}
			if row := w.holds("secretive"); row != "" {
				t.Errorf("write %d, side %v: row %s still tells", nth, side, row)
			}
			if nth == 0 {
				counts := p.Counts()
				if counts["Observation"] != 70 || counts["Condition"] != 2 || counts["Patient"] != 1 || len(counts) != 3 || !slices.Equal(p.Records[0].Kept, []string{"Group/g"}) {
					t.Errorf("%+v", p)
				}
			}
		})
		return writes
	}
	writes := life(t, 0, kvtest.NoFault)
	for nth := 1; nth <= writes; nth++ {
		for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
			life(t, nth, side)
		}
	}
}

// TestErasure_goesOnWhereItWasStopped ends the process at every third write of the data store, which is then not made.
func TestErasure_goesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		left := w.family()
		all := w.live()
		id, _, err := w.svc.Start(t.Context(), request(true))
		must(t, err)
		lives := 0
		for ; lives < 100; lives++ {
			ctx, stop := context.WithCancel(t.Context())
			writes := 0
			w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
				if one.Space != "system" {
					if writes++; writes == 3 {
						stop()
					}
				}
				return kvtest.NoFault
			})
			w.svc = erase.New(w.o) // it remembers nothing
			p := w.until(ctx, id, erase.Done)
			stop()
			if n := w.live(); n != all && n != left {
				t.Fatalf("after %d lives %d are visible", lives, n)
			}
			if p.State == erase.Done {
				break
			}
		}
		if lives < 2 {
			t.Errorf("it was stopped %d times only", lives)
		}
		if row := w.holds("secretive"); row != "" || w.live() != left {
			t.Errorf("row %s still tells; %d are left", row, w.live())
		}
	})
}

// TestPurge_waitsForWhoHasPinned erases beside an export: what it reads stays until it ends, or for as long as is allowed.
func TestPurge_waitsForWhoHasPinned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.family()
		head, err := w.data.Head(t.Context())
		must(t, err)
		w.pins["export-1"], w.pins["later"] = head.Tx, head.Tx+1000
		id, state, err := w.svc.Start(t.Context(), request(false))
		if must(t, err); state != erase.Hidden {
			t.Errorf("it is said to be %s", state)
		}
		if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Hidden {
			t.Errorf("at once: %+v, %v", p, err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		p := w.until(ctx, id, erase.Done)
		stop()
		if p.State != erase.Hidden || !slices.Equal(p.HeldUpBy, []string{"export-1"}) || time.Until(p.Until) > 23*time.Hour || w.holds("secretive") == "" {
			t.Errorf("after an hour: %+v", p)
		}
		v, err := w.data.Pinned(t.Context(), head.Tx)
		must(t, err)
		if _, err := v.Read(t.Context(), patient, "p1"); err != nil {
			t.Errorf("who has pinned it reads %v", err)
		}
		must(t, v.Close())
		began := time.Now()
		if p = w.until(t.Context(), id, erase.Done); p.State != erase.Done || time.Since(began) > 24*time.Hour {
			t.Errorf("after a day: %+v", p)
		}
		if len(w.abandoned) != 1 || !strings.Contains(w.abandoned["export-1"], id) || len(w.discarded) == 0 {
			t.Errorf("ended: %v, files given up: %v", w.abandoned, w.discarded)
		}
		w.put(`{"resourceType":"Patient","id":"p1"}`) // made anew, it stays whatever is done again
		w.svc = erase.New(w.o)
		if more, err := w.svc.Purge(t.Context(), datastore); more || err != nil {
			t.Error(more, err)
		}
		v, err = w.data.Latest(t.Context())
		must(t, err)
		if got, err := v.Read(t.Context(), patient, "p1"); err != nil || got.Number != 4 {
			t.Errorf("made anew: %d, %v", got.Number, err)
		}
		must(t, v.Close())
	})
}

func TestStatus_ofWhatIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, _, err := w.svc.Start(t.Context(), request(false)); !fault.Is(err, fault.NotFound) {
		t.Errorf("erasing what never was: %v", err)
	}
	rec, _, err := w.ledger.Enqueue(t.Context(), job.New{Kind: "other", Datastore: datastore})
	must(t, err)
	for _, id := range []string{rec.ID, "x", datastore} {
		if _, err := w.svc.Status(t.Context(), datastore, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestParseRetention(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]erase.Retention{"": {}, "all": {}, "30d": {Age: 720 * time.Hour}, "1": {Versions: 1}, "10": {Versions: 10}} {
		if got, err := erase.ParseRetention(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "0d", "-1", "30h", "d", "70000", "10 versions"} {
		if _, err := erase.ParseRetention(text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestTrim_keepsADayAndWhatIsPinned makes a version each day and trims.
func TestTrim_keepsADayAndWhatIsPinned(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		keep erase.Retention
		pin  int // version that is pinned; 0: none
		left int
	}{
		{erase.Retention{Age: 72 * time.Hour}, 0, 3}, // what was current within three days
		{erase.Retention{Age: time.Hour}, 0, 1},
		{erase.Retention{Versions: 5}, 0, 5},
		{erase.Retention{Versions: 1}, 0, 1},
		{erase.Retention{Versions: 1}, 4, 7},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for day := range 10 {
				w.put(fmt.Sprintf(`{"resourceType":"Patient","id":"p","birthDate":"2000-01-%02d"}`, day+1))
				time.Sleep(24 * time.Hour)
			}
			w.put(`{"resourceType":"Basic","id":"x","code":{"text":"x"}}`)
			if tt.pin > 0 {
				w.pins["export"] = store.TxID(tt.pin)
			}
			w.o.Keep = tt.keep
			w.svc = erase.New(w.o)
			n, err := w.svc.Trim(t.Context(), datastore)
			must(t, err)
			v, err := w.data.Latest(t.Context())
			must(t, err)
			left := 0
			for _, err := range v.History(t.Context(), patient, "p", 0) {
				must(t, err)
				left++
			}
			must(t, v.Close())
			if left != tt.left || n != 10-left {
				t.Errorf("%+v, pinned %d: %d left, %d removed; want %d", tt.keep, tt.pin, left, n, tt.left)
			}
		})
	}
}

// TestPurge_followsWhatIsHiddenWhileItLooks hides another resource when the keeper has just read what there is to purge.
func TestPurge_followsWhatIsHiddenWhileItLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		w.put(`{"resourceType":"Patient","id":"p2"}`)
		first, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		var second string
		w.looking = sync.OnceFunc(func() {
			another := request(false)
			another.ID = "p2"
			var err error
			second, _, err = w.svc.Start(t.Context(), another)
			must(t, err)
			for w.live() > 0 {
				time.Sleep(time.Second)
			}
		})
		defer w.run(t.Context())()
		for range 1000 {
			time.Sleep(7 * time.Second)
			p, err := w.svc.Status(t.Context(), datastore, first)
			must(t, err)
			if p.State != erase.Done {
				continue
			}
			p, err = w.svc.Status(t.Context(), datastore, second)
			must(t, err)
			if p.State == erase.Done {
				return
			}
		}
		t.Error("what was hidden while the keeper looked is never purged")
	})
}

// TestPurge_givesUpTheFilesOfEachErasureByItself purges two erasures at once: an export between them holds nothing of the first.
func TestPurge_givesUpTheFilesOfEachErasureByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []discarding
	for _, id := range []string{"p1", "p2"} {
		w.put(`{"resourceType":"Patient","id":"` + id + `"}`)
		one := request(false)
		one.ID = id
		_, _, err := w.svc.Start(t.Context(), one)
		must(t, err)
		head, err := w.data.Head(t.Context())
		must(t, err)
		want = append(want, discarding{1, head.Tx})
	}
	if more, err := w.svc.Purge(t.Context(), datastore); more || err != nil {
		t.Error(more, err)
	}
	if !slices.Equal(w.discarded, want) {
		t.Errorf("%v, not %v", w.discarded, want)
	}
}

// TestErasure_ofWhatIsErasedLeavesNothingBehind erases a resource twice.
func TestErasure_ofWhatIsErasedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		for range 2 {
			id, state, err := w.svc.Start(t.Context(), request(false))
			if must(t, err); state != erase.Hidden {
				t.Errorf("it is said to be %s", state)
			}
			if p := w.until(t.Context(), id, erase.Done); p.State != erase.Done {
				t.Errorf("%+v", p)
			}
		}
		for r, err := range w.data.Riders(t.Context(), []byte("erase/once/")) {
			must(t, err)
			t.Errorf("a rider is left: %s", r.Key)
		}
	})
}
