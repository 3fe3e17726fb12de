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
func (s *Service) Update(ctx context.Context, t Target, body []byte, c Conditions, o WriteOptions) (Written, error) {
	w, tolerated, err := s.prepare(ctx, t.Datastore, body, t.Type, o)
	if err != nil {
		return Written{}, err
	}
	if id := w.Resource.ID(); id != t.ID {
		text := fmt.Sprintf("The body has the id %q, the URL %q.", id, t.ID)
		if id == "" {
			text = fmt.Sprintf("The body has no id; an update needs the id of the URL, %q.", t.ID)
		}
		return Written{}, fhir.NewOutcomeError(fault.Invalid, "interaction.Update",
			fhir.Issue{Severity: "error", Code: "invalid", Diagnostics: text, Expression: []string{t.Type.String() + ".id"}})
	}
	w.Op, w.ID, w.IfMatch, w.IfNoneMatch = store.Put, t.ID, c.IfMatch, c.IfNoneMatch
	res, err := s.commit(ctx, t.Datastore, w)
	return Written{res, tolerated}, err
}
