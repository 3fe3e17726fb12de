package index

// From is Ranges without what a walk up to key has passed: a forward walk over it meets every entry whose KeyOf is key or
// above, a backward one (descending) every one whose KeyOf is key or below. A key stands right behind the form of a
// value, so that little more is met.
func (s *Sort) From(key []byte, descending bool) []Range {
	ranges := make([]Range, len(s.ranges))
	for i, r := range s.ranges {
		edge := append(append(make([]byte, 0, len(key)+1), r.From...), key...)
		if descending {
			r.To = after(edge)
		} else {
			r.From = edge
		}
		ranges[i] = r
	}
	return ranges
}
