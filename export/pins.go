package export

import (
	"context"
	"slices"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// Pinned gives the transactions to which the exports of a data store are fixed that have not ended: what they read must not
// be removed.
func (s *Service) Pinned(ctx context.Context, datastore string, yield func(jobID string, tx store.TxID)) error {
	active, err := s.ledger.Active(ctx, datastore)
	if err != nil {
		return fault.Wrap("export.Pinned", err)
	}
	for _, rec := range active {
		if rec.Kind != Kind {
			continue
		}
		j, err := parseJob(rec.Params)
		if err != nil {
			return err
		}
		yield(rec.ID, j.TxID)
	}
	return nil
}

// Earliest is the transaction of the oldest export of a data store that the ledger knows, ended or not; false where there is
// none. What was erased after it may have to be told to who verifies that export.
func (s *Service) Earliest(ctx context.Context, datastore string) (tx store.TxID, known bool, err error) {
	const op = "export.Earliest"
	for cursor := ""; ; {
		page, err := s.ledger.List(ctx, job.ListFilter{Datastore: datastore, Kind: Kind, Limit: job.MaxList, Cursor: cursor})
		if err != nil {
			return 0, false, fault.Wrap(op, err)
		}
		for _, rec := range page.Jobs {
			j, err := parseJob(rec.Params)
			if err != nil {
				return 0, false, fault.Wrap(op, err)
			}
			if !known || j.TxID < tx {
				tx, known = j.TxID, true
			}
		}
		if cursor = page.Next; cursor == "" {
			return tx, known, nil
		}
	}
}

// DiscardHolding gives up the files in the service's own bucket of exports as of before a transaction that hold one of the
// resources; they are deleted soon.
func (s *Service) DiscardHolding(ctx context.Context, datastore string, places []store.Place, before store.TxID) error {
	const op = "export.DiscardHolding"
	for cursor := ""; ; {
		page, err := s.ledger.List(ctx, job.ListFilter{Datastore: datastore, Kind: Kind, Limit: job.MaxList, Cursor: cursor})
		if err != nil {
			return fault.Wrap(op, err)
		}
		for _, rec := range page.Jobs {
			j, err := parseJob(rec.Params)
			if err != nil || !rec.State.Terminal() || s.Expired(rec, j) || !j.Own || j.TxID >= before {
				continue // a job that this release cannot read has no files that it knows
			}
			holds, err := s.holdsAny(ctx, rec.ID, places)
			if err != nil {
				return fault.Wrap(op, err)
			}
			if !holds {
				continue
			}
			if _, err := s.ledger.Discard(ctx, datastore, rec.ID); err != nil {
				return fault.Wrap(op, err)
			}
		}
		if cursor = page.Next; cursor == "" {
			return nil
		}
	}
}

// holdsAny reports whether the plan of an export names one of the resources.
func (s *Service) holdsAny(ctx context.Context, jobID string, places []store.Place) (bool, error) {
	byType := map[r4.Code][]store.Ordinal{}
	for _, p := range places {
		byType[p.Type] = append(byType[p.Type], p.Ordinal)
	}
	var plan []Part
	for piece, err := range s.ledger.Plan(ctx, jobID) {
		if fault.Is(err, fault.NotFound) {
			return false, nil // it ended before it had one
		}
		if err != nil {
			return false, err
		}
		if plan, err = decodePlan(plan[:0], piece); err != nil {
			return false, err
		}
		for i := range plan {
			if holds, err := plan[i].holdsAny(byType); holds || err != nil {
				return holds, err
			}
		}
	}
	return false, nil
}

// holdsAny reports whether a part names one of the resources. What blocks refer to outside their compartments is not in the
// plan: such a part may hold anything of those types.
func (p *Part) holdsAny(byType map[r4.Code][]store.Ordinal) (bool, error) {
	if p.Deleted {
		return false, nil // it names ids alone
	}
	if p.Blocks == nil {
		return slices.ContainsFunc(byType[p.Type], p.holds), nil
	}
	for b, err := range p.blocks() {
		if err != nil {
			return false, err
		}
		for _, g := range b.groups {
			for _, o := range byType[g.typ] {
				if _, is := slices.BinarySearch(g.members, o); is {
					return true, nil
				}
			}
		}
	}
	for typ := range byType {
		if typ != patientCode && len(typ.Compartment(patientCode)) == 0 {
			return true, nil
		}
	}
	return false, nil
}

// holds reports whether an ordinal of the part's type is in it.
func (p *Part) holds(o store.Ordinal) bool {
	if p.Members == nil {
		return o >= p.From && o < p.To
	}
	_, is := slices.BinarySearch(p.Members, o)
	return is
}
