// Package erase takes resources out of data stores for good: from every answer at once, from the disk soon after; and it
// removes superseded versions that a data store does not keep. docs/design/erase.md says how it goes about it.
package erase

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"sync"
	"time"

	"tarn/fault"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// Kind is the ledger's name for the jobs that hide what is to be erased.
const Kind job.Kind = "erase"

// maxWaiting is how many erasures may wait in a data store behind the one that is being carried out.
const maxWaiting = 1000

// DefaultWait is how long an export may hold up a purge when nothing else is said.
const DefaultWait = 24 * time.Hour

// Datastores opens data stores; the catalog does.
type Datastores interface {
	// Store is the open data store: fault.NotFound where there is none, fault.Conflict where it is not ACTIVE.
	Store(ctx context.Context, id string) (*store.Store, error)
}

// goes reports whether a data store cannot be had since it is being deleted, with all that is in it.
func goes(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) || fault.Is(err, fault.Conflict)
}

// Queries finds resources by search parameters; package search does.
type Queries interface {
	Select(ctx context.Context, v *store.View, base string, typ r4.Code, query string) iter.Seq2[store.Ordinal, error]
}

// Pin is a job that reads as of a transaction.
type Pin struct {
	Job string
	Tx  store.TxID
}

// Exports are the jobs that pin; package export does them.
type Exports interface {
	// Pinned gives the transactions and ids of the exports of a data store that have not ended.
	Pinned(ctx context.Context, datastore string, yield func(jobID string, tx store.TxID)) error
	// Earliest is the transaction of the oldest export of a data store that the ledger knows, ended or not; false: none.
	Earliest(ctx context.Context, datastore string) (store.TxID, bool, error)
	// Abandon asks for the end of an export, which is to become FAILED with the message.
	Abandon(ctx context.Context, datastore, jobID, message string) error
	// DiscardHolding gives up the files in the service's own bucket of exports as of before a transaction that hold one of
	// the resources.
	DiscardHolding(ctx context.Context, datastore string, places []store.Place, before store.TxID) error
}

// Options wire a Service.
type Options struct {
	Datastores Datastores
	Ledger     *job.Ledger
	Exports    Exports
	Queries    Queries       // set later by UseQueries
	Wait       time.Duration // how long exports may hold up a purge; 0: DefaultWait
	Keep       Retention
	List       func(context.Context) ([]string, error) // the ids of all data stores that are ACTIVE
	Clock      *job.Clock                              // for the age of what is removed or held up; nil: one that begins at the call of New
	Log        *slog.Logger                            // nil: nothing is logged
}

// Service starts and carries out erasures. It is safe for concurrent use.
type Service struct {
	o      Options
	atOnce int // mostAtOnce, but for tests
	kick   chan struct{}
	news   news
	rows   keyed // one at a time removes rows of a data store

	mu     sync.Mutex
	open   map[string]bool          // data stores in which something may be left to purge
	tended map[string]chan struct{} // those that somebody sees to, and what wakes him
	forgot map[string]time.Time     // those in which there are erasures, and when old records were looked for last
}

// New makes the service.
func New(o Options) *Service {
	if o.Wait <= 0 {
		o.Wait = DefaultWait
	}
	if o.Clock == nil {
		o.Clock = job.NewClock(nil, nil)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{o: o, atOnce: mostAtOnce, kick: make(chan struct{}, 1), news: news{now: time.Now}, open: map[string]bool{}, tended: map[string]chan struct{}{}, forgot: map[string]time.Time{}}
}

// UseQueries gives the service what compartments are found with. It is called before the service is.
func (s *Service) UseQueries(q Queries) { s.o.Queries = q }

// Request asks for an erasure.
type Request struct {
	Datastore   string
	Type        r4.Code
	ID          string
	Compartment bool   // of a Patient: all that belongs to that patient alone
	Base        string // URL of the data store without a last slash: references below it are local
	Caller      string // ARN, for the log
}

// params are the job's, fixed when it starts.
type params struct {
	Format      int        `json:"format"` // 1
	Type        string     `json:"type"`
	ID          string     `json:"id"`
	Compartment bool       `json:"compartment,omitempty"`
	Base        string     `json:"base,omitempty"`
	AsOf        store.TxID `json:"asOf"` // what was made first, or anew, after it is not meant
}

func parseParams(raw json.RawMessage) (p params, code r4.Code, err error) {
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, 0, fault.Errorf(fault.Internal, "erase", "job record: %w", err)
	}
	code, ok := r4.CodeOf(p.Type)
	if p.Format != 1 || !ok {
		return p, 0, fault.Errorf(fault.Unsupported, "erase", "the job was made by a newer release (format %d)", p.Format)
	}
	return p, code, nil
}

// Start takes an erasure, durably when it returns, and gives the id under which Status tells of it, and how far it is: a
// single resource is Hidden when it returns, if nothing failed; else, and a compartment, it is Waiting for its job. A
// resource that never was is fault.NotFound; a compartment is fault.Unavailable while the data store is being indexed anew.
func (s *Service) Start(ctx context.Context, r Request) (id string, state State, err error) {
	const op = "erase.Start"
	st, err := s.o.Datastores.Store(ctx, r.Datastore)
	if err != nil {
		return "", "", err
	}
	v, err := st.Latest(ctx)
	if err != nil {
		return "", "", fault.Wrap(op, err)
	}
	p := params{Format: 1, Type: r.Type.String(), ID: r.ID, Compartment: r.Compartment, Base: r.Base, AsOf: v.Tx()}
	_, err = v.Ordinal(ctx, r.Type, r.ID)
	if err == nil && r.Compartment { // which is found by the index
		err = v.Indexed(ctx, index.Epoch)
	}
	if closed := v.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", "", err
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return "", "", fault.Wrap(op, err)
	}
	rec, _, err := s.o.Ledger.Enqueue(ctx, job.New{Kind: Kind, Datastore: r.Datastore, Params: raw, MaxWaiting: maxWaiting})
	if err != nil {
		return "", "", fault.Wrap(op, err)
	}
	s.o.Log.Info("erasure requested", "datastore", r.Datastore, "erasure", rec.ID, "type", r.Type.String(), "compartment", r.Compartment, "caller", r.Caller)
	state = Waiting
	if !r.Compartment {
		// The job would do it, but it may stand in a queue. If this fails, it does.
		if _, err := s.hideMeant(context.WithoutCancel(ctx), st, rec.ID, p, r.Type, nil); err != nil {
			s.o.Log.Warn("an erasure is left to its job", "erasure", rec.ID, "error", err)
		} else {
			state = Hidden
		}
	}
	return rec.ID, state, nil
}
