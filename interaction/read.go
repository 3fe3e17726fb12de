package interaction

import (
	"context"
	"errors"

	"tarn/store"
)

// Read is the current version: fault.NotFound where there never was one, fault.Gone where it is deleted (the version is
// then the deletion).
func (s *Service) Read(ctx context.Context, t Target) (store.Version, error) {
	v, err := s.viewOf(ctx, t)
	if err != nil {
		return store.Version{}, err
	}
	version, err := v.Read(ctx, t.Type, t.ID)
	return version, errors.Join(err, v.Close())
}

// ReadVersion is one version by its number: fault.NotFound where there is none, fault.Gone where that version is a
// deletion.
func (s *Service) ReadVersion(ctx context.Context, t Target, number uint64) (store.Version, error) {
	v, err := s.viewOf(ctx, t)
	if err != nil {
		return store.Version{}, err
	}
	version, err := v.ReadVersion(ctx, t.Type, t.ID, number)
	return version, errors.Join(err, v.Close())
}
