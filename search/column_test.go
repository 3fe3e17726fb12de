package search_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tarn/search"
	"tarn/store"
)

// referrals is what a search over references must find, as a model: which patients are there, of which family, and to whom
// each observation refers.
type referrals struct {
	family map[string]string
	about  map[string][]string
}

// of are the observations that refer to a patient of a family.
func (m *referrals) of(family string) (ids []string) {
	for id, about := range m.about {
		if slices.ContainsFunc(about, func(p string) bool { return m.family[p] == family }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// with are the patients of a family to whom an observation refers; any family where it is empty.
func (m *referrals) with(family string) (ids []string) {
	for p, is := range m.family {
		for _, about := range m.about {
			if slices.Contains(about, p) && (family == "" || is == family) {
				ids = append(ids, p)
				break
			}
		}
	}
	return ids
}

// Columns tell where references lead while what refers and what is referred to is made, changed, deleted, erased, and
// made anew under the same id.
func TestColumns_followWhatChanges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if seed%3 > 0 {
				w.service.Hurry()
			}
			if seed%3 == 2 {
				w.service.Linger()
			}
			walkColumns(t, w, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

func walkColumns(t *testing.T, w *world, r *rand.Rand) {
	m := &referrals{family: map[string]string{}, about: map[string][]string{}}
	families := []string{"Lang", "Rice", "Feeney"}
	ask := func(query string, want []string) {
		t.Helper()
		typ, rest, _ := strings.Cut(query, "?")
		pairs, err := search.ParseQuery(rest + "&_count=7")
		must(t, err)
		got, err := asked{typ: mustCode(typ), extra: pairs}.got(t, w, nil)
		must(t, err)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: %v, want %v", query, got, want)
		}
	}
	patient := func(p string) {
		m.family[p] = families[r.IntN(3)]
		w.put(fmt.Sprintf(`{"resourceType":"Patient","id":%q,"name":[{"family":%q}]}`, p, m.family[p]))
	}
	observation := func(o string) { // of one that is there, or not yet, or no more; sometimes of two
		var performers []string
		m.about[o] = nil
		for range 1 + r.IntN(4)/3 {
			p := fmt.Sprintf("p%d", r.IntN(80))
			m.about[o] = append(m.about[o], p)
			performers = append(performers, fmt.Sprintf(`{"reference":"Patient/%s"}`, p))
		}
		w.put(fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","code":{"text":"x"},"performer":[%s]}`, o, strings.Join(performers, ",")))
	}
	for i := range 120 { // before columns are made
		if i%2 == 0 {
			patient(fmt.Sprintf("p%d", i/2))
		}
		observation(fmt.Sprintf("o%d", i))
	}
	for range 300 {
		p, o := fmt.Sprintf("p%d", r.IntN(80)), fmt.Sprintf("o%d", r.IntN(160))
		switch r.IntN(12) {
		case 0, 1, 2:
			patient(p)
		case 3:
			if m.family[p] != "" {
				delete(m.family, p)
				w.delete("Patient", p)
			}
		case 4:
			delete(m.family, p)
			_, err := w.store.Erase(t.Context(), store.Erasure{Resources: []store.Name{{Type: mustCode("Patient"), ID: p}}})
			must(t, err)
		case 5:
			if m.about[o] != nil {
				delete(m.about, o)
				w.delete("Observation", o)
			}
		case 6, 7:
			observation(o)
		}
		family := families[r.IntN(3)]
		switch r.IntN(4) {
		case 0:
			ask("Observation?status=final&performer:Patient.family="+family, m.of(family))
		case 1:
			ask("Observation?performer:Patient.family:exact="+family, m.of(family))
		case 2:
			ask("Patient?_has:Observation:performer:status=final", m.with(""))
		case 3:
			ask("Patient?family="+family+"&_has:Observation:performer:status=final", m.with(family))
		}
	}
}
