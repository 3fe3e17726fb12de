package rest

import (
	"net/http"
	"strconv"

	"tarn/fault"
	"tarn/store"
)

// read is GET {type}/{id} (FHIR R4 section 3.1.0.2): 404 where there never was one, 410 where it is deleted, 304 where
// the caller has it.
func (f *Face) read(r *request) error {
	v, err := f.o.Interactions.Read(r.Context(), r.target)
	if fault.Is(err, fault.Gone) && v.Number > 0 {
		r.w.Header().Set("ETag", etag(v.Number))
	}
	if err != nil {
		return err
	}
	return r.found(v)
}

// vread is GET {type}/{id}/_history/{vid} (FHIR R4 section 3.1.0.3).
func (f *Face) vread(r *request) error {
	number, err := strconv.ParseUint(r.vid, 10, 63)
	if err != nil || number == 0 || r.vid[0] == '0' {
		return fault.Errorf(fault.NotFound, "rest", "%s/%s has no version %q.", r.target.Type, r.target.ID, r.vid)
	}
	v, err := f.o.Interactions.ReadVersion(r.Context(), r.target, number)
	if err != nil {
		return err
	}
	return r.found(v)
}

// found answers with a version, or 304 where the request's conditions allow it (FHIR R4 section 3.1.0.1.3).
func (r *request) found(v store.Version) error {
	r.setVersion(v)
	if r.unchanged(v) {
		r.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if v.Type == binary {
		return r.foundBinary(v)
	}
	return r.write(http.StatusOK, v.Body)
}
