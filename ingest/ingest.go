// Package ingest is how data comes into a data store in bulk: import jobs from a bucket, and the sample population that
// a data store may be created with. The word import is Go's. It also indexes data stores anew whose index was made by
// other tables than today's.
//
// An import goes file by file in the order of their keys and line by line, so that of two lines with one id the later
// wins. Lines are applied in batches; each batch commits together with a rider, the place up to which the file is done,
// so that a job which was killed goes on behind it and writes nothing twice.
package ingest

import (
	"context"

	"tarn/cloud"
	"tarn/fhir/validate"
	"tarn/job"
	"tarn/store"
)

// The kinds of job that this room does.
const (
	Import          job.Kind = "import"
	Preload         job.Kind = "preload"
	DeleteDatastore job.Kind = "delete-datastore"
	Reindex         job.Kind = "reindex"
)

// MaxWaiting is how many imports may wait behind the running one of a data store (HealthLake's quota).
const MaxWaiting = 25

// Limits are the quotas of the input of an import (HealthLake's). A job whose input is over one fails with a message
// that names it; zero members are DefaultLimits.
type Limits struct {
	Files     int   // input files
	FileBytes int64 // of one file, as it lies in the bucket, and as it is when it is unpacked
	JobBytes  int64 // of all files, likewise
}

// DefaultLimits are those of HealthLake.
var DefaultLimits = Limits{Files: 1_000_000, FileBytes: 50 << 30, JobBytes: 5000 << 30}

// Datastores is what this room needs of the catalog.
type Datastores interface {
	// Store is the open data store: fault.NotFound where there is none, fault.Conflict where it is not ACTIVE.
	Store(ctx context.Context, id string) (*store.Store, error)
	// Loading opens a data store that is CREATING.
	Loading(ctx context.Context, id string) (*store.Store, error)
	// Activate and Fail end a creation; Purge drops what a DELETING data store holds.
	Activate(ctx context.Context, id string) error
	Fail(ctx context.Context, id, message string, retryable bool) error
	Purge(ctx context.Context, id string) error
}

// ProfileSource knows the profiles that are installed for a data store; interaction.Packages does.
type ProfileSource interface {
	// Profiles is the set; nil where there is none.
	Profiles(ctx context.Context, datastore string) (validate.Profiles, error)
}

// Options wire a Service.
type Options struct {
	Profiles   ProfileSource // nil: declared profiles are not checked
	Datastores Datastores
	Ledger     *job.Ledger
	Cloud      cloud.Cloud
	Partition  string // of ARNs: "aws"
	Limits     Limits
	// List gives the ids of all data stores in which Tidy looks; nil: it looks in none.
	List  func(ctx context.Context) ([]string, error)
	Clock *job.Clock // for the age of what Tidy gives up; nil: one that begins at the call of New
}

// Service starts and runs imports and preloads. It is safe for concurrent use.
type Service struct {
	o    Options
	kick chan struct{} // a job has ended and left something to Tidy
}

// New makes the service.
func New(o Options) *Service {
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Limits.Files == 0 {
		o.Limits.Files = DefaultLimits.Files
	}
	if o.Limits.FileBytes == 0 {
		o.Limits.FileBytes = DefaultLimits.FileBytes
	}
	if o.Limits.JobBytes == 0 {
		o.Limits.JobBytes = DefaultLimits.JobBytes
	}
	if o.Clock == nil {
		o.Clock = job.NewClock(nil, nil)
	}
	return &Service{o, make(chan struct{}, 1)}
}
