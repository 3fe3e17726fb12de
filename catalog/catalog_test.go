package catalog_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"tarn/catalog"
	"tarn/fault"
	"tarn/kv"
	"tarn/kv/pebble"
	"tarn/store"
)

const (
	account = "000000000000"
	missing = "ffffffffffffffffffffffffffffffff"
)

// house is a catalog whose tasks are noted, once for each token.
type house struct {
	engine kv.Engine
	system kv.Space
	*catalog.Catalog

	mu     sync.Mutex
	tasks  []catalog.Task
	asked  int // how often it was asked for a task, the same ones too
	refuse error
	epoch  uint32
}

type fataler interface{ Fatal(...any) }

func must(t fataler, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB) *house {
	engine, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	h := openOn(t, engine)
	t.Cleanup(func() {
		must(t, h.Close())
		must(t, engine.Close())
	})
	return h
}

func openOn(t fataler, engine kv.Engine) *house {
	h := &house{engine: engine}
	var err error
	h.system, err = engine.Open(context.Background(), "system")
	must(t, err)
	h.reopen(t)
	return h
}

func (h *house) reopen(t fataler) {
	var err error
	h.Catalog, err = catalog.Open(context.Background(), h.engine, h.system, catalog.Options{Account: account, Region: "us-east-1",
		PublicURL: "http://localhost:8080/", IndexEpoch: h.epoch, Enqueue: func(_ context.Context, task catalog.Task) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.asked++
			if h.refuse == nil && !slices.Contains(h.tasks, task) {
				h.tasks = append(h.tasks, task)
			}
			return h.refuse
		}})
	must(t, err)
}

func wantKind(t testing.TB, err error, k fault.Kind, words string) {
	t.Helper()
	if !fault.Is(err, k) || !strings.Contains(fault.Message(err), words) {
		t.Fatalf("got %v (%v), want %v with %q", err, fault.KindOf(err), k, words)
	}
}

func request() catalog.CreateRequest {
	return catalog.CreateRequest{Name: "n", TypeVersion: "R4", Tags: map[string]string{"k": "v"}}
}

func TestOpen_refusesHalfAConfiguration(t *testing.T) {
	t.Parallel()
	h := open(t)
	for name, o := range map[string]catalog.Options{
		"account":    {Account: "12", Region: "r", PublicURL: "http://x"},
		"Region":     {Account: account, PublicURL: "http://x"},
		"public URL": {Account: account, Region: "r"},
	} {
		if _, err := catalog.Open(t.Context(), h.engine, h.system, o); !fault.Is(err, fault.Invalid) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestDelete_dropsTheContentsAndKeepsTheRow(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	made, err := h.Create(ctx, request())
	must(t, err)
	data, err := h.Store(ctx, made.ID)
	must(t, err)
	wantKind(t, h.Purge(ctx, made.ID), fault.Conflict, "not DELETING")
	got, err := h.Delete(ctx, made.ID)
	must(t, err)
	if got.Status != catalog.Deleting || len(h.tasks) != 1 || h.tasks[0].Kind != catalog.DeleteDatastore {
		t.Errorf("%+v %v", got, h.tasks)
	}
	_, err = h.Store(ctx, made.ID)
	wantKind(t, err, fault.Conflict, "DELETING")
	_, err = h.Delete(ctx, made.ID)
	wantKind(t, err, fault.Conflict, "DELETING")
	must(t, h.Purge(ctx, made.ID))
	must(t, h.Purge(ctx, made.ID))
	if _, err := data.Commit(ctx, store.Transaction{}); err == nil {
		t.Error("the contents are still open")
	}
	spaces, err := h.engine.Spaces(ctx)
	must(t, err)
	if slices.Contains(spaces, catalog.SpaceName(made.ID)) {
		t.Error("the space is still there")
	}
	if got, err = h.Describe(ctx, made.ID); err != nil || got.Status != catalog.Deleted {
		t.Error(got, err)
	}
	for name, err := range map[string]error{
		"store":  second(h.Store(ctx, made.ID)),
		"load":   second(h.Loading(ctx, made.ID)),
		"delete": second(h.Delete(ctx, made.ID)),
		"tags":   second(h.Tags(ctx, made.ID)),
		"tag":    h.Tag(ctx, made.ID, map[string]string{"a": "b"}),
		"untag":  h.Untag(ctx, made.ID, []string{"k"}),
	} {
		if !fault.Is(err, fault.Gone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestCatalog_knowsNothingOfWhatNeverWas(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	for _, id := range []string{missing, "", "../x", strings.Repeat("long", 500)} {
		for name, err := range map[string]error{
			"describe": second(h.Describe(ctx, id)), "known": second(h.Known(ctx, id)), "store": second(h.Store(ctx, id)), "delete": second(h.Delete(ctx, id)),
			"tags": second(h.Tags(ctx, id)), "tag": h.Tag(ctx, id, nil), "untag": h.Untag(ctx, id, nil), "activate": h.Activate(ctx, id), "purge": h.Purge(ctx, id),
		} {
			if !fault.Is(err, fault.NotFound) || len(err.Error()) > 300 {
				t.Errorf("%s of %.40q: %v", name, id, err)
			}
		}
	}
}

func TestTags_areBounded(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	made, err := h.Create(ctx, request())
	must(t, err)
	many := map[string]string{}
	for i := range catalog.MaxTags {
		many[fmt.Sprint(i)] = ""
	}
	wantKind(t, h.Tag(ctx, made.ID, many), fault.Invalid, "at most 200") // with the one that is there already
	tags, err := h.Tags(ctx, made.ID)
	must(t, err)
	if !maps.Equal(tags, map[string]string{"k": "v"}) {
		t.Error(tags)
	}
	// Conditions on tags compare keys without regard to case, so two such keys would mean either value.
	wantKind(t, h.Tag(ctx, made.ID, map[string]string{"K": "other"}), fault.Invalid, "differ only in case")
	twice := request()
	twice.ClientToken, twice.Tags = "twice", map[string]string{"team": "a", "Team": "b"}
	_, err = h.Create(ctx, twice)
	wantKind(t, err, fault.Invalid, "differ only in case")
	must(t, h.Untag(ctx, made.ID, []string{"k"}))
	must(t, h.Tag(ctx, made.ID, many))
	if known, err := h.Known(ctx, made.ID); err != nil || len(known.Tags) != catalog.MaxTags {
		t.Error(len(known.Tags), err)
	}
}

func TestClose_endsEverything(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	made, err := h.Create(ctx, request())
	must(t, err)
	data, err := h.Store(ctx, made.ID)
	must(t, err)
	must(t, h.Close())
	if err := second(data.Commit(ctx, store.Transaction{})); err == nil {
		t.Error("the contents are still open")
	}
	wantKind(t, second(h.Store(ctx, made.ID)), fault.Unavailable, "shutting down")
}

func TestList_refusesForeignCursors(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, cursor := range []string{"x", strings.Repeat("z", 48), strings.Repeat("0", 47)} {
		if _, err := h.List(t.Context(), catalog.Filter{Cursor: cursor}); !fault.Is(err, fault.Invalid) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}
