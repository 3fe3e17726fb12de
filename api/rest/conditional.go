package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/interaction"
	"tarn/store"
)

// criteria is the query without the parameters that are about the answer.
func (r *request) criteria(others ...string) string {
	others = append(others, "_format", "_pretty")
	var kept []string
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); part == "" || err == nil && slices.Contains(others, name) {
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, "&")
}

// where are criteria of this data store.
func (r *request) where(query string) interaction.Where {
	return interaction.Where{Base: r.call.Base, Query: query}
}

// updateWhere is PUT {type}?criteria (FHIR R4 section 3.1.0.4.3).
func (f *Face) updateWhere(r *request) error {
	body, err := f.body(r)
	if err != nil {
		return err
	}
	c, err := r.conditions()
	if err != nil {
		return err
	}
	o, err := r.writeOptions()
	if err != nil {
		return err
	}
	res, err := f.o.Interactions.UpdateWhere(r.Context(), r.target.Datastore, r.target.Type, r.where(r.criteria()), body, c, o)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if res.Change == store.Created {
		status = http.StatusCreated
	}
	return r.written(status, res)
}

// deleteWhere is DELETE {type}?criteria (FHIR R4 section 3.1.0.7.1): of one resource, or of up to _count.
func (f *Face) deleteWhere(r *request) error {
	c, err := r.conditions()
	if err != nil {
		return err
	}
	if c.IfNoneMatch {
		return badHeader("If-None-Match", "a delete knows If-Match only")
	}
	if r.URL.Query().Has("_count") {
		return f.deleteAll(r, c)
	}
	res, err := f.o.Interactions.DeleteWhere(r.Context(), r.target.Datastore, r.target.Type, r.where(r.criteria()), c)
	if err != nil {
		return err
	}
	return r.deleted(res)
}

// deleteAll answers as HealthLake does: a batch-response with an entry for each resource, and a link to be followed by
// DELETE while more meet the criteria. Since it lists what the criteria match it needs the right to search too.
func (f *Face) deleteAll(r *request, c interaction.Conditions) error {
	if c.IfMatch != 0 {
		return badHeader("If-Match", "a delete with _count cannot have it")
	}
	if r.entry != nil {
		return badParameter("_count", "a delete in a Bundle is of one resource")
	}
	counts := r.URL.Query()["_count"]
	count, err := strconv.Atoi(counts[len(counts)-1])
	if err != nil || count < 1 || count > interaction.MaxDeleted {
		return badParameter("_count", fmt.Sprintf("it is no number from 1 to %d", interaction.MaxDeleted))
	}
	if err := r.call.Authorize("healthlake:SearchWithGet"); err != nil {
		return err
	}
	criteria := r.criteria("_count")
	done, more, err := f.o.Interactions.DeleteAll(r.Context(), r.target.Datastore, r.target.Type, r.where(criteria), count)
	if err != nil {
		return err
	}
	self := fmt.Sprintf("%s%s?%s&_count=%d", r.call.Base, r.target.Type, criteria, count)
	links := []fhir.BundleLink{{Relation: "self", URL: self}}
	if more {
		links = append(links, fhir.BundleLink{Relation: "next", URL: self})
	}
	var entries []fhir.BundleEntry
	for _, d := range done {
		e := fhir.BundleEntry{Response: fhir.BundleResponse{Status: "204", Location: fmt.Sprintf("%s/%s", d.Type, d.ID)}}
		switch {
		case d.Err != nil:
			e.Response.Status = "412"
			e.Response.Outcome = fhir.Outcome{Issues: []fhir.Issue{{Severity: fhir.SeverityError, Code: "conflict", Diagnostics: fault.Message(d.Err)}}}.AppendJSON(nil)
		case d.Number > 0:
			e.Response.ETag, e.Response.LastModified = etag(d.Number), d.Instant
		}
		entries = append(entries, e)
	}
	return r.answerBundle(http.StatusOK, "batch-response", links, entries)
}

// badParameter refuses a parameter of the URL.
func badParameter(name, why string) error {
	return fhir.NewOutcomeError(fault.Invalid, "rest", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeValue,
		Diagnostics: fmt.Sprintf("The parameter %s cannot be used: %s.", name, why)})
}
