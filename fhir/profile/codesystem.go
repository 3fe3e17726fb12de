package profile

import (
	"strings"

	"tarn/fhir"
)

// codeSystem is a CodeSystem of a package that lists all its codes.
type codeSystem struct {
	url   string
	codes map[string]string // code to the code above it, or to nothing
	fold  bool              // codes are the same in upper and lower case, and kept in lower
}

// key is a code as it is kept.
func (s *codeSystem) key(code string) string {
	if s != nil && s.fold {
		return strings.ToLower(code)
	}
	return code
}

// readCodeSystem is nil for one that does not list its codes. budget counts codes.
func readCodeSystem(root fhir.Node, budget *int) *codeSystem {
	s := &codeSystem{url: text(root.Member("url")), codes: map[string]string{}, fold: root.Member("caseSensitive").Kind() == fhir.False}
	if content := root.Member("content"); s.url == "" || content.Exists() && !content.Is("complete") {
		return nil
	}
	s.read(root.Member("concept"), "", budget)
	if len(s.codes) == 0 {
		return nil
	}
	return s
}

func (s *codeSystem) read(list fhir.Node, above string, budget *int) {
	if list.Kind() != fhir.Array {
		return
	}
	for n := range list.Children() {
		code := s.key(text(n.Member("code")))
		if code == "" {
			continue
		}
		if *budget++; *budget > maxCodes {
			return
		}
		s.codes[code] = above
		s.read(n.Member("concept"), code, budget)
	}
}

// isA reports whether a code is the other one or stands below it.
func (s *codeSystem) isA(code, other string) bool {
	other = s.key(other)
	for range len(s.codes) { // a system may name a code twice, and so a circle
		if code == other {
			return true
		}
		above, ok := s.codes[code]
		if !ok || above == "" {
			return false
		}
		code = above
	}
	return false
}
