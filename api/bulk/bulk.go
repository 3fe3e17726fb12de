// Package bulk is the face of exports on the data stores' own addresses, below /datastore/{id}/r4/export/: so far the
// digests that prove an export; kick-off, status and files of HL7's Bulk Data Access belong here too.
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
	segments := strings.FieldsFunc(call.Path, func(c rune) bool { return c == '/' })
	if len(segments) == 3 && segments[2] == "digests" && r.Method == http.MethodGet {
		return f.digests(w, r, call, segments[1])
	}
	return fault.Errorf(fault.Unsupported, "bulk", "Interaction not supported: %s %s.", r.Method, strings.Join(segments, "/"))
}
