// Package interaction is what FHIR calls interactions (FHIR R4 section 3.1.0) as a service: create, read, vread, update,
// patch, delete and history of resources in the data stores, also by criteria, and Bundles of them. It parses, validates
// and indexes once, and every face that writes a resource goes through it.
package interaction

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// Datastores opens data stores by id; the catalog does.
type Datastores interface {
	// Store is the open data store: fault.NotFound where there is none, fault.Conflict where it is not ACTIVE.
	Store(ctx context.Context, id string) (*store.Store, error)
}

// Service carries out interactions. It is safe for concurrent use.
type Service struct {
	datastores Datastores
	profiles   ProfileSource // nil: none are checked
	matcher    Matcher       // nil: no conditional interactions
	limits     fhir.Limits
	now        func() time.Time
	workers    sync.Pool // of *worker
	bundles    sync.Pool // of *fhir.Parser
}

// New makes the service over the data stores. A resource that breaks limits is refused (fault.TooLarge, fault.Invalid).
func New(d Datastores, limits fhir.Limits) *Service {
	s := &Service{datastores: d, limits: limits, now: time.Now}
	s.workers.New = s.newWorker
	s.bundles.New = func() any { return fhir.NewParser(limits) }
	return s
}

// SetNow gives another clock than time.Now, by which records of transactions expire; before the first use.
func (s *Service) SetNow(now func() time.Time) { s.now = now }

// Target names one resource of one data store.
type Target struct {
	Datastore string
	Type      r4.Code
	ID        string
	At        store.TxID // as of which it is read; 0: as of now
}

// Conditions are the preconditions of a write (RFC 9110 section 13.1).
type Conditions struct {
	IfMatch     uint64 // the version that must be current; 0: none
	IfNoneMatch bool   // nothing may be there
}

// commit writes one resource.
func (s *Service) commit(ctx context.Context, datastore string, w store.Write) (store.Result, error) {
	st, err := s.datastores.Store(ctx, datastore)
	if err != nil {
		return store.Result{}, err
	}
	return commit(ctx, st, w)
}

// commit writes one resource if the guards hold.
func commit(ctx context.Context, st *store.Store, w store.Write, guards ...store.Guard) (store.Result, error) {
	results, err := st.Commit(ctx, store.Transaction{Writes: []store.Write{w}, Guards: guards})
	if err != nil {
		return store.Result{}, err
	}
	return results[0], nil
}

// viewOf opens the data store of a target as of its transaction.
func (s *Service) viewOf(ctx context.Context, t Target) (*store.View, error) {
	st, err := s.datastores.Store(ctx, t.Datastore)
	if err != nil {
		return nil, err
	}
	if t.At != 0 {
		return st.At(ctx, t.At)
	}
	return st.Latest(ctx)
}

// newID is a random UUID (RFC 9562 version 4), HealthLake's form of ids that the server chooses.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return uuid(b, 4)
}

// uuid is the text of a UUID of the version with those bits.
func uuid(b [16]byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
