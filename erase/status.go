package erase

import (
	"context"
	"encoding/json"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
	"tarn/store"
)

// State is how far an erasure is.
type State string

// The states, in their order.
const (
	Waiting State = "WAITING" // nothing has been hidden yet
	Hidden  State = "HIDDEN"  // it is gone from every answer, not yet from the disk
	Done    State = "DONE"    // it is gone from the disk too
	Failed  State = "FAILED"
)

// Progress tells of an erasure.
type Progress struct {
	State    State
	Records  []Record  // of its transactions
	HeldUpBy []string  // exports that need what is hidden
	Until    time.Time // when these are cancelled; zero where there are none
	Message  string    // why it failed
}

// Counts are the erased resources by type.
func (p *Progress) Counts() map[string]int {
	sum := map[string]int{}
	for _, r := range p.Records {
		for typ, n := range r.Counts {
			sum[typ] += n
		}
	}
	return sum
}

// Status tells of an erasure by the id that Start gave; fault.NotFound where there is none.
func (s *Service) Status(ctx context.Context, datastore, id string) (p Progress, err error) {
	const op = "erase.Status"
	rec, err := s.o.Ledger.Describe(ctx, datastore, id)
	if err == nil && rec.Kind != Kind {
		err = fault.Errorf(fault.NotFound, op, "There is no erasure %s of data store %s.", id, datastore)
	}
	if err != nil {
		return p, err
	}
	st, err := s.o.Datastores.Store(ctx, datastore)
	if err != nil {
		return p, err
	}
	records, err := Records(ctx, st, 0)
	if err != nil {
		return p, fault.Wrap(op, err)
	}
	purged := true
	for _, r := range records {
		if r.Erasure == id {
			p.Records = append(p.Records, r)
			purged = purged && r.Purged != 0
		}
	}
	switch {
	case rec.State == job.Failed:
		p.State, p.Message = Failed, rec.Message
	case !rec.State.Terminal() && len(p.Records) == 0:
		p.State = Waiting
	case !rec.State.Terminal() || !purged:
		p.State = Hidden
		pins, err := s.pins(ctx, datastore)
		if err != nil {
			return p, fault.Wrap(op, err)
		}
		for _, r := range p.Records {
			for _, pin := range holding(pins, r.Tx) {
				p.HeldUpBy = append(p.HeldUpBy, pin.Job)
				p.Until = fhir.Instant(r.Instant).Time().Add(s.o.Wait)
			}
		}
	default:
		p.State = Done
	}
	return p, nil
}

// recordOf is the record of a pending purge; nil where there is none.
func recordOf(ctx context.Context, st *store.Store, p pending) (*Record, error) {
	value, err := st.Rider(ctx, recordKey(p.tx, p.job))
	if err != nil || value == nil {
		return nil, err
	}
	rec := new(Record)
	if err := json.Unmarshal(value, rec); err != nil || rec.Format != 1 {
		return nil, fault.Errorf(fault.Internal, "erase", "the record of an erasure cannot be read (format %d)", rec.Format)
	}
	return rec, nil
}
