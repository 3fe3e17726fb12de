package interaction

import (
	"context"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// UpdateWhere updates the resource that meets the criteria (FHIR R4 section 3.1.0.4.3; HealthLake's table):
//
//	meets them   id in the body             outcome
//	none         none                       created under an id of the server
//	none         not in use                 created under it
//	none         of a standing resource     fault.Conflict
//	one          none, or its own           updated
//	one          another                    fault.Conflict
//	several      -                          fault.Precondition
//
// Of two at once whose resources meet the criteria one creates, and the other updates what it created.
func (s *Service) UpdateWhere(ctx context.Context, datastore string, t r4.Code, criteria Where, body []byte, cond Conditions, o WriteOptions) (Written, error) {
	c, err := ParseCriteria(t, criteria)
	if err != nil {
		return Written{}, err
	}
	w, tolerated, err := s.prepare(ctx, datastore, body, t, o)
	if err != nil {
		return Written{}, err
	}
	var written Written
	err = s.settle(ctx, datastore, func(st *store.Store, v *store.View) error {
		standing, found, err := s.MatchOne(ctx, v, c)
		if err != nil {
			return err
		}
		w := w
		if err := AimUpdate(&w, standing, found, cond); err != nil {
			return err
		}
		guard := s.Guard(c, v.Tx(), standing.ID)
		res, err := commit(ctx, st, w, guard)
		if !found && w.Op == store.Put && fault.Is(err, fault.Precondition) {
			err = fault.Errorf(fault.Conflict, "interaction.UpdateWhere", "%s/%s is there already and does not meet the criteria.", t, w.ID)
		}
		written = Written{res, tolerated}
		return err
	})
	return written, err
}

// AimUpdate completes the write of a conditional update: found says whether a resource meets the criteria, and standing
// is it.
func AimUpdate(w *store.Write, standing store.Version, found bool, cond Conditions) error {
	const op = "interaction.AimUpdate"
	w.Op, w.ID = store.Put, w.Resource.ID()
	switch {
	case found && w.ID != "" && w.ID != standing.ID:
		return fault.Errorf(fault.Conflict, op, "%s/%s meets the criteria, but the body has the id %q.", w.Type, standing.ID, w.ID)
	case found && cond.IfNoneMatch:
		return fault.Errorf(fault.Precondition, op, "%s/%s is there already, with version %d.", w.Type, standing.ID, standing.Number)
	case found:
		w.ID, w.IfMatch = standing.ID, cond.IfMatch
	case cond.IfMatch != 0:
		return fault.Errorf(fault.Precondition, op, "No %s meets the criteria, so none has version %d.", w.Type, cond.IfMatch)
	case w.ID == "":
		w.Op, w.ID = store.Create, newID()
	default:
		w.IfNoneMatch = true
	}
	return nil
}
