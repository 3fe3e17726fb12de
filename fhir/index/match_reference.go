package index

import (
	"bytes"
	"slices"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// reference compiles id, Type/id, Type/id/_history/v, a URL, a URN, and url|version of a canonical reference.
func (s *subject) reference(value string) ([]piece, error) {
	text := unescape(value)
	switch s.modifier {
	case "":
	case "identifier":
		return s.identified(value)
	case "above", "below":
		return s.hierarchy(text)
	default:
		return s.ofModifiersType(text)
	}
	ref := fhir.ParseReference(text)
	switch {
	case ref.Kind == fhir.RelativeReference:
		return append(s.local(ref), s.canonical(s.env.Base+"/"+text)...), nil
	case ref.Kind == fhir.AbsoluteReference && ref.Base == s.env.Base:
		return append(s.local(ref), s.canonical(text)...), nil
	case ref.Kind == fhir.AbsoluteReference:
		return append([]piece{foreign(ref)}, s.canonical(text)...), nil
	case ref.Kind == fhir.FragmentReference:
		return nil, s.refuse(fhir.CodeValue, "has the value %s: contained resources cannot be searched for", quote(value))
	case ref.Kind == fhir.ConditionalReference:
		return nil, s.refuse(fhir.CodeValue, "has the value %s, which is no reference", quote(value))
	case isID(text):
		return append(s.anyType(text), s.canonical(text)...), nil
	case !strings.Contains(text, ":") && !s.has("canonical", "uri"):
		return nil, s.refuse(fhir.CodeValue, "has the value %s, which is no reference; write it like Type/id", quote(value))
	}
	all := s.canonical(text)
	return append(all, beginning(append(appendClean([]byte{formOtherURI}, text), sep), nil)), nil
}

func isID(text string) bool {
	return fhir.ParseReference("Patient/"+text).Kind == fhir.RelativeReference && !strings.Contains(text, "/")
}

func referencePrefix(id string, c r4.Code) []byte { return AppendReference(nil, c, id) }

// local matches a resource of this server, whichever way it is referred to: with a version only at that one.
func (s *subject) local(ref fhir.Reference) []piece {
	code, _ := r4.CodeOf(ref.Type)
	prefix, base := referencePrefix(ref.ID, code), []byte(s.env.Base)
	return []piece{beginning(prefix, func(v []byte, cut bool) Verdict {
		where, version, _ := bytes.Cut(v[len(prefix):], []byte{sep})
		if cut {
			return Unsure
		}
		return yes((len(where) == 0 || bytes.Equal(where, base)) && (ref.Version == "" || string(version) == ref.Version))
	})}
}

// foreign matches a resource of another server.
func foreign(ref fhir.Reference) piece {
	code, _ := r4.CodeOf(ref.Type)
	v := appendClean(referencePrefix(ref.ID, code), ref.Base)
	if ref.Version != "" {
		return equalTo(append(append(v, sep), ref.Version...))
	}
	return beginning(v, func(have []byte, cut bool) Verdict {
		if len(have) > len(v) {
			return yes(have[len(v)] == sep)
		}
		if cut {
			return Unsure
		}
		return Yes
	})
}

// anyType matches local resources with this id of the types that the parameter may point to.
func (s *subject) anyType(id string) []piece {
	prefix, base := append(append([]byte{formReference}, id...), sep), []byte(s.env.Base)
	var types []byte
	for _, name := range s.param.Targets {
		if c, ok := r4.CodeOf(name); ok {
			types = append(types, typeByte(c))
		}
	}
	return []piece{beginning(prefix, func(v []byte, cut bool) Verdict {
		rest := v[len(prefix):]
		if len(rest) == 0 || len(types) > 0 && !slices.Contains(types, rest[0]) {
			return No
		}
		where, _, _ := bytes.Cut(rest[1:], []byte{sep})
		if cut {
			return Unsure
		}
		return yes(len(where) == 0 || bytes.Equal(where, base))
	})}
}

// ofModifiersType compiles subject:Patient=id.
func (s *subject) ofModifiersType(text string) ([]piece, error) {
	ref := fhir.ParseReference(text)
	switch {
	case isID(text):
		ref = fhir.Reference{Type: s.modifier, ID: text}
	case ref.Kind == fhir.AbsoluteReference && ref.Base != s.env.Base && ref.Type == s.modifier:
		return []piece{foreign(ref)}, nil
	case ref.Type != s.modifier || ref.Kind != fhir.RelativeReference && ref.Kind != fhir.AbsoluteReference:
		return nil, s.refuse(fhir.CodeValue, "has the value %s, which is no id of a resource of type %s", quote(text), s.modifier)
	}
	return s.local(ref), nil
}

// canonical matches a canonical reference: with url|version that version, else all.
func (s *subject) canonical(text string) []piece {
	if !s.has("canonical", "uri") {
		return nil
	}
	all := []piece{beginning(append(appendClean([]byte{formCanonical}, text), sep), nil)}
	if strings.Contains(text, "|") {
		all = append(all, equalTo(appendCanonical([]byte{formCanonical}, text)))
	}
	return all
}

// hierarchy compiles :above and :below of canonical references. Below url|1 are the versions 1, 1.2 and so on.
func (s *subject) hierarchy(text string) ([]piece, error) {
	if !s.has("canonical", "uri") {
		return nil, s.refuse(codeNotSupported, "has a hierarchy of canonical references only")
	}
	url, version, versioned := strings.Cut(text, "|")
	if !isURL(url) {
		return nil, s.refuse(fhir.CodeValue, "has the value %s, which is no URL: only those have a hierarchy", quote(text))
	}
	v := append(appendClean([]byte{formCanonical}, url), sep)
	switch {
	case !versioned && s.modifier == "below":
		return below(formCanonical, url), nil
	case !versioned:
		return above(formCanonical, url), nil
	case s.modifier == "below":
		v = appendClean(v, version)
		return []piece{equalTo(v), beginning(append(bytes.Clone(v), '.'), nil)}, nil
	}
	var all []piece
	for i := 0; i <= len(version); i++ {
		if i == len(version) || version[i] == '.' {
			all = append(all, equalTo(appendClean(bytes.Clone(v), version[:i])))
		}
	}
	return all, nil
}

// identified compiles :identifier, whose values are those of a token.
func (s *subject) identified(value string) ([]piece, error) {
	parts := divide(value, '|')
	switch {
	case len(parts) > 2 || value == "|":
		return nil, s.refuse(fhir.CodeValue, "has the value %s where value, system|value or |value of an identifier is needed", quote(value))
	case len(parts) == 1:
		return []piece{beginning(append(appendClean([]byte{formIdentifier}, unescape(value)), sep), nil)}, nil
	case parts[1] == "":
		system := append(appendClean(nil, unescape(parts[0])), sep)
		return []piece{beginning([]byte{formIdentifier}, func(v []byte, cut bool) Verdict {
			_, rest, ok := bytes.Cut(v[1:], []byte{sep})
			if !ok || len(rest) == 0 || cut && len(rest) <= len(system) {
				return unknown(cut)
			}
			return yes(rest[0] == tokenIdentifier && bytes.HasPrefix(rest[1:], system))
		})}, nil
	}
	whose, code := byte(tokenIdentifier), appendClean(nil, unescape(parts[1]))
	if parts[0] == "" {
		whose = tokenUnsystem
	}
	return []piece{beginning(append(tokenOf(formIdentifier, code, whose, unescape(parts[0])), sep), nil)}, nil
}

// refersTo reports whether a value of a reference parameter is a reference to resources of this type.
func refersTo(v []byte, cut bool, only r4.Code) Verdict {
	if len(v) == 0 {
		return No
	}
	at := -1
	switch v[0] {
	case formReference, formOtherURI, formBare:
		at = bytes.IndexByte(v, sep) + 1
	case formIdentifier: // the type stands at the end
		if cut {
			return Unsure
		}
		at = len(v) - 1
	}
	if at <= 0 {
		return unknown(cut && at == 0)
	}
	if at >= len(v) {
		return unknown(cut)
	}
	return yes(v[at] == typeByte(only))
}
