package interaction

import (
	"context"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// CreateIfNone is Create unless a resource meets the criteria: then nothing is done, Change is None and the Result is
// that resource; several are fault.Precondition (FHIR R4 section 3.1.0.8.1). Of two at once whose resources meet the
// criteria one creates. With a key it is also what CreateOnce is.
func (s *Service) CreateIfNone(ctx context.Context, datastore string, t r4.Code, criteria Where, key string, body []byte, o WriteOptions) (Written, error) {
	c, err := ParseCriteria(t, criteria)
	if err != nil {
		return Written{}, err
	}
	if o, err = s.withProfiles(ctx, datastore, o); err != nil {
		return Written{}, err
	}
	id := newID()
	if key != "" {
		id = keyID(t, key)
	}
	var written Written
	var w *store.Write
	var tolerated []fhir.Issue
	err = s.settle(ctx, datastore, func(st *store.Store, v *store.View) error {
		standing, found, err := s.MatchOne(ctx, v, c)
		if err != nil {
			return err
		}
		if found {
			written = Written{Result: store.Result{Version: standing}}
			return nil
		}
		if w == nil {
			ready, issues, err := s.prepare(ctx, datastore, body, t, o)
			if err != nil {
				return err
			}
			w, tolerated = &ready, issues
			w.Op, w.ID = store.Create, id
		}
		res, err := commit(ctx, st, *w, s.Guard(c, v.Tx(), ""))
		written = Written{res, tolerated}
		return err
	})
	if key != "" && fault.Is(err, fault.Exists) {
		return s.createdBefore(ctx, Target{Datastore: datastore, Type: t, ID: id}, err)
	}
	return written, err
}
