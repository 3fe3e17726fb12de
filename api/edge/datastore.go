package edge

import (
	"context"
	"net/http"
	"strings"

	"tarn/catalog"
	"tarn/fault"
)

// Datastores finds data stores; the catalog does.
type Datastores interface {
	// Known is fault.NotFound where there is none of that id. It is asked for every request, so it answers from memory;
	// what another process over the same rows changed may show a second later.
	Known(ctx context.Context, id string) (catalog.Datastore, error)
}

// DatastoreCall is an authenticated request below /datastore/{id}/r4/. It is for one goroutine.
type DatastoreCall struct {
	*Call
	ID   string
	Base string // of absolute URLs, with a slash at its end
	Path string // below the base, without a slash at its beginning
	arn  string
	tags map[string]string
}

// Datastore authenticates a request below /datastore/{id}/r4/ and finds its data store. Nothing is said of a data store
// to a caller without a valid signature.
func (e *Edge) Datastore(w http.ResponseWriter, r *http.Request, all Datastores) (*DatastoreCall, error) {
	call, err := e.Authenticate(w, r, "healthlake")
	if err != nil {
		return nil, err
	}
	rest := strings.TrimPrefix(r.URL.Path, "/datastore/")
	id, rest, _ := strings.Cut(rest, "/")
	version, rest, _ := strings.Cut(rest, "/")
	if version != "r4" {
		return nil, WithStatus(http.StatusNotFound, fault.WithHint(
			fault.Errorf(fault.Unsupported, "edge.Datastore", "There is nothing at this address."), "The base of a data store is /datastore/ID/r4/."))
	}
	d, err := all.Known(r.Context(), id)
	if err != nil {
		return nil, err
	}
	return &DatastoreCall{Call: call, ID: id, Base: d.Endpoint, Path: strings.TrimLeft(rest, "/"), arn: d.ARN, tags: d.Tags}, nil
}

// Authorize says whether the caller's policies allow the action on the data store, with what else is known of the request.
func (c *DatastoreCall) Authorize(action string, facts ...Fact) error {
	return c.Call.Authorize(action, c.arn, append(ResourceTags(c.tags), facts...)...)
}
