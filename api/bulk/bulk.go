// Package bulk is the face of exports on the data stores' own addresses, below /datastore/{id}/r4/export/: whether
// one would start, how far it has come, and the digests that prove it; kick-off, status and files of HL7's Bulk Data
// Access belong here too.
package bulk

import (
	"context"
	"net/http"
	"strings"

	"tarn/api/edge"
	"tarn/export"
	"tarn/fault"
	"tarn/job"
)

// Exports is the service behind the face.
type Exports interface {
	Describe(ctx context.Context, datastore, jobID string) (job.Record, export.Job, error)
	Preflight(ctx context.Context, r export.Request) ([]export.Finding, error)
	Digests(ctx context.Context, datastore, jobID string, yield func(export.File) error) error
}

// Options wire the face.
type Options struct {
	Edge       *edge.Edge
	Datastores edge.Datastores
	Exports    Exports
}

// Face serves the addresses of exports.
type Face struct{ o Options }

// New makes the face.
func New(o Options) *Face { return &Face{o} }

// Serves reports whether a path below a data store's base belongs to this face.
func Serves(path string) bool { return strings.HasPrefix(strings.TrimLeft(path, "/"), "export/") }

// ServeHTTP answers with JSON; every error is an OperationOutcome.
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
	path := strings.FieldsFunc(call.Path, func(c rune) bool { return c == '/' })
	for _, row := range routes {
		if jobID, ok := row.match(r.Method, path); ok {
			return row.handle(f, w, r, call, jobID)
		}
	}
	return fault.Errorf(fault.Unsupported, "bulk", "Interaction not supported: %s %s.", r.Method, strings.Join(path, "/"))
}

// route is one address of the face, and the permission that it asks for.
type route struct {
	method, path, iamAction string // path below the data store's base; {job} is a job's id
	handle                  func(f *Face, w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, jobID string) error
}

// routes is the table of all addresses; the first that matches serves. testdata/routes.golden shows it.
var routes = [...]route{
	{http.MethodPost, "export/preflight", ActionStart, (*Face).preflight},
	{http.MethodGet, "export/{job}", ActionDescribe, (*Face).progress},
	{http.MethodGet, "export/{job}/digests", ActionDigests, (*Face).digests},
}

// match reports whether the route serves the segments of a path, and of which job they speak.
func (t route) match(method string, path []string) (jobID string, ok bool) {
	want := strings.Split(t.path, "/")
	if method != t.method || len(path) != len(want) {
		return "", false
	}
	for i, segment := range want {
		if segment == "{job}" {
			jobID = path[i]
		} else if segment != path[i] {
			return "", false
		}
	}
	return jobID, true
}
