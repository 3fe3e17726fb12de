package interaction

import (
	"context"

	"tarn/store"
)

// Delete removes a resource from view; its history stays (FHIR R4 section 3.1.0.7). What is not there, or deleted
// already, is no error: Change is None. References to it are not looked at.
func (s *Service) Delete(ctx context.Context, t Target, c Conditions) (store.Result, error) {
	return s.commit(ctx, t.Datastore, store.Write{Op: store.Delete, Type: t.Type, ID: t.ID, IfMatch: c.IfMatch})
}
