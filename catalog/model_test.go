package catalog_test

import (
	"context"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"tarn/catalog"
	"tarn/kv/pebble"
)

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
