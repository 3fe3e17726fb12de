package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/search"
)

// A canonical URL leads to the resource of its version, and without one to the newest, whichever end a search begins at.
func TestCanonicals_leadToOneVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(`{"resourceType":"Questionnaire","id":"a","url":"http://x.test/q","version":"1","status":"active"}`)
	w.put(`{"resourceType":"Questionnaire","id":"b","url":"http://x.test/q","version":"2","status":"draft"}`)
	for i, to := range []string{"http://x.test/q|1", "http://x.test/q|2", "http://x.test/q", "http://x.test/q|3", "Questionnaire/a"} {
		w.put(fmt.Sprintf(`{"resourceType":"QuestionnaireResponse","id":"r%d","status":"completed","questionnaire":%q}`, i, to))
	}
	for i := range 20 { // so that not all are found at once
		w.put(fmt.Sprintf(`{"resourceType":"Questionnaire","id":"c%d","url":"http://x.test/c%d","status":"retired"}`, i, i),
			fmt.Sprintf(`{"resourceType":"QuestionnaireResponse","id":"s%d","status":"amended","questionnaire":"http://x.test/c%d"}`, i, i))
	}
	for _, tuned := range []func(){func() {}, w.service.Hurry, w.service.Linger} {
		tuned()
		for query, want := range map[string]string{
			"QuestionnaireResponse?questionnaire.status=active":                                                  "r0 r4",
			"QuestionnaireResponse?questionnaire.status=draft":                                                   "r1 r2",
			"QuestionnaireResponse?questionnaire.status=draft,active&status=completed":                           "r0 r1 r2 r4",
			"QuestionnaireResponse?questionnaire.version=1":                                                      "r0 r4",
			"Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=r0":                                      "a",
			"Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=r2,r3":                                   "b",
			"Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed":                            "a b",
			"Questionnaire?status=active&_has:QuestionnaireResponse:questionnaire:_id=r1,r2,r3":                  "",
			"Questionnaire?_id=a&_revinclude=QuestionnaireResponse:questionnaire":                                "a r0 r4",
			"Questionnaire?_id=b&_revinclude=QuestionnaireResponse:questionnaire":                                "b r1 r2",
			"QuestionnaireResponse?_id=r0,r2,r3&_include=QuestionnaireResponse:questionnaire&_sort=_id&_count=9": "a b r0 r2 r3",
		} {
			typ, rest, _ := strings.Cut(query, "?")
			pairs, err := search.ParseQuery(rest)
			must(t, err)
			page, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: mustCode(typ), Pairs: pairs, Strict: true})
			if err != nil {
				t.Errorf("%s: %v", query, err)
				continue
			}
			var got []string
			for _, v := range append(page.Matches, page.Included...) {
				got = append(got, v.ID)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", query, got, want)
			}
		}
	}
}
