// Package search finds resources by the parameters of FHIR R4 (section 3.1.1): it compiles a query into conditions,
// intersects entries of the store's index as ordinals, probes what is left by the resources' own entries, and gives
// pages that are all as of one transaction. docs/design/search.md says how a plan is chosen.
package search

import (
	"context"
	"crypto/cipher"
	"sync"
	"time"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/store"
)

// Datastores opens data stores by id; the catalog does.
type Datastores interface {
	// Store is the open data store: fault.NotFound where there is none, fault.Conflict where it is not ACTIVE.
	Store(ctx context.Context, id string) (*store.Store, error)
}

// Options wire a Service.
type Options struct {
	Datastores Datastores
	CursorKey  []byte // 32 bytes under which cursors are sealed; all processes that serve one data store share it. nil makes one for this process
	Now        func() time.Time
	Time       time.Duration // how long one search may take; 0: DefaultTime
}

// Service searches. It is safe for concurrent use.
type Service struct {
	o       Options
	seal    cipher.AEAD
	nonces  []byte
	readers sync.Pool
	tune    tuning
	columns columns
}

// New makes the service.
func New(o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Time <= 0 {
		o.Time = DefaultTime
	}
	s := &Service{o: o, tune: tuned}
	s.readers.New = func() any {
		return &reader{fhir.NewParser(fhir.Limits{MaxBytes: 2 * store.MaxDocument, MaxDepth: 10_000}), index.NewExtractor()}
	}
	if err := s.openSeal(o.CursorKey); err != nil {
		return nil, err
	}
	return s, nil
}

// reader takes documents apart; it is for one goroutine.
type reader struct {
	parser    *fhir.Parser
	extractor *index.Extractor
}
