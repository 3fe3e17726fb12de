package export_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
	"tarn/search"
)

// searching is newWorld with real searches.
func searching(t *testing.T) *world {
	t.Helper()
	var none *catalog.Catalog // searches are given their views
	s, err := search.New(search.Options{Datastores: none})
	must(t, err)
	return newWorldOf(t, export.Options{Queries: s})
}

// practitionerOf is a practitioner with labels, and the reference to a practice.
func practitionerOf(id, meta string) string {
	return fmt.Sprintf(`{"resourceType":"Practitioner","id":%q,"meta":{%s},"qualification":[{"code":{"text":"x"},"issuer":{"reference":"Organization/of-%s"}}]}`, id, meta, id)
}

// TestReferences_areBoundByWhatSpeaksOfThem adds what is referred to beside labels and filters.
func TestReferences_areBoundByWhatSpeaksOfThem(t *testing.T) {
	t.Parallel()
	w := searching(t)
	h := hospital{}
	const x, y = `"tag":[{"system":"s","code":"x"}]`, `"security":[{"system":"c","code":"N"},{"system":"c","code":"V"}]`
	meta := func(of ...string) string { return `,"meta":{` + strings.Join(of, ",") + `}` }
	refers := `,"performer":[{"reference":"Practitioner/open"},{"reference":"Practitioner/secret"},{"reference":"Practitioner/bare"}]`
	h.add(w, patientOf("p1"), observationOf(1, "p1", meta(x, y)+refers), observationOf(2, "p1", meta(y)), observationOf(3, "p1", meta(x)),
		practitionerOf("open", y), practitionerOf("secret", `"security":[{"system":"c","code":"R"}]`), practitionerOf("bare", ""),
		`{"resourceType":"Organization","id":"of-open","meta":{`+y+`},"active":true}`, `{"resourceType":"Organization","id":"of-secret","meta":{`+y+`}}`, `{"resourceType":"Organization","id":"of-bare","active":true}`)
	ask := func(tags, security, filters string) export.Selection {
		return export.Selection{Level: export.Patients, References: true, Tags: strings.Fields(tags), Security: strings.Fields(security), Filters: strings.Fields(filters)}
	}
	for name, test := range map[string]struct {
		ask  export.Selection
		want string
	}{
		"nothing":             {ask("", "", ""), "Patient/p1 Observation/o00001 Observation/o00002 Observation/o00003 Practitioner/open Practitioner/secret Practitioner/bare Organization/of-open Organization/of-secret Organization/of-bare"},
		"tags":                {ask("s|x", "", ""), "Observation/o00001 Observation/o00003 Practitioner/open Practitioner/secret Practitioner/bare Organization/of-open Organization/of-secret Organization/of-bare"},
		"security":            {ask("", "c|N", ""), "Observation/o00001 Observation/o00002 Practitioner/open Organization/of-open"},
		"both":                {ask("", "c|N V", ""), "Observation/o00001 Observation/o00002 Practitioner/open Organization/of-open"},
		"no system":           {ask("", "|N", ""), ""},
		"a filter":            {ask("", "", "Organization?active=true Observation?_tag=s|x"), "Patient/p1 Observation/o00001 Observation/o00003 Practitioner/open Practitioner/secret Practitioner/bare Organization/of-open Organization/of-bare"},
		"a filter and labels": {ask("s|x", "c|V", "Organization?active=false"), "Observation/o00001 Practitioner/open"},
	} {
		wants(t, name, w.tells(test.ask).live, test.want)
		blocks := test.ask
		blocks.Organize = export.ByPatient
		if slices.ContainsFunc(blocks.Filters, func(f string) bool { return strings.HasPrefix(f, "Organization") }) {
			r := w.request()
			r.Selection = blocks
			if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "_typeFilter") {
				t.Errorf("%s, in blocks: %v", name, err)
			}
			continue
		}
		wants(t, name+", in blocks", slices.DeleteFunc(w.tells(blocks).live, func(name string) bool { return name == "Parameters/" }), test.want)
	}
}

// TestReferences_areToldOfWhenTheyAreDeleted deletes a practitioner to whom exports of a patient referred.
func TestReferences_areToldOfWhenTheyAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), observationOf(1, "p1", `,"performer":[{"reference":"Practitioner/d1"}]`), practitionerOf("d1", ""), practitionerOf("d2", ""))
	ask := export.Selection{Level: export.Patients, Patients: []string{"p1"}, References: true}
	since := w.tells(ask).at
	h.add(w, observationOf(1, "p1", ""), observationOf(2, "p1", `,"performer":[{"reference":"Practitioner/d2"}]`))
	w.remove("Practitioner/d1")
	ask.Since = since
	for _, organize := range []string{"", export.ByPatient} {
		ask.Organize = organize
		x := w.tells(ask)
		wants(t, "what was deleted", x.deleted, "Practitioner/d1")
		wants(t, "what was changed", slices.DeleteFunc(x.live, func(name string) bool { return name == "Parameters/" }), "Observation/o00001 Observation/o00002 Practitioner/d2")
	}
	ask.References = false
	wants(t, "what was deleted, without references", w.tells(ask).deleted, "")
	ask.References, ask.Types = true, []string{"Observation"}
	wants(t, "what was deleted, of another type", w.tells(ask).deleted, "")
}

// TestGroup_tellsNothingOfWhatHasMovedAway holds what the documentation says of a resource that came to belong to another.
func TestGroup_tellsNothingOfWhatHasMovedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), patientOf("p2"), groupOf("g", "Patient/p1"), groupOf("other", "Patient/p2"), observationOf(1, "p1", ""))
	since := w.tells(export.Selection{Level: export.OfGroup, Group: "g"}).at
	h.add(w, observationOf(1, "p2", ""))
	for group, want := range map[string]string{"g": "", "other": "Observation/o00001"} {
		x := w.tells(export.Selection{Level: export.OfGroup, Group: group, Since: since})
		wants(t, group, x.live, want)
		wants(t, group+", deleted", x.deleted, "")
	}
}
