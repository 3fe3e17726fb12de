package search_test

import (
	"fmt"
	"strings"
	"testing"

	"tarn/search"
)

func TestTotal_isExactOrNearOrLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var bodies []string
	for i := range 200 {
		bodies = append(bodies, fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","gender":%q,"active":%t}`, i, []string{"male", "female"}[i%2], i%4 == 0))
	}
	w.put(bodies...)
	w.delete("Patient", "p0")
	for _, c := range []struct {
		query       string
		least, most int // -1: none
	}{
		{"_count=5", -1, -1},
		{"_count=5&_total=none", -1, -1},
		{"_count=200", 199, 199},
		{"_count=200&_total=none", -1, -1},
		{"_count=5&_total=accurate", 199, 199},
		{"_count=5&_total=accurate&gender=male", 99, 99},
		{"_count=5&_total=accurate&gender:not=female", 99, 99},
		{"_count=5&_total=accurate&active:missing=false", 199, 199},
		{"_count=5&_total=estimate&gender=male", 99, 99},
		{"_count=0&gender=male", 99, 99},
		{"_summary=count&gender=male&active=true", 49, 49},
		{"_summary=count&_total=none", 199, 199}, // counting is what was asked for
	} {
		pairs, err := search.ParseQuery(c.query)
		must(t, err)
		page, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: mustCode("Patient"), Pairs: pairs})
		must(t, err)
		got := -1
		if page.Total != nil {
			got = *page.Total
		}
		if got < c.least || got > c.most {
			t.Errorf("%s: the total is %d, want %d to %d", c.query, got, c.least, c.most)
		}
	}
	w.service.Hurry() // now an estimate is one
	pairs, err := search.ParseQuery("_count=5&_total=estimate&gender=male&active:not=true")
	must(t, err)
	page, err := w.service.Search(t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: mustCode("Patient"), Pairs: pairs})
	must(t, err)
	if page.Total == nil || *page.Total < 20 || *page.Total > 110 {
		t.Errorf("the estimate of 50 is %v", page.Total)
	}
	if next := linkOf(page, "next"); !strings.Contains(next, "_cursor=") || strings.Contains(next, "gender") {
		t.Errorf("the next page is at %s", next)
	}
}
