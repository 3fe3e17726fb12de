package rest

import (
	"net/http"

	"tarn/store"
)

// delete is DELETE {type}/{id} (FHIR R4 section 3.1.0.7): 204, also where there was nothing to delete.
func (f *Face) delete(r *request) error {
	c, err := r.conditions()
	if err != nil {
		return err
	}
	if c.IfNoneMatch {
		return badHeader("If-None-Match", "a delete knows If-Match only")
	}
	res, err := f.o.Interactions.Delete(r.Context(), r.target, c)
	if err != nil {
		return err
	}
	return r.deleted(res)
}

// deleted answers a delete of one resource.
func (r *request) deleted(res store.Result) error {
	if res.Change == store.Deleted {
		r.w.Header().Set("ETag", etag(res.Number))
	}
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}
