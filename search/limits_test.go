package search_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/search"
)

// ask is one page of a search of patients.
func (w *world) ask(query string) (*search.Result, error) {
	pairs, err := search.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	return w.service.Search(w.t.Context(), search.Request{Datastore: "d", Base: base + "/", Type: mustCode("Patient"), Pairs: pairs, Strict: true})
}

// costs reports what is wrong with a refusal for its cost that names the parameter.
func costs(err error, param string) string {
	var o *fhir.OutcomeError
	switch {
	case !errors.As(err, &o) || len(o.Issues) == 0:
		return fmt.Sprintf("it is %v, no outcome", err)
	case o.Kind != fault.Invalid || o.Issues[0].Code != "too-costly":
		return fmt.Sprintf("it is %v with the code %s", o.Kind, o.Issues[0].Code)
	case !strings.Contains(o.Issues[0].Diagnostics, param):
		return fmt.Sprintf("%q does not name %s", o.Issues[0].Diagnostics, param)
	}
	return ""
}

func TestLimits_areRefusedByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(`{"resourceType":"Patient","id":"a"}`)
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+"&", n), "&") }
	chains := func(n int) string {
		var parts []string
		for i := range n {
			parts = append(parts, fmt.Sprintf("_has:Observation:patient:_has:DiagnosticReport:result:code=%d", i))
		}
		return strings.Join(parts, "&")
	}
	for _, c := range []struct{ name, query, param string }{
		{"parameters", many(search.MaxParameters+1, "gender=male"), "gender"},
		{"values", "name=" + strings.Repeat("a,", search.MaxValues) + "a", "name"},
		{"steps of a chain", strings.Repeat("link:Patient.", search.MaxChain+1) + "name=a", "link:Patient"},
		{"steps of _has", strings.Repeat("_has:Patient:link:", search.MaxChain+1) + "name=a", "_has"},
		{"steps of all chains", chains(search.MaxSteps/2 + 1), "_has:Observation:patient:_has"},
		{"keys of _sort", "_sort=name,gender,birthdate,family,given,active", "_sort"},
		{"page", fmt.Sprintf("_count=%d", search.MaxCount+1), "_count"},
		{"includes", many(search.MaxIncludes+1, "_include=Patient:link"), "_include"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.ask(c.query)
			if wrong := costs(err, c.param); wrong != "" {
				t.Error(wrong)
			}
		})
	}
	for _, query := range []string{chains(search.MaxSteps / 2), many(search.MaxParameters, "_has:Observation:patient:code=1")} {
		if _, err := w.ask(query); err != nil {
			t.Errorf("at the limit: %v", err)
		}
	}
}

func TestLimits_endASearchThatTakesTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(`{"resourceType":"Patient","id":"a","gender":"male"}`)
	var err error
	w.service, err = search.New(search.Options{Datastores: w, Time: time.Nanosecond})
	must(t, err)
	_, err = w.ask("gender=male")
	if wrong := costs(err, "ended after 1ns"); wrong != "" {
		t.Error(wrong)
	}
	v := w.view()
	_, err = w.service.MatchAt(t.Context(), v, base, mustCode("Patient"), "gender=male", 2)
	if wrong := costs(err, "ended after 1ns"); wrong != "" {
		t.Error(wrong)
	}
	must(t, v.Close())
	if wrong := costs(search.Ended(map[string]int{"gender": 3, "_has:Observation:patient:code": 9}), "parameter _has:Observation:patient:code"); wrong != "" {
		t.Error(wrong)
	}
	// A caller who goes away, or has no time left, is another matter.
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err = w.service.Search(ctx, search.Request{Datastore: "d", Base: base + "/", Type: mustCode("Patient")})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without time left: %v", err)
	}
}
