package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// SearchPage is one page of a search.
type SearchPage struct {
	Total    *int              // nil where the server does not say
	Matches  []json.RawMessage // resources
	Included []json.RawMessage
	Warnings []string // sentences of the server about the search
	Next     string   // for SearchFrom; empty on the last page
}

// Search asks for the first page of what a query finds: Patient?name=x, or ?_type=Patient&_id=1.
func (c *Client) Search(ctx context.Context, datastore, query string) (SearchPage, error) {
	var bundle struct {
		Total *int
		Link  []struct{ Relation, URL string }
		Entry []struct {
			Resource json.RawMessage
			Search   struct{ Mode string }
		}
	}
	resp, err := c.FHIR(ctx, http.MethodGet, datastore, query, nil)
	if err != nil {
		return SearchPage{}, err
	}
	if err := decode(resp, &bundle, json.Unmarshal); err != nil {
		return SearchPage{}, err
	}
	page := SearchPage{Total: bundle.Total}
	for _, e := range bundle.Entry {
		switch e.Search.Mode {
		case "include":
			page.Included = append(page.Included, e.Resource)
		case "outcome":
			page.Warnings = append(page.Warnings, sentences(e.Resource)...)
		default:
			page.Matches = append(page.Matches, e.Resource)
		}
	}
	for _, l := range bundle.Link {
		if l.Relation == "next" {
			page.Next = below(l.URL, datastore)
		}
	}
	return page, nil
}

// below is what stands behind the base of a data store in a URL.
func below(link, datastore string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	_, path, _ := strings.Cut(u.Path, "/datastore/"+datastore+"/r4/")
	return path + "?" + u.RawQuery
}

// sentences are those of an OperationOutcome.
func sentences(outcome []byte) (all []string) {
	var o struct {
		Issue []struct {
			Diagnostics string
			Details     struct{ Text string }
		}
	}
	if json.Unmarshal(outcome, &o) != nil {
		return nil
	}
	for _, i := range o.Issue {
		if i.Diagnostics == "" {
			i.Diagnostics = i.Details.Text
		}
		all = append(all, i.Diagnostics)
	}
	return all
}

// ExplainSearch asks how a query would be answered: a line for each step of the plan.
func (c *Client) ExplainSearch(ctx context.Context, datastore, query string) ([]string, error) {
	sign := "?"
	if strings.Contains(query, "?") {
		sign = "&"
	}
	resp, err := c.FHIR(ctx, http.MethodGet, datastore, query+sign+"_explain=true", nil)
	if err != nil {
		return nil, err
	}
	var plan struct {
		Parameter []struct{ ValueString string }
	}
	if err := decode(resp, &plan, json.Unmarshal); err != nil {
		return nil, err
	}
	steps := []string{}
	for _, p := range plan.Parameter {
		steps = append(steps, p.ValueString)
	}
	return steps, nil
}
