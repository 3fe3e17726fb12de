package erase

// SetAtOnce lets tests divide erasures of few resources.
func (s *Service) SetAtOnce(n int) { s.atOnce = n }
