package catalog_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/catalog"
	"tarn/fault"
	"tarn/kv"
)

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
