package rest

import (
	"bytes"
	"net/http"

	"tarn/fault"
	"tarn/fhir"
	"tarn/interaction"
)

// bundle is POST to the base: a batch or a transaction (FHIR R4 section 3.1.0.11). The caller needs the right to process
// bundles and, for each entry, that of its own interaction.
func (f *Face) bundle(r *request) error {
	body, err := r.resource()
	if err != nil {
		return err
	}
	b, err := f.o.Interactions.ReadBundle(r.call.Base, body)
	if err != nil {
		return err
	}
	defer b.Close()
	if b.Transaction {
		return f.transaction(r, b, body)
	}
	return f.batch(r, b)
}

// transaction carries out a transaction: what writes, all or nothing, and then what reads, as of it.
func (f *Face) transaction(r *request, b *interaction.Bundle, body []byte) error {
	o, err := r.writeOptions()
	if err != nil {
		return err
	}
	calls := f.entryCallsOf(r, b.Entries)
	for i, c := range calls {
		if c.refused != nil {
			return entryRefused(i, c.refused)
		}
	}
	key, err := r.idempotencyKey()
	if err != nil {
		return err
	}
	request := interaction.TransactionRequest{Datastore: r.target.Datastore, Base: r.call.Base, Bundle: b, Options: o, Key: key}
	switch {
	case r.prefers("respond-async"):
		return f.submit(r, request, body)
	case key != "":
		rec, again, err := f.o.Interactions.TransactOnce(r.Context(), request)
		if err != nil {
			return err
		}
		return f.transacted(r, statusOnce(again), rec.Transacted, f.entryCallsOf(r, rec.Entries))
	}
	done, err := f.o.Interactions.Transact(r.Context(), request)
	if err != nil {
		return err
	}
	return f.transacted(r, http.StatusOK, done, calls)
}

// statusOnce is the status of a transaction with an idempotency key; again says that an earlier one with it was carried
// out.
func statusOnce(again bool) int {
	if again {
		return http.StatusConflict
	}
	return http.StatusOK
}

// transacted answers a transaction that was carried out: what it wrote, and what its other entries read as of it.
func (f *Face) transacted(r *request, status int, done interaction.Transacted, calls []*entryCall) error {
	answers := make([]fhir.BundleEntry, len(calls))
	errs := make([]error, len(calls))
	each(len(calls), func(i int) {
		if d := &done.Done[i]; d.Status != 0 {
			answers[i], errs[i] = f.doneEntry(r, d)
			return
		}
		calls[i].target.At = done.Tx
		answers[i] = calls[i].run(f, nil)
	})
	for i := range done.Done {
		if errs[i] != nil {
			return errs[i]
		}
		if len(done.Done[i].Tolerated) > 0 {
			r.w.Header().Set(validationIssues, "true")
		}
	}
	return r.bundleOf(status, "transaction-response", answers)
}

// doneEntry is the answer to an entry of a transaction that wrote, with as much as the caller prefers.
func (f *Face) doneEntry(r *request, d *interaction.Done) (e fhir.BundleEntry, _ error) {
	e.Response.Status = statusText(d.Status)
	if d.Version.Number > 0 {
		e.Response.ETag = etag(d.Version.Number)
		e.Response.LastModified = d.Version.Instant
	}
	if d.Status == http.StatusNoContent {
		return e, nil
	}
	e.Response.Location = location(d.Version)
	switch r.prefer("return") {
	case "representation":
		e.FullURL = r.call.Base + d.Version.Type.String() + "/" + d.Version.ID
		if e.Resource = d.Version.Body; e.Resource == nil { // it was done before
			at := interaction.Target{Datastore: r.target.Datastore, Type: d.Version.Type, ID: d.Version.ID}
			v, err := f.o.Interactions.ReadVersion(r.Context(), at, d.Version.Number)
			if err != nil && !fault.Is(err, fault.Gone) { // it may have been erased since
				return e, err
			}
			e.Resource = v.Body
		}
	case "OperationOutcome":
		e.Response.Outcome = fhir.Outcome{Issues: d.Tolerated}.AppendJSON(nil)
	}
	if len(d.Tolerated) > 0 {
		e.Response.Outcome = fhir.Outcome{Issues: d.Tolerated}.AppendJSON(nil)
	}
	return e, nil
}

// bundleOf answers with a Bundle of the type.
func (r *request) bundleOf(status int, kind string, entries []fhir.BundleEntry) error {
	return r.answerBundle(status, kind, []fhir.BundleLink{{Relation: "self", URL: r.call.Base}}, entries)
}

// answerBundle answers with a Bundle of the type and the links.
func (r *request) answerBundle(status int, kind string, links []fhir.BundleLink, entries []fhir.BundleEntry) error {
	var out bytes.Buffer
	w := fhir.NewBundleWriter(&out, fhir.BundleHead{Type: kind, Links: links})
	for i := range entries {
		if err := w.Add(entries[i]); err != nil {
			return fault.Wrap("rest.bundle", err)
		}
	}
	if err := w.Close(); err != nil {
		return fault.Wrap("rest.bundle", err)
	}
	return r.write(status, out.Bytes())
}
