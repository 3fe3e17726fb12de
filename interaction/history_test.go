package interaction_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/kv/pebble"
	"tarn/store"
)

// past is all that was written, in its order, as a history must tell it.
type past []store.Version

// of are the versions of a history, the newest first, by looking at each.
func (p past) of(typ r4.Code, id string, q interaction.HistoryQuery) (want []store.Version) {
	for i, v := range p {
		next := fhir.Instant(1 << 60)
		for _, later := range p[i+1:] {
			if later.Type == v.Type && later.ID == v.ID {
				next = later.Instant
				break
			}
		}
		if typ != 0 && v.Type != typ || id != "" && v.ID != id || v.Instant < q.Since {
			continue
		}
		if q.At != (interaction.Period{}) && (v.Instant >= q.At.Until || next <= q.At.From || v.Deleted && v.Instant <= q.At.From) {
			continue
		}
		want = append(want, v)
	}
	slices.Reverse(want)
	return want
}

func TestHistory_tellsWhatHappened(t *testing.T) {
	t.Parallel()
	basic, _ := r4.CodeOf("Basic")
	types := []r4.Code{basic, patient}
	rapid.Check(t, func(t *rapid.T) {
		now := int64(1_000_000)
		engine, err := pebble.Open("data", pebble.Options{FS: vfs.NewMem()})
		check(t, err)
		defer engine.Close()
		space, err := engine.Open(t.Context(), "s")
		check(t, err)
		st, err := store.Open(t.Context(), space, store.Options{Now: func() time.Time { return time.UnixMilli(now) }})
		check(t, err)
		defer st.Close()
		w := &world{store: st}
		w.Service = interaction.New(w, fhir.Limits{})
		var all past
		write := func() {
			now += int64(rapid.IntRange(0, 2).Draw(t, "later"))
			typ := rapid.SampledFrom(types).Draw(t, "type")
			to := interaction.Target{Datastore: place, Type: typ, ID: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")}
			if rapid.IntRange(0, 3).Draw(t, "op") == 0 {
				res, err := w.Delete(t.Context(), to, interaction.Conditions{})
				check(t, err)
				if res.Change != store.None {
					all = append(all, res.Version)
				}
				return
			}
			body := fmt.Appendf(nil, `{"resourceType":%q,"id":%q}`, typ, to.ID)
			if typ == basic {
				body = fmt.Appendf(nil, `{"resourceType":"Basic","id":%q,"code":{"text":"x"}}`, to.ID)
			}
			res, err := w.Update(t.Context(), to, body, interaction.Conditions{}, interaction.WriteOptions{})
			check(t, err)
			all = append(all, res.Version)
		}
		for range rapid.IntRange(0, 40).Draw(t, "writes") {
			write()
		}
		for range 8 {
			q := interaction.HistoryQuery{Count: rapid.IntRange(1, 7).Draw(t, "count")}
			if rapid.Bool().Draw(t, "since?") {
				q.Since = fhir.Instant(1_000_000 + rapid.IntRange(-2, 50).Draw(t, "since"))
			}
			if rapid.Bool().Draw(t, "at?") {
				q.At.From = fhir.Instant(1_000_000 + rapid.IntRange(-2, 50).Draw(t, "from"))
				q.At.Until = q.At.From + fhir.Instant(rapid.IntRange(1, 10).Draw(t, "length"))
			}
			to := interaction.Target{Datastore: place}
			level := rapid.IntRange(0, 2).Draw(t, "level")
			if level < 2 {
				to.Type = rapid.SampledFrom(types).Draw(t, "of")
			}
			if level == 0 {
				to.ID = rapid.SampledFrom([]string{"a", "b", "c", "never"}).Draw(t, "whose")
			}
			known := all
			want := known.of(to.Type, to.ID, q)
			var got []store.Version
			for {
				var page interaction.HistoryPage
				if level == 0 {
					page, err = w.History(t.Context(), to, q)
				} else {
					page, err = w.HistoryOfAll(t.Context(), to, q)
				}
				if level == 0 && len(known.of(to.Type, to.ID, interaction.HistoryQuery{})) == 0 {
					if !fault.Is(err, fault.NotFound) {
						t.Fatalf("a resource that never was: %v", err)
					}
					break
				}
				check(t, err)
				if len(page.Versions) > q.Count {
					t.Fatalf("%d versions on a page of %d", len(page.Versions), q.Count)
				}
				for _, v := range page.Versions {
					got = append(got, v.Version)
				}
				if !page.More {
					break
				}
				q.Before = page.Next
				if q.At == (interaction.Period{}) { // what is written meanwhile may show in a period that has not ended
					write()
				}
			}
			if !same(got, want) {
				t.Fatalf("%+v of %s/%s:\n got %v\nwant %v", q, to.Type, to.ID, brief(got), brief(want))
			}
		}
	})
}

func check(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(got, want []store.Version) bool {
	return slices.EqualFunc(got, want, func(a, b store.Version) bool {
		return a.Type == b.Type && a.ID == b.ID && a.Number == b.Number && a.Deleted == b.Deleted && string(a.Body) == string(b.Body)
	})
}

func brief(list []store.Version) (s []string) {
	for _, v := range list {
		s = append(s, fmt.Sprintf("%s/%s %d at %d", v.Type, v.ID, v.Number, v.Instant-1_000_000))
	}
	return s
}
