package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tarn/erase"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Erasures is the service behind $erase.
type Erasures interface {
	Start(ctx context.Context, r erase.Request) (id string, state erase.State, err error)
	Status(ctx context.Context, datastore, id string) (erase.Progress, error)
}

var patient, _ = r4.CodeOf("Patient")

// erase is POST {type}/{id}/$erase: the resource with all its versions goes from every answer at once, or where that
// fails in a moment, and from the disk soon after (docs/erase.md). With compartment=true, of a Patient, so does what
// belongs to that patient alone. The answer is 202 and where it can be asked how far that is.
func (f *Face) erase(r *request) error {
	if r.entry != nil {
		return fault.Errorf(fault.Unsupported, "rest", "$erase is not part of a Bundle.")
	}
	pairs, err := r.operationPairs()
	if err != nil {
		return err
	}
	req := erase.Request{Datastore: r.target.Datastore, Type: r.target.Type, ID: r.target.ID, Base: strings.TrimRight(r.call.Base, "/"), Caller: r.call.Principal.ARN}
	for _, p := range pairs {
		refuse := func(why string) error {
			return fhir.NewOutcomeError(fault.Invalid, "rest", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
				Diagnostics: fmt.Sprintf("The parameter %.40s cannot be used: %s.", p.Name, why)})
		}
		switch {
		case p.Name == "_format" || p.Name == "_pretty":
		case p.Name != "compartment":
			return refuse("$erase knows compartment only")
		case p.Value != "true" && p.Value != "false":
			return refuse("it is true or false")
		case p.Value == "true" && req.Type != patient:
			return refuse("only of a Patient a compartment is erased")
		default:
			req.Compartment = p.Value == "true"
		}
	}
	id, state, err := f.o.Erasures.Start(r.Context(), req)
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Location", r.call.Base+"Erasure/"+id)
	if state == erase.Waiting {
		return r.accepted("The erasure has been accepted; what it means goes from every answer in a moment", string(state))
	}
	return r.accepted("It is gone from every answer, and will soon be from the disk", string(state))
}

// erasure is GET Erasure/{id}: 202 while something is left, then 200 with Parameters that tell how many resources of each
// type were erased, and what was left standing; or 500 and why it failed.
func (f *Face) erasure(r *request) error {
	p, err := f.o.Erasures.Status(r.Context(), r.target.Datastore, r.target.ID)
	if err != nil {
		return err
	}
	switch p.State {
	case erase.Failed:
		// It is 500 for want of another word, but no fault of this request, and to ask again changes nothing. It is
		// answered here, because edge keeps the text of faults of the server to the log.
		return r.write(http.StatusInternalServerError, fhir.Outcome{Issues: []fhir.Issue{{Severity: fhir.SeverityError, Code: "exception",
			Diagnostics: "The erasure failed: " + p.Message}}}.AppendJSON(nil))
	case erase.Waiting:
		return r.accepted("", string(p.State))
	case erase.Hidden:
		if len(p.HeldUpBy) == 0 {
			return r.accepted("", string(p.State))
		}
		return r.accepted(fmt.Sprintf("It is gone from every answer. Exports that began before still read it: %s. It goes from the disk when they have ended; at %s they are ended.",
			strings.Join(p.HeldUpBy, ", "), fhir.InstantOf(p.Until)), string(p.State))
	}
	return r.write(http.StatusOK, erasedParameters(&p))
}

// erasedParameters tells what came of an erasure.
func erasedParameters(p *erase.Progress) []byte {
	var items []string
	counts := p.Counts()
	types := make([]string, 0, len(counts))
	for typ := range counts {
		types = append(types, typ)
	}
	slices.Sort(types)
	for _, typ := range types {
		items = append(items, fmt.Sprintf(`{"name":"erased","part":[{"name":"type","valueCode":%q},{"name":"count","valueInteger":%d}]}`, typ, counts[typ]))
	}
	var kept []string
	hidden, purged := fhir.Instant(0), fhir.Instant(0)
	for _, rec := range p.Records {
		hidden, purged = max(hidden, fhir.Instant(rec.Instant)), max(purged, fhir.Instant(rec.Purged))
		kept = append(kept, rec.Kept...)
	}
	slices.Sort(kept)
	for _, ref := range slices.Compact(kept) {
		items = append(items, fmt.Sprintf(`{"name":"kept","valueReference":{"reference":%q}}`, ref))
	}
	if hidden != 0 {
		items = append(items, fmt.Sprintf(`{"name":"hidden","valueInstant":%q}`, hidden), fmt.Sprintf(`{"name":"purged","valueInstant":%q}`, purged))
	}
	if len(items) == 0 {
		items = append(items, `{"name":"nothing","valueBoolean":true}`)
	}
	return []byte(`{"resourceType":"Parameters","parameter":[` + strings.Join(items, ",") + `]}`)
}
