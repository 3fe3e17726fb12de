package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
)

type searchCmd struct {
	Query   string `arg:"" help:"As in a URL below the data store's base: 'Patient?name=chalmers&_sort=birthdate'."`
	Explain bool   `help:"Say how the search is answered, and what it costs, in place of its results." short:"x"`
	All     bool   `help:"Follow the pages to the last one."`
	dataStore
	remote
}

// searchAnswer is the result as JSON.
type searchAnswer struct {
	Total    *int              `json:"total,omitempty"`
	Matches  []json.RawMessage `json:"matches"`
	Included []json.RawMessage `json:"included,omitempty"`
	Warnings []string          `json:"warnings,omitempty"`
	Next     string            `json:"next,omitempty"`
}

// Run prints the resources that the query finds, one a line; those that are included come last.
func (c *searchCmd) Run(ctx context.Context, s *screen) error {
	query := strings.TrimLeft(c.Query, "/")
	if query == "" {
		return usagef("tarn search '?_type=Patient,Practitioner&_lastUpdated=ge2026' searches several types", "The query is empty.")
	}
	if name, _, _ := strings.Cut(query, "?"); strings.Contains(name, "=") {
		return usagef("tarn search 'Patient?name=x'", "%q names no resource type before its parameters.", c.Query)
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := c.find(ctx, api)
	if err != nil {
		return err
	}
	if c.Explain {
		steps, err := api.ExplainSearch(ctx, d.DatastoreId, query)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.json(steps)
		}
		for _, step := range steps {
			s.say("%s", step)
		}
		return nil
	}
	all := searchAnswer{Matches: []json.RawMessage{}}
	for query != "" {
		page, err := api.Search(ctx, d.DatastoreId, query)
		if err != nil {
			return err
		}
		if !c.JSON {
			for _, r := range append(page.Matches, page.Included...) {
				s.say("%s", r)
			}
			for _, w := range page.Warnings {
				s.note("%s", w)
			}
		}
		if page.Total != nil {
			all.Total = page.Total
		}
		all.Matches, all.Included = append(all.Matches, page.Matches...), append(all.Included, page.Included...)
		all.Warnings = append(all.Warnings, page.Warnings...)
		all.Next = page.Next
		if query = page.Next; !c.All {
			break
		}
	}
	if c.JSON {
		return s.json(all)
	}
	s.note("%s", s.faintErr(all.summary(c.All)))
	return nil
}

// summary says how much was printed, and how to see the rest.
func (a *searchAnswer) summary(everything bool) string {
	text := matches(len(a.Matches))
	if a.Total != nil && *a.Total != len(a.Matches) {
		text += " of " + strconv.Itoa(*a.Total)
	}
	if n := len(a.Included); n > 0 {
		text += ", " + plural(n, "resource") + " included"
	}
	if a.Next != "" && !everything {
		text += "; --all shows the pages that follow"
	}
	return text
}

func matches(n int) string {
	if n == 1 {
		return "1 match"
	}
	return strconv.Itoa(n) + " matches"
}
