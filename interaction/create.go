package interaction

import (
	"context"
	"crypto/sha256"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// Create stores a new resource under an id that the server chooses; an id in the body is passed over (FHIR R4 section
// 3.1.0.8).
func (s *Service) Create(ctx context.Context, datastore string, t r4.Code, body []byte, o WriteOptions) (Written, error) {
	return s.create(ctx, datastore, t, newID(), body, o)
}

// CreateOnce is Create for a caller who may repeat it: the id follows from the key, so that of all calls with one type
// and key one creates. The others are fault.Exists, and their Result is the version that was created.
func (s *Service) CreateOnce(ctx context.Context, datastore string, t r4.Code, key string, body []byte, o WriteOptions) (Written, error) {
	id := keyID(t, key)
	res, err := s.create(ctx, datastore, t, id, body, o)
	if fault.Is(err, fault.Exists) {
		return s.createdBefore(ctx, Target{Datastore: datastore, Type: t, ID: id}, err)
	}
	return res, err
}

// keyID is the id that follows from an idempotency key.
func keyID(t r4.Code, key string) string {
	sum := sha256.Sum256([]byte("tarn create once 1\x00" + t.String() + "\x00" + key))
	return uuid([16]byte(sum[:16]), 8)
}

// createdBefore is the first version of a resource whose creation failed with exists, and that error.
func (s *Service) createdBefore(ctx context.Context, t Target, exists error) (Written, error) {
	first, err := s.ReadVersion(ctx, t, 1)
	if err != nil {
		return Written{}, err
	}
	return Written{Result: store.Result{Version: first}}, exists
}

func (s *Service) create(ctx context.Context, datastore string, t r4.Code, id string, body []byte, o WriteOptions) (Written, error) {
	w, tolerated, err := s.prepare(ctx, datastore, body, t, o)
	if err != nil {
		return Written{}, err
	}
	w.Op, w.ID = store.Create, id
	res, err := s.commit(ctx, datastore, w)
	return Written{res, tolerated}, err
}
