package index

// From is Ranges without what a walk up to key has passed: a forward walk over it meets every entry whose KeyOf is key or
// above, a backward one (descending) every one whose KeyOf is key or below. It may hold a few more, before these.
func (s *Sort) From(key []byte, descending bool) []Range { return s.Ranges() }
