package rest

import (
	"fmt"
	"mime"
	"net/http"

	"tarn/api/edge"
	"tarn/fault"
	"tarn/fhir/patch"
	"tarn/interaction"
)

// patch is PATCH {type}/{id} (FHIR R4 section 3.1.0.6), by JSON Patch or FHIRPath Patch.
func (f *Face) patch(r *request) error {
	p, err := f.patchOf(r)
	if err != nil {
		return err
	}
	c, o, err := r.writing()
	if err != nil {
		return err
	}
	res, err := f.o.Interactions.Patch(r.Context(), r.target, p, c, o)
	if err != nil {
		return err
	}
	return r.written(http.StatusOK, res)
}

// patchWhere is PATCH {type}?criteria.
func (f *Face) patchWhere(r *request) error {
	p, err := f.patchOf(r)
	if err != nil {
		return err
	}
	c, o, err := r.writing()
	if err != nil {
		return err
	}
	res, err := f.o.Interactions.PatchWhere(r.Context(), r.target.Datastore, r.target.Type, r.where(r.criteria()), p, c, o)
	if err != nil {
		return err
	}
	return r.written(http.StatusOK, res)
}

// patchOf reads the body in the form that its media type names.
func (f *Face) patchOf(r *request) (*patch.Patch, error) {
	if r.entry != nil {
		return f.o.Interactions.ReadPatch(interaction.EntryPatch, r.entry.Resource())
	}
	given := r.Header.Get("Content-Type")
	name, _, err := mime.ParseMediaType(given)
	form := interaction.PathPatch
	switch {
	case err == nil && name == interaction.MediaJSONPatch:
		form = interaction.JSONPatch
	case err != nil || !media[name]:
		forms := fmt.Sprintf("%s, %s", interaction.MediaJSONPatch, mediaFHIR)
		r.w.Header().Set("Accept-Patch", forms) // RFC 5789 section 2.2
		return nil, edge.WithStatus(http.StatusUnsupportedMediaType, fault.WithHint(
			fault.Errorf(fault.Unsupported, "rest.patch", "A patch does not come as %q.", given), "Send Content-Type: one of %s.", forms))
	}
	body, err := r.call.Bytes()
	if err != nil {
		return nil, err
	}
	return f.o.Interactions.ReadPatch(form, body)
}

// writing are the conditions and the options of a write to what is there.
func (r *request) writing() (interaction.Conditions, interaction.WriteOptions, error) {
	c, err := r.conditions()
	if err == nil && c.IfNoneMatch {
		err = badHeader("If-None-Match", "this interaction knows If-Match only")
	}
	if err != nil {
		return c, interaction.WriteOptions{}, err
	}
	o, err := r.writeOptions()
	return c, o, err
}
