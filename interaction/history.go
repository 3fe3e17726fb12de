package interaction

import (
	"context"
	"errors"

	"tarn/fhir"
	"tarn/store"
)

// HistoryQuery says which versions of one resource a history shows.
type HistoryQuery struct {
	Count  int          // at most this many
	Before store.TxID   // only versions made before that transaction: the last of the page before; 0: from the newest
	Since  fhir.Instant // only versions at or after it; 0: all
}

// History is a page of the versions of a resource, newest first, deletions included (FHIR R4 section 3.1.0.10), and
// whether there are older ones that the query asks for. A resource that never was is fault.NotFound.
func (s *Service) History(ctx context.Context, t Target, q HistoryQuery) (page []store.Version, more bool, err error) {
	v, err := s.viewOf(ctx, t)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	for version, err := range v.History(ctx, t.Type, t.ID, q.Before) {
		if err != nil {
			return nil, false, err
		}
		if version.Instant < q.Since {
			break // older ones are not later
		}
		if len(page) == q.Count {
			return page, true, nil
		}
		page = append(page, version)
	}
	return page, false, nil
}
