// Package control is the face of HealthLake's control plane: awsJson 1.0, API version 2017-07-01. One file per action;
// the table in routes.go lists them all.
package control

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"

	"tarn/api/edge"
	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
)

// service is who roles are passed to, and the scope of signatures.
const (
	service   = "healthlake"
	principal = "healthlake.amazonaws.com"
)

// Datastores is what the face needs of *catalog.Catalog.
type Datastores interface {
	Create(ctx context.Context, q catalog.CreateRequest) (catalog.Datastore, error)
	Describe(ctx context.Context, id string) (catalog.Datastore, error)
	List(ctx context.Context, f catalog.Filter) (catalog.Page, error)
	Delete(ctx context.Context, id string) (catalog.Datastore, error)
	Tag(ctx context.Context, id string, tags map[string]string) error
	Untag(ctx context.Context, id string, keys []string) error
	Tags(ctx context.Context, id string) (map[string]string, error)
	ARN(id string) string
	IDFromARN(arn string) (string, bool)
}

// Jobs is what the face needs of *job.Ledger.
type Jobs interface {
	Describe(ctx context.Context, datastore, id string) (job.Record, error)
	List(ctx context.Context, f job.ListFilter) (job.Page, error)
}

// Exports starts exports; *export.Service does.
type Exports interface {
	Start(ctx context.Context, r export.Request) (job.Record, error)
}

// Imports starts imports; *ingest.Service does.
type Imports interface {
	Start(ctx context.Context, r ingest.Request) (job.Record, error)
}

// Config is what the face stands on; all but TokenKey is required.
type Config struct {
	Edge       *edge.Edge
	Datastores Datastores
	Jobs       Jobs
	Exports    Exports
	Imports    Imports
	// TokenKey authenticates NextTokens, so that they stay good through a restart. Empty: a random one, good until the
	// process ends.
	TokenKey []byte
}

// Face serves the control plane. It is safe for concurrent use.
type Face struct {
	Config
	routes map[string]route
}

// New makes the face.
func New(c Config) (*Face, error) {
	if c.Edge == nil || c.Datastores == nil || c.Jobs == nil || c.Exports == nil || c.Imports == nil {
		return nil, fault.Errorf(fault.Internal, "control.New", "a service is missing")
	}
	if len(c.TokenKey) == 0 {
		c.TokenKey = make([]byte, 32)
		rand.Read(c.TokenKey)
	}
	f := &Face{Config: c, routes: map[string]route{}}
	for _, r := range routes() {
		f.routes[r.action] = r
	}
	return f, nil
}

// ServeHTTP answers one action.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := f.serve(w, r)
	if err != nil {
		edge.WriteJSONError(w, r, err)
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		edge.WriteJSONError(w, r, fault.Wrap("control", err))
		return
	}
	w.Header()["Content-Type"] = []string{"application/x-amz-json-1.0"}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the client may be gone
}

func (f *Face) serve(w http.ResponseWriter, r *http.Request) (any, error) {
	call, err := f.Edge.Authenticate(w, r, service)
	if err != nil {
		return nil, err
	}
	action, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "HealthLake.")
	at, ok := f.routes[action]
	switch {
	case !ok:
		err := fault.Errorf(fault.Unsupported, "control", "This server knows no such operation.")
		if action == "UpdateFHIRDatastore" {
			err = fault.Errorf(fault.Unsupported, "control", "UpdateFHIRDatastore is not offered: a data store keeps the settings that it was created with.")
		}
		return nil, edge.WithCode("UnknownOperationException", err)
	case r.Method != http.MethodPost || r.URL.Path != "/":
		return nil, edge.WithCode("UnknownOperationException", fault.Errorf(fault.Unsupported, "control", "An operation is sent as POST /."))
	}
	edge.SetRoute(r.Context(), "healthlake."+at.action)
	body, err := call.Bytes()
	if err != nil {
		return nil, err
	}
	in, err := parse(body, at.shape)
	if err != nil {
		return nil, err
	}
	return at.handle(f, &request{Context: r.Context(), call: call, in: in, route: at})
}

// request is one call of an action whose input has been checked.
type request struct {
	context.Context
	call  *edge.Call
	in    input
	route route
}

// authorize says whether the caller may do the route's action to the data store. A data store that is not there has no
// tags, but its ARN is judged all the same.
func (f *Face) authorize(r *request, datastore string, facts ...edge.Fact) error {
	d, err := f.Datastores.Describe(r, datastore)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return r.call.Authorize(r.route.iamAction, f.Datastores.ARN(datastore), append(facts, edge.ResourceTags(d.Tags)...)...)
}
