package interaction_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/store"
)

var patient, _ = r4.CodeOf("Patient")

// living are the patients that are not deleted, by their identifiers.
func living(t *testing.T, w *world) map[string][]string {
	t.Helper()
	v, err := w.store.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	found := map[string][]string{}
	s := v.Scan(t.Context(), patient, 0, store.End)
	defer s.Close()
	for s.Next() {
		var p struct{ Identifier []struct{ Value string } }
		if err := json.Unmarshal(s.Body(), &p); err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Identifier {
			found[i.Value] = append(found[i.Value], s.Version().ID)
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// Of many conditional creates, updates and deletes at once with the same few criteria, whatever their order, no
// identifier ever has two resources.
func TestConditional_atOnceMakesNoTwins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const people, goroutines, rounds = 5, 60, 8
	var created, deleted [people]atomic.Int64
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 3))
			for range rounds {
				i := random.IntN(people)
				criteria := interaction.Where{Query: fmt.Sprintf("identifier=p%d", i)}
				body := fmt.Appendf(nil, `{"resourceType":"Patient","identifier":[{"value":"p%d"}]}`, i)
				var res interaction.Written
				var err error
				switch random.IntN(5) {
				case 0, 1:
					res, err = w.CreateIfNone(t.Context(), place, patient, criteria, "", body, interaction.WriteOptions{})
				case 2:
					res, err = w.UpdateWhere(t.Context(), place, patient, criteria, body, interaction.Conditions{}, interaction.WriteOptions{})
				case 3:
					body = fmt.Appendf(nil, `{"resourceType":"Patient","id":"g%dp%d","identifier":[{"value":"p%d"}]}`, g, i, i)
					res, err = w.UpdateWhere(t.Context(), place, patient, criteria, body, interaction.Conditions{}, interaction.WriteOptions{})
					if fault.Is(err, fault.Conflict) { // another has it
						continue
					}
				case 4:
					res.Result, err = w.DeleteWhere(t.Context(), place, patient, criteria, interaction.Conditions{})
					if fault.Is(err, fault.NotFound) {
						continue
					}
				}
				if err != nil {
					t.Error(err)
				}
				switch res.Change {
				case store.Created:
					created[i].Add(1)
				case store.Deleted:
					deleted[i].Add(1)
				}
			}
		})
	}
	wg.Wait()
	found := living(t, w)
	for i := range people {
		name := fmt.Sprintf("p%d", i)
		want := created[i].Load() - deleted[i].Load()
		if want < 0 || want > 1 || int64(len(found[name])) != want {
			t.Errorf("%s: %d created, %d deleted, and there are %v", name, created[i].Load(), deleted[i].Load(), found[name])
		}
	}
}

func TestCreateIfNone_atOnceCreatesOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids sync.Map
	var created atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			res, err := w.CreateIfNone(t.Context(), place, patient, interaction.Where{Query: "identifier=one"}, "", []byte(`{"resourceType":"Patient","identifier":[{"value":"one"}]}`), interaction.WriteOptions{})
			if err != nil {
				t.Error(err)
			}
			ids.Store(res.ID, true)
			if res.Change == store.Created {
				created.Add(1)
			}
		})
	}
	wg.Wait()
	var all []string
	ids.Range(func(id, _ any) bool { all = append(all, id.(string)); return true })
	if created.Load() != 1 || len(all) != 1 || !slices.Equal(living(t, w)["one"], all) {
		t.Errorf("%d created, ids %v", created.Load(), all)
	}
}

// Patches at once without conditions are all kept.
func TestPatch_atOnceLosesNoUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	to := interaction.Target{Datastore: place, Type: patient, ID: "p"}
	if _, err := w.Update(t.Context(), to, []byte(`{"resourceType":"Patient","id":"p","identifier":[{"value":"start"}]}`), interaction.Conditions{}, interaction.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	const patches = 40
	var wg sync.WaitGroup
	for i := range patches {
		wg.Go(func() {
			p, err := w.ReadPatch(interaction.JSONPatch, fmt.Appendf(nil, `[{"op":"add","path":"/identifier/-","value":{"value":"v%d"}}]`, i))
			if err != nil {
				t.Error(err)
				return
			}
			if i%2 == 0 {
				_, err = w.Patch(t.Context(), to, p, interaction.Conditions{}, interaction.WriteOptions{})
			} else {
				_, err = w.PatchWhere(t.Context(), place, patient, interaction.Where{Query: "identifier=start"}, p, interaction.Conditions{}, interaction.WriteOptions{})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	v, err := w.Read(t.Context(), to)
	if err != nil || v.Number != 1+patches {
		t.Errorf("version %d, %v", v.Number, err)
	}
	if found := living(t, w); len(found) != 1+patches {
		t.Errorf("%d identifiers", len(found))
	}
}

// What is deleted by DeleteAll is deleted as it was found.
func TestDeleteAll_leavesWhatHasChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	for i := range 5 {
		id := fmt.Sprintf("p%d", i)
		body := fmt.Appendf(nil, `{"resourceType":"Patient","id":"%s","identifier":[{"value":"x"}]}`, id)
		if _, err := w.Update(ctx, interaction.Target{Datastore: place, Type: patient, ID: id}, body, interaction.Conditions{}, interaction.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	done, more, err := w.DeleteAll(ctx, place, patient, interaction.Where{Query: "identifier=x"}, 3)
	if err != nil || !more || len(done) != 3 {
		t.Fatalf("%d done, more %v, %v", len(done), more, err)
	}
	for _, d := range done {
		if d.Change != store.Deleted || d.Number != 2 || d.Err != nil {
			t.Errorf("%+v", d)
		}
	}
	if left := living(t, w)["x"]; len(left) != 2 {
		t.Errorf("left: %v", left)
	}
	for _, count := range []int{0, interaction.MaxDeleted + 1} {
		if _, _, err := w.DeleteAll(ctx, place, patient, interaction.Where{Query: "identifier=x"}, count); !fault.Is(err, fault.Invalid) {
			t.Errorf("count %d: %v", count, err)
		}
	}
}
