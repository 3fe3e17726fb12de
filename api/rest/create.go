package rest

import (
	"net/http"
	"regexp"
	"strings"

	"tarn/fault"
	"tarn/interaction"
	"tarn/store"
)

// idempotencyKey is HealthLake's header that lets a create be repeated: its value is a UUID.
const idempotencyKey = "X-Amz-Fhir-Idempotency-Key"

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// create is POST {type} (FHIR R4 section 3.1.0.8), conditional with If-None-Exist: 200 with the resource that is there.
// Repeated with one idempotency key it creates nothing: 409, with the resource as it was created.
func (f *Face) create(r *request) error {
	body, err := f.body(r)
	if err != nil {
		return err
	}
	o, err := r.writeOptions()
	if err != nil {
		return err
	}
	key, err := r.idempotencyKey()
	if err != nil {
		return err
	}
	var res interaction.Written
	switch criteria, conditional := r.Header["If-None-Exist"]; {
	case conditional:
		res, err = f.o.Interactions.CreateIfNone(r.Context(), r.target.Datastore, r.target.Type, r.where(strings.Join(criteria, "&")), key, body, o)
	case key != "":
		res, err = f.o.Interactions.CreateOnce(r.Context(), r.target.Datastore, r.target.Type, key, body, o)
	default:
		res, err = f.o.Interactions.Create(r.Context(), r.target.Datastore, r.target.Type, body, o)
	}
	if fault.Is(err, fault.Exists) && res.Body != nil {
		return r.written(http.StatusConflict, res)
	}
	return r.created(res, err)
}

// idempotencyKey is the key under which the caller may repeat the request, or empty.
func (r *request) idempotencyKey() (string, error) {
	key := r.Header.Get(idempotencyKey)
	if key != "" && !uuidForm.MatchString(key) {
		return "", badHeader(idempotencyKey, "it is no UUID")
	}
	return strings.ToLower(key), nil
}

func (r *request) created(res interaction.Written, err error) error {
	if err != nil {
		return err
	}
	if res.Change == store.None { // a conditional create found it
		return r.written(http.StatusOK, res)
	}
	return r.written(http.StatusCreated, res)
}
