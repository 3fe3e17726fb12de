package interaction

import (
	"context"
	"errors"

	"tarn/fhir"
	"tarn/store"
)

// HistoryQuery says which versions a history shows.
type HistoryQuery struct {
	Count  int          // at most this many
	Before store.Mark   // only versions before that place: that of the last one of the page before; zero: from the newest
	Since  fhir.Instant // only versions at or after it; 0: all
	At     Period       // only versions that were current at some time of it; zero: all
}

// Period is the time from From on, up to Until and without it.
type Period struct{ From, Until fhir.Instant }

// HistoryPage is a page of a history, newest first.
type HistoryPage struct {
	Versions []Historic
	More     bool // there are older ones that the query asks for, behind Next
	Next     store.Mark
}

// Historic is one version, and what was done to make it; Change is None where that is not known.
type Historic struct {
	store.Version
	Change store.Change
}

// MaxHistoryBytes bounds the bytes of the resources on one page of a history: a page ends behind the version that reaches
// it.
const MaxHistoryBytes = 16 << 20

// add puts a version on the page and counts its bytes.
func (p *HistoryPage) add(v store.Version, c store.Change, bytes *int) {
	p.Versions = append(p.Versions, Historic{v, c})
	p.Next = store.Mark{Tx: v.Tx, Type: v.Type, Ordinal: v.Ordinal}
	*bytes += len(v.Body)
}

// History is a page of the versions of one resource, deletions included (FHIR R4 section 3.1.0.10). A resource that never
// was is fault.NotFound.
func (s *Service) History(ctx context.Context, t Target, q HistoryQuery) (page HistoryPage, err error) {
	v, err := s.viewOf(ctx, t)
	if err != nil {
		return page, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	before := q.Before.Tx
	if q.At != (Period{}) {
		last, err := v.TxAt(ctx, q.At.Until-1)
		if err != nil {
			return page, err
		}
		if before == 0 || before > last+1 {
			before = last + 1
		}
		if before <= 1 { // nothing was there yet; but was the resource ever?
			_, err := v.Ordinal(ctx, t.Type, t.ID)
			return page, err
		}
	}
	bytes := 0
	for version, err := range v.History(ctx, t.Type, t.ID, before) {
		if err != nil {
			return page, err
		}
		if version.Instant < q.Since || version.Deleted && version.Instant <= q.At.From {
			break // older ones are not later, and what was deleted before the period was not current in it
		}
		if len(page.Versions) == q.Count || bytes >= MaxHistoryBytes {
			page.More = true
			break
		}
		page.add(version, store.None, &bytes)
		if version.Instant <= q.At.From {
			break // it was current when the period began
		}
	}
	return page, nil
}
