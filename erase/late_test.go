package erase_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fhir/r4"
	"tarn/kv/kvtest"
	"tarn/store"
)

// TestErasure_thatWaitsLongerThanHistoryIsKept asks for a compartment, makes anew what was erased before, and lets the job
// wait for days while one version of each resource is kept. Another time somebody trims who does not know that it waits.
func TestErasure_thatWaitsLongerThanHistoryIsKept(t *testing.T) {
	t.Parallel()
	for _, knows := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.o.Keep = erase.Retention{Versions: 1}
			w.svc = erase.New(w.o)
			const observation = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`
			w.put(`{"resourceType":"Patient","id":"p1"}`)
			w.put(strings.Replace(observation, `"o"`, `"updated"`, 1))
			w.put(observation)
			one := request(false)
			one.Type, _ = r4.CodeOf("Observation")
			one.ID = "o"
			first, _, err := w.svc.Start(t.Context(), one)
			must(t, err)
			w.until(t.Context(), first, erase.Done)
			id, _, err := w.svc.Start(t.Context(), request(true))
			must(t, err)
			for range 5 {
				time.Sleep(24 * time.Hour)
				w.put(observation)
				w.put(strings.Replace(observation, `"o"`, `"updated"`, 1))
				if knows {
					_, err = w.svc.Trim(t.Context(), datastore)
					must(t, err)
				} else {
					head, err := w.data.Head(t.Context())
					must(t, err)
					_, _, err = w.data.Trim(t.Context(), store.Keep{Horizon: head.Tx, Versions: 1}, store.Place{})
					must(t, err)
				}
			}
			p := w.until(t.Context(), id, erase.Done)
			if knows {
				if p.State != erase.Done || w.there("Patient", "p1") || w.there("Observation", "updated") || !w.there("Observation", "o") {
					t.Errorf("%+v; what was made anew is there: %v", p, w.there("Observation", "o"))
				}
				w.put(observation) // of the former ones the keeper may have removed some by itself
				time.Sleep(25 * time.Hour)
				if n, err := w.svc.Trim(t.Context(), datastore); n == 0 || err != nil {
					t.Errorf("when it has ended %d versions go, %v", n, err)
				}
				return
			}
			if p.State != erase.Failed || !strings.Contains(p.Message, "Ask for it anew") || w.live() != 3 {
				t.Errorf("%+v; %d are there", p, w.live())
			}
			if id, _, err = w.svc.Start(t.Context(), request(true)); err != nil {
				t.Fatal(err)
			}
			if p = w.until(t.Context(), id, erase.Done); p.State != erase.Done || w.live() != 0 {
				t.Errorf("asked for anew: %+v; %d are there", p, w.live())
			}
		})
	}
}

// TestErasure_ofManyGoesOnBetweenItsTransactions ends the process after each transaction of a compartment that is hidden in
// several: the patient is there until the last, and nothing is counted twice.
func TestErasure_ofManyGoesOnBetweenItsTransactions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, 2) // it is looked while a purge writes
		left := w.family()
		id, _, err := w.svc.Start(t.Context(), request(true))
		must(t, err)
		seen := map[int]bool{}
		for lives := 0; ; lives++ {
			if lives == 100 {
				t.Fatal("it never ends")
			}
			ctx, stop := context.WithCancel(t.Context())
			began, err := w.data.Head(t.Context())
			must(t, err)
			w.faults.Hook(func(one kvtest.Write) kvtest.Fault {
				if head, err := w.data.Head(t.Context()); one.Space == "system" || err != nil || head.Tx == began.Tx {
					return kvtest.NoFault
				}
				stop()
				return kvtest.Before
			})
			w.svc = erase.New(w.o) // it remembers nothing
			w.svc.SetAtOnce(20)
			p := w.until(ctx, id, erase.Done)
			stop()
			w.faults.Hook(nil)
			n := w.live()
			seen[n] = true
			if there := w.there("Patient", "p1"); there != (n != left) {
				t.Errorf("with %d to go the patient is there: %v", n-left, there)
			}
			if p.State == erase.Done {
				if p.Counts()["Observation"] != 70 || p.Counts()["Condition"] != 2 || p.Counts()["Patient"] != 1 || len(p.Records) != 4 {
					t.Errorf("%+v", p)
				}
				break
			}
			if n > left && p.State != erase.Waiting {
				t.Errorf("with %d to go it is %s", n-left, p.State)
			}
		}
		if row := w.holds("secretive"); row != "" || len(seen) != 4 || !seen[left] {
			t.Errorf("row %q still tells; it was seen with %v", row, seen)
		}
	})
}

// atRequest does something when an erasure has been requested and before it goes on.
type atRequest struct {
	slog.Handler
	do func(erasure string)
}

func (h atRequest) Enabled(context.Context, slog.Level) bool { return true }

func (h atRequest) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "erasure requested" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "erasure" {
				h.do(a.Value.String())
			}
			return true
		})
	}
	return nil
}

// TestStart_leavesAloneWhatWasMadeAnewBeforeItGoesOn lets the job hide and purge first: nothing is left by then that says so.
func TestStart_leavesAloneWhatWasMadeAnewBeforeItGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		w.o.Log = slog.New(atRequest{slog.DiscardHandler, func(id string) {
			if p := w.until(t.Context(), id, erase.Done); p.State != erase.Done {
				t.Errorf("it is %s", p.State)
			}
			w.put(`{"resourceType":"Patient","id":"p1","active":true}`)
		}})
		w.svc = erase.New(w.o)
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		p, err := w.svc.Status(t.Context(), datastore, id)
		must(t, err)
		if !w.there("Patient", "p1") || p.State != erase.Done || len(p.Records) != 1 {
			t.Errorf("what was made anew is there: %v; %+v", w.there("Patient", "p1"), p)
		}
	})
}
