package search

// Hurry makes the bounds of plans so small that few documents reach every way to answer a search.
func (s *Service) Hurry() {
	s.tune = tuning{patience: 4, longPatience: 12, streams: 2, values: 2, rangeCap: 5, innerCap: 3, reverseCap: 3, innerTries: 9, leastBatch: 2, mostBatch: 4,
		smallSort: 3, smallTries: 6, groupCap: 3, memberCap: 8, estimate: 6}
}

// OpenCursor shows what is in a cursor.
func OpenCursor(s *Service, datastore, text string) []byte {
	plain, _ := s.open(datastore, text)
	return plain
}

// SealCursor makes a cursor of anything.
func SealCursor(s *Service, datastore string, plain []byte) string { return s.sealed(datastore, plain) }
