// Package bulk is the face of exports on the data stores' own addresses, below /datastore/{id}/r4/: kick-off, status,
// cancelling and files of HL7's Bulk Data Access, which are HealthLake's at the same time; whether an export would start,
// how far it has come, and the digests that prove it. Imports have status and cancelling there too.
package bulk

import (
	"context"
	"net/http"
	"strings"
	"time"

	"tarn/api/edge"
	"tarn/erase"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
	"tarn/store"
)

// Exports is the service behind the face.
type Exports interface {
	Start(ctx context.Context, r export.Request) (job.Record, error)
	Describe(ctx context.Context, datastore, jobID string) (job.Record, export.Job, error)
	Cancel(ctx context.Context, datastore, jobID string) (job.Record, error)
	Discard(ctx context.Context, datastore, jobID string) error
	Expired(rec job.Record, j export.Job) bool
	Expires(rec job.Record, j export.Job) (time.Time, bool)
	Files(ctx context.Context, rec job.Record) ([]export.File, error)
	OpenOwn(ctx context.Context, datastore, jobID, name string) (export.OwnFile, error)
	Preflight(ctx context.Context, r export.Request) ([]export.Finding, error)
	Digests(ctx context.Context, datastore, jobID string, yield func(export.File) error) (export.Loss, error)
}

// Erasures tells what was erased of late.
type Erasures interface {
	// Erased are the records of the erasures in a data store by transactions after one.
	Erased(ctx context.Context, datastore string, after store.TxID) ([]erase.Record, error)
}

// Options wire the face.
type Options struct {
	Edge       *edge.Edge
	Datastores edge.Datastores
	Exports    Exports
	Imports    Imports
	Erasures   Erasures
	Now        func() time.Time // nil: time.Now
}

// Face serves the addresses of exports, and those of imports.
type Face struct {
	o     Options
	polls polls
}

// New makes the face.
func New(o Options) *Face {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Face{o: o, polls: polls{now: o.Now}}
}

// Serves reports whether a path below a data store's base belongs to this face.
func Serves(path string) bool {
	path = strings.TrimLeft(path, "/")
	return strings.HasPrefix(path, "export/") || strings.HasPrefix(path, "import/") || strings.HasSuffix(path, exportOperation) || strings.HasSuffix(path, daVinciOperation)
}

// The operations of a kick-off.
const (
	exportOperation  = "$export"
	daVinciOperation = "$davinci-data-export"
)

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
	var allowed []string
	known := "" // the first path that fits decides: export/preflight is no job
	for _, row := range routes {
		at, ok := row.match(path)
		if ok && known == "" {
			known = row.path
		}
		switch {
		case !ok, row.path != known:
		case row.method == r.Method || row.head && r.Method == http.MethodHead:
			return row.handle(f, w, r, call, at)
		default:
			if allowed = append(allowed, row.method); row.head {
				allowed = append(allowed, http.MethodHead)
			}
		}
	}
	if allowed != nil {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return edge.WithStatus(http.StatusMethodNotAllowed, fault.Errorf(fault.Unsupported, "bulk", "Interaction not supported: %s %s.", r.Method, strings.Join(path, "/")))
	}
	return fault.Errorf(fault.Unsupported, "bulk", "Interaction not supported: %s %s.", r.Method, strings.Join(path, "/"))
}

// place is what an address speaks of.
type place struct {
	path    string
	level   export.Level
	group   string // id
	daVinci bool
	job     string // id
	file    []string
}

// route is one address of the face, and the permission that it asks for.
type route struct {
	method, path, iamAction string // path below the data store's base; {job}, {group} are ids, {file...} is the rest
	handle                  func(f *Face, w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error
	head                    bool // HEAD is served as GET is, whose handling changes nothing and costs little
}

// routes is the table of all addresses; the first that matches serves. testdata/routes.golden shows it.
var routes = [...]route{
	{http.MethodGet, "$export", ActionStartGet, (*Face).kickOff, false},
	{http.MethodPost, "$export", ActionStartPost, (*Face).kickOff, false},
	{http.MethodGet, "Patient/$export", ActionStartGet, (*Face).kickOff, false},
	{http.MethodPost, "Patient/$export", ActionStartPost, (*Face).kickOff, false},
	{http.MethodGet, "Group/{group}/$export", ActionStartGet, (*Face).kickOff, false},
	{http.MethodPost, "Group/{group}/$export", ActionStartPost, (*Face).kickOff, false},
	{http.MethodGet, "Group/{group}/$davinci-data-export", ActionStartGet, (*Face).kickOff, false},
	{http.MethodPost, "Group/{group}/$davinci-data-export", ActionStartPost, (*Face).kickOff, false},
	{http.MethodPost, "export/preflight", ActionStart, (*Face).preflight, false},
	{http.MethodGet, "export/{job}", ActionDescribeGet, (*Face).status, true},
	{http.MethodDelete, "export/{job}", ActionCancelDelete, (*Face).cancel, false},
	{http.MethodGet, "export/{job}/files/{file...}", ActionFile, (*Face).file, true},
	{http.MethodGet, "export/{job}/progress", ActionDescribe, (*Face).progress, true},
	{http.MethodGet, "export/{job}/digests", ActionDigests, (*Face).digests, false},
	{http.MethodGet, "import/{job}", ActionDescribeImport, (*Face).importStatus, true},
	{http.MethodDelete, "import/{job}", ActionCancelImport, (*Face).cancelImport, false},
}

// match reports whether the route has the segments of a path, and what they speak of.
func (t route) match(path []string) (at place, ok bool) {
	want := strings.Split(t.path, "/")
	rest := want[len(want)-1] == "{file...}"
	if len(path) != len(want) && !(rest && len(path) > len(want)) {
		return at, false
	}
	at.path = strings.Join(path, "/")
	for i, segment := range want {
		switch segment {
		case "{job}":
			at.job = path[i]
		case "{group}":
			at.group, at.level = path[i], export.OfGroup
			if !fhir.ValidID(at.group) {
				return at, false
			}
		case "{file...}":
			at.file = path[i:]
		default:
			if segment != path[i] {
				return at, false
			}
		}
	}
	if path[0] == "Patient" {
		at.level = export.Patients
	}
	at.daVinci = path[len(path)-1] == daVinciOperation
	return at, true
}
