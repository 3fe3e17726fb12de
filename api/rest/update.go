package rest

import (
	"net/http"

	"tarn/interaction"
	"tarn/store"
)

// update is PUT {type}/{id} (FHIR R4 section 3.1.0.4): 200, or 201 where it created the resource.
func (f *Face) update(r *request) error {
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
	res, err := f.o.Interactions.Update(r.Context(), r.target, body, c, o)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if res.Change == store.Created {
		status = http.StatusCreated
	}
	return r.written(status, res)
}

// conditions are the preconditions that the headers of a write ask for (FHIR R4 section 3.1.0.5).
func (r *request) conditions() (c interaction.Conditions, err error) {
	if tag := r.Header.Get("If-Match"); tag != "" {
		if c.IfMatch, err = parseETag("If-Match", tag); err != nil {
			return c, err
		}
	}
	switch tag := r.Header.Get("If-None-Match"); tag {
	case "":
	case "*":
		c.IfNoneMatch = true
	default:
		return c, badHeader("If-None-Match", "* is the only value that a write can have")
	}
	if c.IfMatch != 0 && c.IfNoneMatch {
		return c, badHeader("If-None-Match", "it contradicts If-Match")
	}
	return c, nil
}
