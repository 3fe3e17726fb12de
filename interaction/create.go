package interaction

import (
	"context"

	"tarn/fhir/r4"
	"tarn/store"
)

// Create stores a new resource under an id that the server chooses; an id in the body is passed over (FHIR R4 section
// 3.1.0.8).
func (s *Service) Create(ctx context.Context, datastore string, t r4.Code, body []byte) (store.Result, error) {
	res, err := s.parse(body, t)
	if err != nil {
		return store.Result{}, err
	}
	return s.commit(ctx, datastore, store.Write{Op: store.Create, Type: t, ID: newID(), Resource: res})
}
