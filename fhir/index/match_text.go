package index

import (
	"bytes"
	"strings"

	"tarn/fhir"
)

// text compiles a value of a string parameter: what begins so, folded; :exact and :contains.
func (s *subject) text(value string) ([]piece, error) {
	plain := []byte(unescape(value))
	var f folder
	folded := f.appendFolded(nil, plain)
	switch s.modifier {
	case "exact":
		v := append(append([]byte{formString}, folded...), sep)
		if original := appendClean(nil, plain); !bytes.Equal(original, folded) {
			v = append(v, original...)
		}
		return []piece{equalTo(v)}, nil
	case "contains":
		if len(folded) == 0 {
			return nil, s.refuse(fhir.CodeValue, "has nothing to look for")
		}
		return []piece{beginning([]byte{formString}, func(v []byte, cut bool) Verdict {
			text, _, whole := bytes.Cut(v[1:], []byte{sep})
			if bytes.Contains(text, folded) {
				return Yes
			}
			return unknown(cut && !whole)
		})}, nil
	}
	return []piece{beginning(append([]byte{formString}, folded...), nil)}, nil
}

// uri compiles a value of a uri parameter.
func (s *subject) uri(value string) ([]piece, error) {
	text := unescape(value)
	switch s.modifier {
	case "below":
		if !isURL(text) {
			return nil, s.refuse(fhir.CodeValue, "has the value %s, which is no URL: only those have a hierarchy", quote(text))
		}
		return below(formURI, text), nil
	case "above":
		if !isURL(text) {
			return nil, s.refuse(fhir.CodeValue, "has the value %s, which is no URL: only those have a hierarchy", quote(text))
		}
		return above(formURI, text), nil
	}
	all := []piece{beginning(append(appendClean([]byte{formURI}, text), sep), nil)}
	if !s.has("canonical") { // no version stands behind it
		all = []piece{equalTo(append(appendClean([]byte{formURI}, text), sep))}
	} else if strings.Contains(text, "|") {
		all = append(all, equalTo(appendCanonical([]byte{formURI}, text)))
	}
	return all, nil
}

func isURL(text string) bool {
	at := strings.Index(text, "://")
	return at > 0 && !strings.HasPrefix(text, "urn:") && len(text) > at+3
}

// below are the URL itself and all that are longer by whole segments of the path.
func below(form byte, url string) []piece {
	v := appendClean([]byte{form}, url)
	if strings.HasSuffix(url, "/") {
		return []piece{beginning(v, nil)}
	}
	return []piece{beginning(append(bytes.Clone(v), sep), nil), beginning(append(v, '/'), nil)}
}

// above are the URL itself and all that it is below.
func above(form byte, url string) (all []piece) {
	add := func(prefix string) {
		all = append(all, beginning(append(appendClean([]byte{form}, prefix), sep), nil))
	}
	add(url)
	host := strings.Index(url, "://") + 3
	for i := len(url) - 1; i > host; i-- {
		if url[i] == '/' {
			if i+1 < len(url) {
				add(url[:i+1])
			}
			add(url[:i])
		}
	}
	return all
}
