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
	sum := sha256.Sum256([]byte("tarn create once 1\x00" + t.String() + "\x00" + key))
	id := uuid([16]byte(sum[:16]), 8)
	res, err := s.create(ctx, datastore, t, id, body, o)
	if !fault.Is(err, fault.Exists) {
		return res, err
	}
	first, reading := s.ReadVersion(ctx, Target{Datastore: datastore, Type: t, ID: id}, 1)
	if reading != nil {
		return Written{}, reading
	}
	return Written{Result: store.Result{Version: first}}, err
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
