package rest

import (
	"net/http"

	"tarn/interaction"
)

// validate is POST {type}/$validate and {type}/{id}/$validate, and GET of the second, which looks at the stored resource
// (http://hl7.org/fhir/R4/resource-operation-validate.html). The answer is 200 with an OperationOutcome whatever the
// resource is like; another status tells that it could not be looked at.
func (f *Face) validate(r *request) error {
	o, err := r.writeOptions()
	if err != nil {
		return err
	}
	query := r.URL.Query()
	q := interaction.Validation{Target: r.target, Level: o.Level, Mode: query.Get("mode"), Profile: query.Get("profile")}
	if r.Method == http.MethodPost && r.ContentLength != 0 {
		if q.Body, err = r.resource(); err != nil {
			return err
		}
	}
	outcome, err := f.o.Interactions.Validate(r.Context(), q)
	if err != nil {
		return err
	}
	return r.write(http.StatusOK, outcome.AppendJSON(nil))
}
