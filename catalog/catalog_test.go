package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tarn/catalog"
	"tarn/fault"
	"tarn/kv"
	"tarn/kv/kvtest"
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

func TestCreate_isActiveAtOnceWithoutAPreload(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	made, err := h.Create(ctx, request())
	must(t, err)
	if made.Status != catalog.Creating {
		t.Errorf("answered %s", made.Status)
	}
	got, err := h.Describe(ctx, made.ID)
	must(t, err)
	want := made
	want.Status = catalog.Active
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.ARN != "arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/"+got.ID || got.Endpoint != "http://localhost:8080/datastore/"+got.ID+"/r4/" ||
		got.Encryption.CMKType != catalog.AWSOwnedKey || got.Identity != (catalog.Identity{Strategy: catalog.AWSAuth}) || got.Tags["k"] != "v" {
		t.Errorf("%+v", got)
	}
	if id, ok := h.IDFromARN(got.ARN); !ok || id != got.ID {
		t.Errorf("id %q %v", id, ok)
	}
	for _, arn := range []string{"", got.ARN + "x", strings.Replace(got.ARN, "us-", "eu-", 1), h.ARN("nonsense")} {
		if id, ok := h.IDFromARN(arn); ok {
			t.Errorf("%q is %q", arn, id)
		}
	}
	first, err := h.Store(ctx, got.ID)
	must(t, err)
	second, err := h.Store(ctx, got.ID)
	must(t, err)
	if first != second {
		t.Error("opened twice")
	}
	if known, err := h.Known(ctx, got.ID); err != nil || known.ID != got.ID {
		t.Error(known, err)
	}
}

func TestCreate_refusesWhatIsNotOffered(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	for name, change := range map[string]func(*catalog.CreateRequest){
		"R5":                   func(q *catalog.CreateRequest) { q.TypeVersion = "R5" },
		"preload":              func(q *catalog.CreateRequest) { q.Preload = "OTHER" },
		"customer managed KMS": func(q *catalog.CreateRequest) { q.Encryption.CMKType = catalog.CustomerKey },
		"CmkType":              func(q *catalog.CreateRequest) { q.Encryption.CMKType = "X" },
		"KmsKeyId":             func(q *catalog.CreateRequest) { q.Encryption.KMSKeyID = "k" },
		"SMART_ON_FHIR":        func(q *catalog.CreateRequest) { q.Identity.Strategy = "SMART_ON_FHIR" },
		"Metadata":             func(q *catalog.CreateRequest) { q.Identity.Metadata = "{}" },
		"fine":                 func(q *catalog.CreateRequest) { q.Identity.FineGrained = true },
		"name":                 func(q *catalog.CreateRequest) { q.Name = strings.Repeat("n", 1025) },
		"reserved":             func(q *catalog.CreateRequest) { q.Tags = map[string]string{"AWS:x": ""} },
		"empty key":            func(q *catalog.CreateRequest) { q.Tags = map[string]string{"": ""} },
		"long value":           func(q *catalog.CreateRequest) { q.Tags = map[string]string{"k": strings.Repeat("v", 257)} },
	} {
		q := request()
		change(&q)
		if _, err := h.Create(ctx, q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if page, err := h.List(ctx, catalog.Filter{}); err != nil || len(page.Datastores) != 0 {
		t.Errorf("something was made: %v %v", page, err)
	}
}

func TestCreate_isIdempotentUnderAToken(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	q := request()
	q.ClientToken = "once"
	first, err := h.Create(ctx, q)
	must(t, err)
	again, err := h.Create(ctx, q)
	must(t, err)
	if again.ID != first.ID || again.Status != catalog.Active {
		t.Errorf("%+v", again)
	}
	q.Tags = map[string]string{"k": "other"}
	_, err = h.Create(ctx, q)
	wantKind(t, err, fault.Invalid, "ClientToken was used before")
	if page, err := h.List(ctx, catalog.Filter{}); err != nil || len(page.Datastores) != 1 {
		t.Error(page, err)
	}
}

func TestCreate_waitsForThePreload(t *testing.T) {
	t.Parallel()
	h, ctx := open(t), t.Context()
	q := request()
	q.Preload = catalog.Synthea
	made, err := h.Create(ctx, q)
	must(t, err)
	if want := []catalog.Task{{Kind: catalog.Preload, Datastore: made.ID, Token: "preload-" + made.ID}}; !slices.Equal(h.tasks, want) {
		t.Fatalf("tasks %v", h.tasks)
	}
	_, err = h.Store(ctx, made.ID)
	wantKind(t, err, fault.Conflict, "CREATING")
	_, err = h.Delete(ctx, made.ID)
	wantKind(t, err, fault.Conflict, "CREATING")
	loading, err := h.Loading(ctx, made.ID)
	must(t, err)
	must(t, h.Activate(ctx, made.ID))
	must(t, h.Activate(ctx, made.ID))
	wantKind(t, h.Fail(ctx, made.ID, "x", false), fault.Conflict, "ACTIVE")
	data, err := h.Store(ctx, made.ID)
	must(t, err)
	if data != loading {
		t.Error("opened twice")
	}

	second, err := h.Create(ctx, q)
	must(t, err)
	must(t, h.Fail(ctx, second.ID, "No room.", true))
	must(t, h.Fail(ctx, second.ID, "Again.", false))
	got, err := h.Describe(ctx, second.ID)
	must(t, err)
	if got.Status != catalog.CreateFailed || *got.Cause != (catalog.Cause{Message: "No room.", Retryable: true}) {
		t.Errorf("%+v", got)
	}
	wantKind(t, h.Activate(ctx, second.ID), fault.Conflict, "CREATE_FAILED")
	_, err = h.Store(ctx, second.ID)
	wantKind(t, err, fault.Conflict, "CREATE_FAILED")
	_, err = h.Delete(ctx, second.ID)
	must(t, err)
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

func TestCreate_outlivesACallerThatHangsUp(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, hangUp := context.WithCancel(t.Context())
	h.system = hanging{h.system, hangUp}
	h.reopen(t)
	made, err := h.Create(ctx, request())
	must(t, err)
	if got, err := h.Describe(t.Context(), made.ID); err != nil || got.Status != catalog.Active {
		t.Errorf("%+v %v", got, err)
	}
}

// hanging is a space whose caller hangs up when the first write is done.
type hanging struct {
	kv.Space
	hangUp func()
}

func (h hanging) Update(ctx context.Context, lock [][]byte, fn func(kv.Locked) (*kv.Batch, error)) error {
	defer h.hangUp()
	return h.Space.Update(ctx, lock, fn)
}

// TestCatalog_behavesAsItsModel compares random stories with a plain list.
func TestCatalog_behavesAsItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		engine, err := pebble.InMemory(pebble.Options{})
		must(t, err)
		defer engine.Close()
		h := openOn(t, engine)
		defer func() { must(t, h.Close()) }()
		var model []catalog.Datastore // oldest first
		pick := func(t *rapid.T) *catalog.Datastore {
			if len(model) == 0 {
				t.Skip("none yet")
			}
			return &model[rapid.IntRange(0, len(model)-1).Draw(t, "which")]
		}
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				d, err := h.Create(ctx, catalog.CreateRequest{Name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"), TypeVersion: "R4"})
				must(t, err)
				d.Status = catalog.Active
				model = append(model, d)
			},
			"tag": func(t *rapid.T) {
				d := pick(t)
				k, v := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "key"), rapid.StringN(0, 3, -1).Draw(t, "value")
				if err := h.Tag(ctx, d.ID, map[string]string{k: v}); (err == nil) != (d.Status != catalog.Deleted) {
					t.Fatal(d.Status, err)
				}
				if d.Status != catalog.Deleted {
					d.Tags = maps.Clone(d.Tags)
					if d.Tags == nil {
						d.Tags = map[string]string{}
					}
					d.Tags[k] = v
				}
			},
			"untag": func(t *rapid.T) {
				d := pick(t)
				if err := h.Untag(ctx, d.ID, []string{"x"}); (err == nil) != (d.Status != catalog.Deleted) {
					t.Fatal(d.Status, err)
				}
				if d.Status != catalog.Deleted {
					d.Tags = maps.Clone(d.Tags)
					delete(d.Tags, "x")
				}
			},
			"delete": func(t *rapid.T) {
				d := pick(t)
				if _, err := h.Delete(ctx, d.ID); (err == nil) != (d.Status == catalog.Active) {
					t.Fatal(d.Status, err)
				}
				if d.Status == catalog.Active {
					d.Status = catalog.Deleting
				}
			},
			"purge": func(t *rapid.T) {
				d := pick(t)
				if err := h.Purge(ctx, d.ID); (err == nil) != (d.Status != catalog.Active) {
					t.Fatal(d.Status, err)
				}
				if d.Status == catalog.Deleting {
					d.Status = catalog.Deleted
				}
			},
			"open": func(t *rapid.T) {
				d := pick(t)
				if _, err := h.Store(ctx, d.ID); (err == nil) != (d.Status == catalog.Active) {
					t.Fatal(d.Status, err)
				}
			},
			"restart": func(t *rapid.T) {
				must(t, h.Close())
				h.reopen(t)
				must(t, h.Recover(ctx))
			},
			"": func(t *rapid.T) {
				f := catalog.Filter{Name: rapid.SampledFrom([]string{"", "a"}).Draw(t, "name"), Limit: rapid.SampledFrom([]int{1, 3, 500}).Draw(t, "limit"),
					Status: rapid.SampledFrom([]catalog.Status{"", catalog.Active, catalog.Deleted}).Draw(t, "status")}
				got := map[string]catalog.Datastore{}
				for {
					page, err := h.List(ctx, f)
					must(t, err)
					for _, d := range page.Datastores {
						if _, twice := got[d.ID]; twice {
							t.Fatal("listed twice")
						}
						got[d.ID] = d
					}
					if f.Cursor = page.Next; f.Cursor == "" {
						break
					}
				}
				n := 0
				for _, d := range model {
					if known, err := h.Known(ctx, d.ID); err != nil || known.Status != d.Status || !maps.Equal(known.Tags, d.Tags) {
						t.Fatalf("known %+v %v, want %+v", known, err, d)
					}
					if f.Name != "" && d.Name != f.Name || f.Status != "" && d.Status != f.Status {
						continue
					}
					n++
					if l := got[d.ID]; l.Status != d.Status || !maps.Equal(l.Tags, d.Tags) || !l.CreatedAt.Equal(d.CreatedAt) {
						t.Fatalf("listed %+v, want %+v", l, d)
					}
				}
				if n != len(got) {
					t.Fatalf("%d listed, want %d", len(got), n)
				}
			},
		})
	})
}
