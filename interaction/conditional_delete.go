package interaction

import (
	"context"
	"errors"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// MaxDeleted bounds how many resources one DeleteAll deletes.
const MaxDeleted = 100

// DeleteWhere deletes the resource that meets the criteria (FHIR R4 section 3.1.0.7.1; HealthLake's table). None is
// fault.NotFound, several are fault.Precondition. Where the criteria name one id, a resource that was deleted already is
// no error, as in Delete, and one that stands but does not meet the other criteria is fault.Conflict.
func (s *Service) DeleteWhere(ctx context.Context, datastore string, t r4.Code, criteria Where, cond Conditions) (store.Result, error) {
	c, err := ParseCriteria(t, criteria)
	if err != nil {
		return store.Result{}, err
	}
	var result store.Result
	err = s.settle(ctx, datastore, func(st *store.Store, v *store.View) error {
		standing, found, err := s.MatchOne(ctx, v, c)
		if err != nil {
			return err
		}
		if !found {
			result, err = noneToDelete(ctx, v, c)
			return err
		}
		w := store.Write{Op: store.Delete, Type: t, ID: standing.ID, IfMatch: cond.IfMatch}
		result, err = commit(ctx, st, w, s.Guard(c, v.Tx(), standing.ID))
		return err
	})
	return result, err
}

// noneToDelete is the answer where nothing meets the criteria.
func noneToDelete(ctx context.Context, v *store.View, c Criteria) (store.Result, error) {
	const op = "interaction.DeleteWhere"
	none := fault.Errorf(fault.NotFound, op, "No %s meets the criteria.", c.Type)
	id, _ := c.id()
	if id == "" {
		return store.Result{}, none
	}
	standing, err := v.Read(ctx, c.Type, id)
	switch {
	case err == nil:
		return store.Result{}, fault.Errorf(fault.Conflict, op, "%s/%s does not meet the other criteria.", c.Type, id)
	case fault.Is(err, fault.Gone):
		return store.Result{Version: standing}, nil
	case fault.Is(err, fault.NotFound):
		return store.Result{}, none
	}
	return store.Result{}, err
}

// Deletion is what DeleteAll did to one resource: Err is nil, or fault.Precondition where somebody changed the resource
// meanwhile.
type Deletion struct {
	store.Result
	Err error
}

// DeleteAll deletes at most count of the resources that meet the criteria, all in one transaction, and says whether more
// meet them. Each is deleted only as it was when it was found.
func (s *Service) DeleteAll(ctx context.Context, datastore string, t r4.Code, criteria Where, count int) (done []Deletion, more bool, err error) {
	c, err := ParseCriteria(t, criteria)
	if err != nil {
		return nil, false, err
	}
	if count < 1 || count > MaxDeleted {
		return nil, false, fault.Errorf(fault.Invalid, "interaction.DeleteAll", "_count is from 1 to %d.", MaxDeleted)
	}
	st, err := s.datastores.Store(ctx, datastore)
	if err != nil {
		return nil, false, err
	}
	v, err := st.Latest(ctx)
	if err != nil {
		return nil, false, err
	}
	matches, err := s.match(ctx, v, c, count+1)
	if err = errors.Join(err, v.Close()); err != nil {
		return nil, false, err
	}
	if more = len(matches) > count; more {
		matches = matches[:count]
	}
	done, err = deleteEach(ctx, st, matches)
	return done, more, err
}

// deleteEach deletes the versions in one transaction; those that have moved on are left out of it.
func deleteEach(ctx context.Context, st *store.Store, versions []store.Version) ([]Deletion, error) {
	done := make([]Deletion, len(versions))
	for {
		var t store.Transaction
		var at []int // the index in versions of each write
		for i, v := range versions {
			done[i].Version = v
			if done[i].Err == nil {
				t.Writes = append(t.Writes, store.Write{Op: store.Delete, Type: v.Type, ID: v.ID, IfMatch: v.Number})
				at = append(at, i)
			}
		}
		if len(at) == 0 {
			return done, nil
		}
		results, err := st.Commit(ctx, t)
		var one *store.WriteError
		switch {
		case err == nil:
			for n, i := range at {
				done[i].Result = results[n]
			}
			return done, nil
		case errors.As(err, &one) && fault.Is(err, fault.Precondition):
			done[at[one.Write]].Err = err
		default:
			return nil, err
		}
	}
}
