// Package export writes everything in a data store, as of one transaction number, as newline-delimited JSON into a
// bucket: preflight, plan, parts, manifest, and the proof afterwards. See doc.go for why its bytes repeat.
package export

import (
	"context"

	"tarn/cloud"
	"tarn/job"
	"tarn/store"
)

// Kind is the ledger's name for export jobs.
const Kind job.Kind = "export"

// MaxWaiting is how many exports may wait behind the running one of a data store (HealthLake's quota).
const MaxWaiting = 25

// Limits of one file.
const (
	MaxLines = 5000     // resources in a file
	MaxBytes = 64 << 20 // bytes in a file of more than one resource
)

// DefaultShare is the percent of the time that exports take beside live traffic.
const DefaultShare = 25

// Datastores opens what is exported; the catalog does.
type Datastores interface {
	// Store is the open data store: fault.NotFound where there is none, fault.Conflict where it is not ACTIVE.
	Store(ctx context.Context, id string) (*store.Store, error)
}

// Options wire a Service.
type Options struct {
	Datastores Datastores
	Ledger     *job.Ledger
	Cloud      cloud.Cloud
	Queries    Queries    // for what selections ask for; nil refuses those that need it
	Partition  string     // of ARNs: "aws"
	Clock      *job.Clock // for the age of files; nil: one that begins at the call of New
	Workers    int        // parts that are written at once, over all jobs; 0 means 2. Each takes up to MaxBytes of memory, and a quarter more where output is organized by patient.
	Share      int        // percent of the time that a worker takes while interactive transactions come to the data store; 0 means DefaultShare
	Lines      int        // of a file at most; 0: MaxLines. Less is for tests.
	Bytes      int        // of a file at most; 0: MaxBytes. Less is for tests.
}

// Service starts, runs and proves exports. It is safe for concurrent use.
type Service struct {
	datastores Datastores
	ledger     *job.Ledger
	cloud      cloud.Cloud
	queries    Queries
	partition  string
	clock      *job.Clock
	slots      chan struct{} // who writes a part holds one: bounds memory and load over all jobs
	readers    chan struct{} // who reads a part for its digest holds one: apart, so that proofs do not hold up exports
	segments   pool
	share      int
	lines      int
	bytes      int
}

// UseQueries gives the service what selections ask with. It is called before the service is.
func (s *Service) UseQueries(q Queries) { s.queries = q }

// New makes the service.
func New(o Options) *Service {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Clock == nil {
		o.Clock = job.NewClock(nil, nil)
	}
	if o.Share <= 0 {
		o.Share = DefaultShare
	}
	if o.Lines <= 0 {
		o.Lines = MaxLines
	}
	if o.Bytes <= 0 {
		o.Bytes = MaxBytes
	}
	return &Service{share: o.Share, lines: o.Lines, bytes: o.Bytes, clock: o.Clock, datastores: o.Datastores, ledger: o.Ledger, cloud: o.Cloud, queries: o.Queries, partition: o.Partition,
		slots: make(chan struct{}, o.Workers), readers: make(chan struct{}, o.Workers)}
}
