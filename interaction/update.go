package interaction

import (
	"context"
	"fmt"

	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

// Update stores a new version of a resource, or its first under this id (FHIR R4 section 3.1.0.4). The body must carry
// the id of the URL.
func (s *Service) Update(ctx context.Context, t Target, body []byte, c Conditions) (store.Result, error) {
	res, err := s.parse(body, t.Type)
	if err != nil {
		return store.Result{}, err
	}
	if res.ID() != t.ID {
		text := fmt.Sprintf("The body has the id %q, the URL %q.", res.ID(), t.ID)
		if res.ID() == "" {
			text = fmt.Sprintf("The body has no id; an update needs the id of the URL, %q.", t.ID)
		}
		return store.Result{}, fhir.NewOutcomeError(fault.Invalid, "interaction.Update",
			fhir.Issue{Severity: "error", Code: "invalid", Diagnostics: text, Expression: []string{t.Type.String() + ".id"}})
	}
	return s.commit(ctx, t.Datastore, store.Write{Op: store.Put, Type: t.Type, ID: t.ID, Resource: res, IfMatch: c.IfMatch, IfNoneMatch: c.IfNoneMatch})
}
