package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/catalog"
	"tarn/fault"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

// TestCatalog_recoversFromAFaultAtEveryWrite lets each write of a creation and a deletion fail on both sides, and then
// goes on in a new process.
func TestCatalog_recoversFromAFaultAtEveryWrite(t *testing.T) {
	t.Parallel()
	for _, preload := range []string{"", catalog.Synthea} {
		for nth := 1; nth <= 5; nth++ {
			for side := kvtest.Before; side <= kvtest.After; side++ {
				t.Run(fmt.Sprintf("%s write %d side %d", preload, nth, side), func(t *testing.T) {
					inner, err := pebble.InMemory(pebble.Options{})
					must(t, err)
					defer inner.Close()
					engine := kvtest.NewFaulty(inner)
					h := openOn(t, engine)
					defer func() { must(t, h.Close()) }()
					if side == kvtest.Before {
						engine.FailBefore(nth)
					} else {
						engine.FailAfter(nth)
					}
					ctx := t.Context()
					q := request()
					q.Preload, q.ClientToken = preload, "t"
					restart := func(err error) {
						t.Helper()
						if err == nil {
							return
						}
						if !fault.Is(err, fault.Unavailable) {
							t.Fatal(err)
						}
						must(t, h.Close())
						h.reopen(t)
						must(t, h.Recover(ctx))
					}
					_, err = h.Create(ctx, q)
					restart(err)
					d, err := h.Create(ctx, q) // the client repeats it
					must(t, err)
					if preload != "" {
						err := h.Activate(ctx, d.ID)
						restart(err)
						must(t, h.Activate(ctx, d.ID))
					}
					if got, err := h.Describe(ctx, d.ID); err != nil || got.Status != catalog.Active {
						t.Fatalf("%+v %v", got, err)
					}
					if _, err = h.Store(ctx, d.ID); err != nil { // its first head is a write too
						_, err = h.Store(ctx, d.ID)
					}
					must(t, err)
					_, err = h.Delete(ctx, d.ID)
					restart(err)
					if _, err := h.Delete(ctx, d.ID); err != nil && !fault.Is(err, fault.Conflict) {
						t.Fatal(err)
					}
					err = h.Purge(ctx, d.ID)
					restart(err)
					must(t, h.Purge(ctx, d.ID))
					if got, err := h.Describe(ctx, d.ID); err != nil || got.Status != catalog.Deleted {
						t.Fatalf("%+v %v", got, err)
					}
					page, err := h.List(ctx, catalog.Filter{})
					must(t, err)
					if len(page.Datastores) != 1 {
						t.Errorf("%d data stores", len(page.Datastores))
					}
					want := []catalog.TaskKind{catalog.DeleteDatastore}
					if preload != "" {
						want = []catalog.TaskKind{catalog.Preload, catalog.DeleteDatastore}
					}
					var got []catalog.TaskKind
					for _, task := range h.tasks {
						got = append(got, task.Kind)
					}
					if !slices.Equal(got, want) {
						t.Errorf("tasks %v, want %v", got, want)
					}
				})
			}
		}
	}
}

func TestRecover_asksAgainForWorkThatWasNeverQueued(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	h.refuse = errors.New("no ledger")
	q := request()
	q.Preload = catalog.Synthea
	if _, err := h.Create(ctx, q); err == nil {
		t.Fatal("created")
	}
	if err := h.Recover(ctx); err == nil {
		t.Fatal("recovered")
	}
	h.refuse = nil
	must(t, h.Recover(ctx))
	must(t, h.Recover(ctx))
	if len(h.tasks) != 1 || h.tasks[0].Kind != catalog.Preload {
		t.Errorf("tasks %v", h.tasks)
	}
}

func TestCatalog_asksAgainWhenTheCallIsRepeated(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	h.refuse = errors.New("no ledger")
	q := request()
	q.Preload, q.ClientToken = catalog.Synthea, "t"
	if _, err := h.Create(ctx, q); err == nil {
		t.Fatal("created")
	}
	h.refuse = nil
	made, err := h.Create(ctx, q)
	must(t, err)
	must(t, h.Activate(ctx, made.ID))
	h.refuse = errors.New("no ledger")
	if _, err := h.Delete(ctx, made.ID); err == nil {
		t.Fatal("deleted")
	}
	h.refuse = nil
	_, err = h.Delete(ctx, made.ID)
	wantKind(t, err, fault.Conflict, "DELETING")
	if len(h.tasks) != 2 || h.tasks[0].Kind != catalog.Preload || h.tasks[1].Kind != catalog.DeleteDatastore {
		t.Errorf("tasks %v", h.tasks)
	}
}

// TestRecoverNowAndThen_finishesWhatAFullDiskLeftHalfway creates and deletes data stores while nothing can be written but
// their rows, and looks at them when there is room again.
func TestRecoverNowAndThen_finishesWhatAFullDiskLeftHalfway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner, err := pebble.InMemory(pebble.Options{})
		must(t, err)
		engine := kvtest.NewFaulty(inner)
		h := openOn(t, engine)
		defer func() {
			must(t, h.Close())
			must(t, inner.Close())
		}()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go h.RecoverNowAndThen(ctx, slog.New(slog.DiscardHandler))

		leaving, err := h.Create(ctx, request())
		must(t, err)
		q := request()
		q.Preload = catalog.Synthea
		full := fault.Errorf(fault.Unavailable, "test", "no room")
		h.refuse = full
		_, err = h.Delete(ctx, leaving.ID)
		wantKind(t, err, fault.Unavailable, "")
		filled, err := h.Create(ctx, q)
		wantKind(t, err, fault.Unavailable, "")
		engine.Hook(func(one kvtest.Write) kvtest.Fault {
			if one.N == 1 {
				return kvtest.NoFault
			}
			return kvtest.Before
		})
		plain, err := h.Create(ctx, request())
		wantKind(t, err, fault.Unavailable, "")

		time.Sleep(10 * time.Minute)
		if got, err := h.Describe(ctx, plain.ID); err != nil || got.Status != catalog.Creating || len(h.tasks) != 0 {
			t.Errorf("%+v %v, tasks %v", got, err, h.tasks)
		}
		engine.Hook(nil)
		h.mu.Lock()
		h.refuse = nil
		h.mu.Unlock()
		time.Sleep(10 * time.Minute)
		if got, err := h.Describe(ctx, plain.ID); err != nil || got.Status != catalog.Active {
			t.Errorf("%+v %v", got, err)
		}
		slices.SortFunc(h.tasks, func(a, b catalog.Task) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
		if want := []catalog.Task{{Kind: catalog.DeleteDatastore, Datastore: leaving.ID, Token: "delete-datastore-" + leaving.ID},
			{Kind: catalog.Preload, Datastore: filled.ID, Token: "preload-" + filled.ID}}; !slices.Equal(h.tasks, want) {
			t.Errorf("tasks %v, want %v", h.tasks, want)
		}
	})
}
