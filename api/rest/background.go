package rest

import (
	"net/http"

	"tarn/fhir"
	"tarn/interaction"
	"tarn/job"
)

// submit takes a transaction with Prefer: respond-async, to be carried out after the answer (FHIR R4 section 3.1.0.7.2;
// HealthLake's asynchronous bundles): 202 and where its result is to be asked for.
func (f *Face) submit(r *request, request interaction.TransactionRequest, body []byte) error {
	id, err := f.o.Background.Submit(r.Context(), request, body)
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Location", r.call.Base+"Transaction/"+id)
	r.w.Header().Set("Preference-Applied", "respond-async")
	return r.accepted("Submitted Asynchronous Bundle Transaction", "")
}

// background is GET Transaction/{id}: 202 while a transaction waits or is carried out, then its answer. The caller needs
// the rights to what its entries read.
func (f *Face) background(r *request) error {
	p, err := f.o.Background.Status(r.Context(), r.target.Datastore, r.target.ID)
	switch {
	case err != nil:
		return err
	case p.Record == nil && p.State == job.Submitted:
		return r.accepted("", "SUBMITTED")
	case p.Record == nil:
		return r.accepted("", "IN_PROGRESS")
	}
	calls := f.entryCallsOf(r, p.Record.Entries)
	for i, c := range calls {
		if c != nil && c.refused != nil {
			return entryRefused(i, c.refused)
		}
	}
	return f.transacted(r, statusOnce(p.Record.Again), p.Record.Transacted, calls)
}

// accepted answers 202 with what is known.
func (r *request) accepted(details, diagnostics string) error {
	r.w.Header().Set("Retry-After", "1")
	return r.write(http.StatusAccepted, fhir.Outcome{Issues: []fhir.Issue{{Severity: fhir.SeverityInformation, Code: fhir.CodeInformational,
		Details: details, Diagnostics: diagnostics}}}.AppendJSON(nil))
}
