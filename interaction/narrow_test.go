package interaction_test

import (
	"context"
	"testing"

	"tarn/fhir/r4"
	"tarn/fhir/validate"
	"tarn/interaction"
)

// reading is a source of profiles that has to look into the data store each time.
type reading struct{ *world }

func (r reading) Profiles(ctx context.Context, _ string) (validate.Profiles, error) {
	_, err := r.store.Head(ctx)
	return nil, err
}

// TestWrites_holdOneSnapshotAtATime does everything that decides by a view, where there is room for one snapshot.
func TestWrites_holdOneSnapshotAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.UseProfiles(reading{w})
	patient, _ := r4.CodeOf("Patient")
	where := interaction.Where{Query: "identifier=k"}
	body := []byte(`{"resourceType":"Patient","identifier":[{"value":"k"}]}`)
	p, err := w.ReadPatch(interaction.JSONPatch, []byte(`[{"op":"add","path":"/active","value":true}]`))
	must(t, err)
	made, err := w.CreateIfNone(t.Context(), place, patient, where, "", body, interaction.WriteOptions{})
	must(t, err)
	for what, do := range map[string]func() error{
		"update": func() error {
			_, err := w.UpdateWhere(t.Context(), place, patient, where, body, interaction.Conditions{}, interaction.WriteOptions{})
			return err
		},
		"patch": func() error {
			_, err := w.Patch(t.Context(), interaction.Target{Datastore: place, Type: patient, ID: made.ID}, p, interaction.Conditions{}, interaction.WriteOptions{})
			return err
		},
		"conditional patch": func() error {
			_, err := w.PatchWhere(t.Context(), place, patient, where, p, interaction.Conditions{}, interaction.WriteOptions{})
			return err
		},
		"transaction": func() error {
			b, err := w.ReadBundle(base, []byte(onePatient))
			must(t, err)
			defer b.Close()
			_, err = w.Transact(t.Context(), interaction.TransactionRequest{Datastore: place, Base: base, Bundle: b})
			return err
		},
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
