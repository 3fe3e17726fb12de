package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// kind is one kind of search; query makes the k-th of it.
type kind struct {
	name, note string
	query      func(k int) string
}

func pick(list []string, k int) string { return list[k*7919%len(list)] }

func kinds(p *patients) []kind {
	common := p.codes[:min(10, len(p.codes))]
	esc := url.QueryEscape
	return []kind{
		{"token", "Observation?code=", func(k int) string { return "Observation?code=" + esc(pick(p.codes, k)) }},
		{"token and date and reference", "Observation?code=&date=ge&subject=", func(k int) string {
			return "Observation?code=" + esc(pick(common, k)) + "&date=ge" + pick(p.dates, k) + "&subject=Patient/" + pick(p.ids, k)
		}},
		{"reference", "Condition?subject=", func(k int) string { return "Condition?subject=Patient/" + pick(p.ids, k) }},
		{"string", "Patient?name=", func(k int) string { return "Patient?name=" + esc(pick(p.families, k)) }},
		{"chain", "Condition?subject:Patient.family=", func(k int) string { return "Condition?subject:Patient.family=" + esc(pick(p.families, k)) }},
		{"chain and token", "Observation?patient.family=&code=", func(k int) string {
			return "Observation?patient.family=" + esc(pick(p.families, k)) + "&code=" + esc(pick(common, k))
		}},
		{"_has", "Patient?_has:Observation:patient:code=", func(k int) string { return "Patient?_has:Observation:patient:code=" + esc(pick(p.codes, k)) }},
		{"token, sorted by date", "Observation?code=&_sort=-date", func(k int) string { return "Observation?code=" + esc(pick(p.codes, k)) + "&_sort=-date" }},
		{"reference, sorted by date", "Observation?patient=&_sort=-date", func(k int) string { return "Observation?patient=" + pick(p.ids, k) + "&_sort=-date" }},
		{"all, sorted by date", "Observation?_sort=-date", func(int) string { return "Observation?_sort=-date" }},
		{"reference with _include", "Observation?patient=&_include=Observation:encounter", func(k int) string {
			return "Observation?patient=" + pick(p.ids, k) + "&_include=Observation:encounter"
		}},
	}
}

// searchFor is how long one kind of search is measured.
func (b *bench) searchFor() time.Duration { return b.load / 2 }

// searches measures first pages, one after the other, and the hundredth.
func (b *bench) searches(ctx context.Context) error {
	c, err := b.caller()
	if err != nil {
		return err
	}
	p, err := b.people()
	if err != nil {
		return err
	}
	for _, one := range kinds(p) {
		if err := b.search(ctx, c, one); err != nil {
			b.report.add("search, "+one.name, "not measured", "", err.Error())
		}
	}
	return b.pages(ctx, c, p)
}

func (b *bench) search(ctx context.Context, c *caller, one kind) error {
	hits := 0
	for k := range 5 { // warms up, and tells what is found
		var body bytes.Buffer
		if _, err := c.fetch(ctx, http.MethodGet, one.query(k)+"&_count=20", nil, http.StatusOK, &body); err != nil {
			return err
		}
		var page struct{ Entry []json.RawMessage }
		if err := json.Unmarshal(body.Bytes(), &page); err != nil {
			return err
		}
		hits += len(page.Entry)
	}
	all, _, err := storm(ctx, 1, b.searchFor(), 0, nil, func(ctx context.Context, _, k int) error {
		return c.send(ctx, http.MethodGet, one.query(k)+"&_count=20", nil, http.StatusOK)
	})
	if err != nil {
		return err
	}
	b.report.add("search, "+one.name+", p50 / p99", ms(percentile(all, 50))+" / "+ms(percentile(all, 99)), "5 ms p99",
		fmt.Sprintf("`%s`, first page of 20, %.0f entries on average; one client, %d queries", one.note, float64(hits)/5, len(all)))
	return nil
}

// pages walks from page to page and compares the first with the hundredth.
func (b *bench) pages(ctx context.Context, c *caller, p *patients) error {
	var first, hundredth []time.Duration
	for k := range 20 {
		at := "Observation?code=" + url.QueryEscape(p.codes[k%min(3, len(p.codes))]) + "&_count=20"
		for page := 1; page <= 100; page++ {
			var body bytes.Buffer
			begin := time.Now()
			if _, err := c.fetch(ctx, http.MethodGet, at, nil, http.StatusOK, &body); err != nil {
				return err
			}
			took := time.Since(begin)
			if page == 1 {
				first = append(first, took)
			} else if page == 100 {
				hundredth = append(hundredth, took)
			}
			next, err := nextLink(body.Bytes())
			if err != nil {
				return err
			}
			if at = next; at == "" {
				break
			}
		}
	}
	if len(hundredth) == 0 {
		b.report.add("search, hundredth page", "not measured", "", "the input is too small")
		return nil
	}
	b.report.add("search, first and hundredth page, p50", ms(percentile(first, 50))+", "+ms(percentile(hundredth, 50)), "",
		fmt.Sprintf("`Observation?code=`, pages of 20; worst %s, %s; %d walks", ms(percentile(first, 100)), ms(percentile(hundredth, 100)), len(hundredth)))
	return nil
}

func nextLink(bundle []byte) (string, error) {
	var page struct {
		Link []struct{ Relation, URL string }
	}
	if err := json.Unmarshal(bundle, &page); err != nil {
		return "", err
	}
	for _, l := range page.Link {
		if l.Relation == "next" {
			return l.URL, nil
		}
	}
	return "", nil
}
