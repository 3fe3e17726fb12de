package search

import (
	"context"
	"tarn/fhir"
	"time"
)

// Hurry makes the bounds of plans so small that few documents reach every way to answer a search.
func (s *Service) Hurry() {
	s.tune = tuning{patience: 4, longPatience: 12, streams: 2, values: 2, rangeCap: 5, innerCap: 3, reverseCap: 3, wholeShare: 2, columnShare: 10, innerWork: 60, leastBatch: 2, mostBatch: 4,
		smallSort: 3, countCap: 6, smallWork: 40, groupCap: 3, memberCap: 8, estimate: 6}
}

// Linger makes plans stay with what they began, whatever it costs.
func (s *Service) Linger() { s.tune.wholeShare = 1_000_000 }

// OpenCursor shows what is in a cursor.
func OpenCursor(s *Service, datastore, text string) []byte {
	plain, _ := s.open(datastore, text)
	return plain
}

// SealCursor makes a cursor of anything.
func SealCursor(s *Service, datastore string, plain []byte) string { return s.sealed(datastore, plain) }

// Ended is the refusal of a search whose time is over, after it spent so much on each parameter.
func Ended(cost map[string]int) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), 0, errTime)
	defer cancel()
	return ended(ctx, &run{cost: cost}, ctx.Err(), time.Second)
}

// Approximately is the span of the instants that are approximately within another one.
func Approximately(from, to, now fhir.Instant) (fhir.Instant, fhir.Instant) {
	span, _ := compare("ap", from, to, now)
	return span.from, span.to
}
