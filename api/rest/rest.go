// Package rest is the FHIR REST face of the data stores (FHIR R4 section 3.1), below /datastore/{id}/r4/. One file per
// interaction; routes.go is the list of them.
package rest

import (
	"context"
	"net/http"

	"tarn/api/edge"
	"tarn/fhir"
	"tarn/fhir/patch"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/store"
)

// Interactions is the service behind the face.
type Interactions interface {
	Create(ctx context.Context, datastore string, t r4.Code, body []byte, o interaction.WriteOptions) (interaction.Written, error)
	CreateOnce(ctx context.Context, datastore string, t r4.Code, key string, body []byte, o interaction.WriteOptions) (interaction.Written, error)
	Read(ctx context.Context, t interaction.Target) (store.Version, error)
	ReadVersion(ctx context.Context, t interaction.Target, number uint64) (store.Version, error)
	Update(ctx context.Context, t interaction.Target, body []byte, c interaction.Conditions, o interaction.WriteOptions) (interaction.Written, error)
	Delete(ctx context.Context, t interaction.Target, c interaction.Conditions) (store.Result, error)
	CreateIfNone(ctx context.Context, datastore string, t r4.Code, criteria interaction.Where, key string, body []byte, o interaction.WriteOptions) (interaction.Written, error)
	UpdateWhere(ctx context.Context, datastore string, t r4.Code, criteria interaction.Where, body []byte, c interaction.Conditions, o interaction.WriteOptions) (interaction.Written, error)
	DeleteWhere(ctx context.Context, datastore string, t r4.Code, criteria interaction.Where, c interaction.Conditions) (store.Result, error)
	DeleteAll(ctx context.Context, datastore string, t r4.Code, criteria interaction.Where, count int) ([]interaction.Deletion, bool, error)
	IsBinary(body []byte) (bool, error)
	ReadPatch(form interaction.PatchForm, body []byte) (*patch.Patch, error)
	Patch(ctx context.Context, t interaction.Target, p *patch.Patch, c interaction.Conditions, o interaction.WriteOptions) (interaction.Written, error)
	PatchWhere(ctx context.Context, datastore string, t r4.Code, criteria interaction.Where, p *patch.Patch, c interaction.Conditions, o interaction.WriteOptions) (interaction.Written, error)
	History(ctx context.Context, t interaction.Target, q interaction.HistoryQuery) (interaction.HistoryPage, error)
	HistoryOfAll(ctx context.Context, t interaction.Target, q interaction.HistoryQuery) (interaction.HistoryPage, error)
	Validate(ctx context.Context, q interaction.Validation) (fhir.Outcome, error)
	ReadBundle(base string, body []byte) (*interaction.Bundle, error)
	Transact(ctx context.Context, r interaction.TransactionRequest) (interaction.Transacted, error)
	TransactOnce(ctx context.Context, r interaction.TransactionRequest) (rec *interaction.Record, again bool, err error)
}

// Background is the service that carries out transactions after their callers were answered.
type Background interface {
	Submit(ctx context.Context, r interaction.TransactionRequest, body []byte) (id string, err error)
	Status(ctx context.Context, datastore, id string) (interaction.Progress, error)
}

// Options wire the face.
type Options struct {
	Edge         *edge.Edge
	Datastores   edge.Datastores
	Interactions Interactions
	Packages     Packages
	Background   Background
	Searches     Searches
	Erasures     Erasures
	Beside       edge.Offer // what another face serves on the same addresses, for the CapabilityStatement
	Version      string     // of the software, for the CapabilityStatement
	Started      fhir.Instant
}

// Face serves FHIR REST.
type Face struct {
	o         Options
	routes    []route
	statement statement
}

// New makes the face.
func New(o Options) *Face { return &Face{o: o, routes: routes()} }

// request is one call of one interaction: where it points, and the answer's writer.
type request struct {
	*http.Request // its Body is not verified: see resource
	call          *edge.DatastoreCall
	w             http.ResponseWriter
	target        interaction.Target // Type and ID as far as the route has them
	vid           string
	pack          string             // name of a package of profiles; vid is its version
	within        r4.Code            // the type that is searched in the compartment of target; 0: all of them
	entry         *interaction.Entry // where the request is one of a Bundle's
	when          fhir.Instant       // of the version that the answer is about
}

// ServeHTTP routes by method and path; every answer that is no resource is an OperationOutcome.
func (f *Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f.serve(w, r); err != nil {
		edge.WriteOutcome(w, r, err)
	}
}

func (f *Face) serve(w http.ResponseWriter, r *http.Request) error {
	call, err := f.o.Edge.Datastore(w, r, f.o.Datastores)
	if err != nil {
		return err
	}
	route, req, allowed, err := f.match(r.Method, call.Path)
	if allowed != "" {
		w.Header().Set("Allow", allowed)
	}
	if err != nil {
		return err
	}
	if err := call.Authorize(route.iamAction); err != nil {
		return err
	}
	if err := readable(r); err != nil {
		return err
	}
	req.Request, req.call, req.w, req.target.Datastore = r, call, w, call.ID
	if !req.answersAnything(r.Method) {
		if err := acceptable(r); err != nil {
			return err
		}
	}
	return route.handle(f, req)
}
