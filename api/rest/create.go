package rest

import "net/http"

// create is POST {type} (FHIR R4 section 3.1.0.8).
func (f *Face) create(r *request) error {
	body, err := r.resource()
	if err != nil {
		return err
	}
	if err := r.refuseHeader("If-None-Exist", "conditional create"); err != nil {
		return err
	}
	res, err := f.o.Interactions.Create(r.Context(), r.target.Datastore, r.target.Type, body)
	if err != nil {
		return err
	}
	return r.written(http.StatusCreated, res)
}
