package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/search"
)

// everything is GET and POST of {type}/{id}/$everything, of a Patient or an Encounter
// (http://hl7.org/fhir/R4/patient-operation-everything.html). By POST the parameters come as Parameters, or in the URL.
func (f *Face) everything(r *request) error {
	pairs, err := r.operationPairs()
	if err != nil {
		return err
	}
	result, err := f.o.Searches.Everything(r.Context(), search.EverythingRequest{Datastore: r.target.Datastore, Base: r.call.Base,
		Of: search.Compartment{Type: r.target.Type, ID: r.target.ID}, Pairs: pairs, At: r.target.At})
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := f.o.Searches.Write(&body, result); err != nil {
		return err
	}
	return r.write(http.StatusOK, body.Bytes())
}

// operationPairs are the parameters of an operation: of the URL, and of a Parameters resource where one was posted, of
// which the parts are simple values.
func (r *request) operationPairs() ([]search.Pair, error) {
	all, err := search.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	pairs := all[:0]
	for _, p := range all {
		if !strings.HasPrefix(p.Name, "X-Amz-") { // the signature of a URL
			pairs = append(pairs, p)
		}
	}
	if r.Method != http.MethodPost {
		return pairs, nil
	}
	body, err := r.resource()
	if err != nil || len(body) == 0 {
		return pairs, err
	}
	parser := fhir.NewParser(fhir.Limits{})
	res, err := parser.Borrow(body)
	if err != nil {
		return nil, err
	}
	refuse := func(n fhir.Node, why string) error {
		issue := fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid, Diagnostics: why, Expression: []string{parser.Doc().Path(n)}}
		issue.Line, issue.Column, issue.Offset = fhir.Locate(body, n.Offset())
		return fhir.NewOutcomeError(fault.Invalid, "rest", issue)
	}
	root := parser.Doc().Root()
	if res.Type() != "Parameters" {
		return nil, refuse(root.Member("resourceType"), fmt.Sprintf("The parameters of an operation come as Parameters, not as a %s.", res.Type()))
	}
	for p := range root.Member("parameter").Children() {
		name := p.Member("name")
		if name.Kind() != fhir.String {
			return nil, refuse(p, "A parameter must have a name.")
		}
		value := ""
		for m := range p.Children() {
			if !strings.HasPrefix(string(m.Key()), "value") {
				continue
			}
			if k := m.Kind(); k != fhir.String && k != fhir.Number && k != fhir.True && k != fhir.False {
				return nil, refuse(m, "The value must be a simple one.")
			}
			value = string(m.AppendText(nil))
		}
		pairs = append(pairs, search.Pair{Name: string(name.AppendText(nil)), Value: value})
	}
	return pairs, nil
}
