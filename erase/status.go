package erase

import (
	"context"
	"slices"
	"time"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// State is how far an erasure is.
type State string

// The states, in their order.
const (
	Waiting State = "WAITING" // it has not been hidden yet, or not all of it
	Hidden  State = "HIDDEN"  // it is gone from every answer, not yet from the disk
	Done    State = "DONE"    // it is gone from the disk too
	Failed  State = "FAILED"
)

// Progress tells of an erasure.
type Progress struct {
	State    State
	Records  []Record  // of its transactions
	HeldUpBy []string  // exports that need what is hidden, each once
	Until    time.Time // when the last of these is ended; zero where there are none
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

// Status tells of an erasure by the id that Start gave; fault.NotFound where there is none. A compartment is Waiting until all
// of it has been hidden. One that found the resource erased already is Done when what others have hidden of it is purged.
func (s *Service) Status(ctx context.Context, datastore, id string) (p Progress, err error) {
	const op = "erase.Status"
	rec, err := s.o.Ledger.Describe(ctx, datastore, id)
	if err == nil && rec.Kind != Kind {
		err = fault.Errorf(fault.NotFound, op, "There is no erasure %s of data store %s.", id, datastore)
	}
	if err != nil {
		return p, err
	}
	asked, code, err := parseParams(rec.Params)
	if err != nil && rec.State != job.Failed { // it may have failed for that
		return p, err
	}
	st, err := s.o.Datastores.Store(ctx, datastore)
	if err != nil {
		return p, err
	}
	if p.Records, err = s.recordsOf(ctx, st, &rec, asked.AsOf); err != nil {
		return p, fault.Wrap(op, err)
	}
	of := p.Records
	if len(of) == 0 && rec.State.Terminal() && rec.State != job.Failed {
		if of, err = pendingOf(ctx, st, code, asked.ID); err != nil {
			return p, fault.Wrap(op, err)
		}
	}
	purged := !slices.ContainsFunc(of, func(r Record) bool { return r.Purged == 0 })
	switch {
	case rec.State == job.Failed:
		p.State, p.Message = Failed, rec.Message
	case !rec.State.Terminal() && (asked.Compartment || len(p.Records) == 0):
		p.State = Waiting
	case !rec.State.Terminal() || !purged:
		p.State = Hidden
		pins, err := s.pins(ctx, datastore)
		if err != nil {
			return p, fault.Wrap(op, err)
		}
		p.heldUp(pins, of, func(r *Record) time.Time { return s.o.Clock.Shown(s.lateFrom(r)) })
	default:
		p.State = Done
	}
	return p, nil
}

// heldUp notes the exports that hold up what has not been purged yet, each once, and when the last of them is ended.
func (p *Progress) heldUp(pins []Pin, records []Record, ends func(*Record) time.Time) {
	for _, pin := range pins {
		for _, r := range records { // the first one is insisted upon first
			if r.Purged != 0 || pin.Tx >= r.Tx {
				continue
			}
			p.HeldUpBy = append(p.HeldUpBy, pin.Job)
			if until := ends(&r); until.After(p.Until) {
				p.Until = until
			}
			break
		}
	}
}

// pendingOf are the records of whatever has hidden versions of a resource that have not been purged yet.
func pendingOf(ctx context.Context, st *store.Store, code r4.Code, id string) (of []Record, err error) {
	v, err := st.Latest(ctx)
	if err != nil {
		return nil, err
	}
	ordinal, err := v.Ordinal(ctx, code, id)
	if closed := v.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	all, err := pendings(ctx, st)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if !slices.Contains(p.places, store.Place{Type: code, Ordinal: ordinal}) {
			continue
		}
		rec, err := recordOf(ctx, st, p.tx, p.job)
		if err != nil {
			return nil, err
		}
		if rec != nil {
			of = append(of, *rec)
		}
	}
	return of, nil
}

// recordsOf are those of an erasure, the oldest first. One that has ended and seems to have erased nothing may be of a release
// that did not note whose the records are.
func (s *Service) recordsOf(ctx context.Context, st *store.Store, rec *job.Record, asOf store.TxID) ([]Record, error) {
	all, err := recordsOf(ctx, st, rec.ID)
	if err != nil || len(all) > 0 || !rec.State.Terminal() {
		return all, err
	}
	since, err := Records(ctx, st, asOf)
	return slices.DeleteFunc(since, func(r Record) bool { return r.Erasure != rec.ID }), err
}
