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
		return f.transaction(r, b)
	}
	return f.batch(r, b)
}

// transaction carries out a transaction: what writes, all or nothing, and then what reads, as of it.
func (f *Face) transaction(r *request, b *interaction.Bundle) error {
	o, err := r.writeOptions()
	if err != nil {
		return err
	}
	calls := f.entryCalls(r, b)
	for i, c := range calls {
		if c.refused != nil {
			return entryRefused(i, c.refused)
		}
	}
	done, err := f.o.Interactions.Transact(r.Context(), interaction.TransactionRequest{
		Datastore: r.target.Datastore, Base: r.call.Base, Bundle: b, Options: o})
	if err != nil {
		return err
	}
	answers := make([]fhir.BundleEntry, len(b.Entries))
	for i := range done.Done {
		d := &done.Done[i]
		if d.Status == 0 {
			calls[i].target.At = done.Tx
			continue
		}
		if len(d.Tolerated) > 0 {
			r.w.Header().Set(validationIssues, "true")
		}
		answers[i] = r.doneEntry(d)
	}
	each(len(calls), func(i int) {
		if done.Done[i].Status == 0 {
			answers[i] = calls[i].run(f, nil)
		}
	})
	return r.bundleOf("transaction-response", answers)
}

// doneEntry is the answer to an entry of a transaction that wrote, with as much as the caller prefers.
func (r *request) doneEntry(d *interaction.Done) fhir.BundleEntry {
	var e fhir.BundleEntry
	e.Response.Status = statusText(d.Status)
	if d.Version.Number > 0 {
		e.Response.ETag = etag(d.Version.Number)
		e.Response.LastModified = d.Version.Instant
	}
	if d.Status == http.StatusNoContent {
		return e
	}
	e.Response.Location = location(d.Version)
	switch r.prefer("return") {
	case "representation":
		e.FullURL = r.call.Base + d.Version.Type.String() + "/" + d.Version.ID
		e.Resource = d.Version.Body
	case "OperationOutcome":
		e.Response.Outcome = fhir.Outcome{Issues: d.Tolerated}.AppendJSON(nil)
	}
	if len(d.Tolerated) > 0 {
		e.Response.Outcome = fhir.Outcome{Issues: d.Tolerated}.AppendJSON(nil)
	}
	return e
}

// bundleOf answers with a Bundle of the type.
func (r *request) bundleOf(kind string, entries []fhir.BundleEntry) error {
	var out bytes.Buffer
	w := fhir.NewBundleWriter(&out, fhir.BundleHead{Type: kind, Links: []fhir.BundleLink{{Relation: "self", URL: r.call.Base}}})
	for i := range entries {
		if err := w.Add(entries[i]); err != nil {
			return fault.Wrap("rest.bundle", err)
		}
	}
	if err := w.Close(); err != nil {
		return fault.Wrap("rest.bundle", err)
	}
	return r.write(http.StatusOK, out.Bytes())
}
