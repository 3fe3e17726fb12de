package index

import (
	"bytes"
	"strings"

	"tarn/fault"
	"tarn/fhir"
)

// token compiles code, system|code, |code and system|.
func (s *subject) token(value string) ([]piece, error) {
	switch s.modifier {
	case "text":
		return s.said(value), nil
	case "of-type":
		return s.ofType(value)
	case "in", "not-in":
		return s.resolved(value, func(r Resolver, value string) ([]Coding, error) { return r.ValueSet(value) })
	case "below":
		return s.resolved(value, func(r Resolver, value string) ([]Coding, error) { return r.Below(codingOf(value)) })
	case "above":
		return s.resolved(value, func(r Resolver, value string) ([]Coding, error) { return r.Above(codingOf(value)) })
	}
	parts := divide(value, '|')
	switch {
	case len(parts) > 2:
		return nil, s.refuse(fhir.CodeValue, "has the value %s with more than one |", quote(value))
	case value == "|":
		return nil, s.refuse(fhir.CodeValue, "has neither a system nor a code")
	case len(parts) == 1:
		return s.anySystem(formToken, unescape(value)), nil
	case parts[0] == "":
		return s.noSystem(unescape(parts[1])), nil
	case parts[1] == "":
		return []piece{s.anyCode(unescape(parts[0]))}, nil
	}
	return s.coding(unescape(parts[0]), unescape(parts[1])), nil
}

// identifiers and codings report which forms of a token occur.
func (s *subject) identifiers() bool { return s.has("Identifier") }
func (s *subject) codings() bool     { return s.has("Coding", "CodeableConcept") }
func (s *subject) implied() bool     { return s.has("code", "boolean") }
func (s *subject) plain() bool       { return s.codings() || s.has("string", "id", "uri", "ContactPoint") }

func tokenOf(form byte, code []byte, whose byte, system string) []byte {
	return appendClean(append(append(append([]byte{form}, code...), sep), whose), system)
}

// anySystem matches the code whatever its system.
func (s *subject) anySystem(form byte, text string) []piece {
	code, lower := appendClean(nil, text), appendLower(nil, text)
	if bytes.Equal(code, lower) {
		return []piece{beginning(append(append([]byte{form}, code...), sep), nil)}
	}
	return []piece{ // where the case may not matter it is the lower one, and else the one that was asked for
		beginning(append(append([]byte{form}, code...), sep), nil),
		{from: tokenOf(form, lower, tokenPlain, ""), to: tokenOf(form, lower, tokenPlain+1, "")},
		{from: tokenOf(form, lower, tokenSystem, ""), to: tokenOf(form, lower, tokenSystem+1, "")},
	}
}

func (s *subject) noSystem(text string) (all []piece) {
	code := appendClean(nil, text)
	if s.plain() {
		all = append(all, equalTo(tokenOf(formToken, appendLower(nil, text), tokenPlain, "")))
	}
	if s.implied() {
		all = append(all, equalTo(tokenOf(formToken, code, tokenImplied, "")))
	}
	if s.identifiers() {
		all = append(all, equalTo(tokenOf(formToken, code, tokenUnsystem, "")))
	}
	return all
}

func (s *subject) coding(system, text string) (all []piece) {
	code := appendClean(nil, text)
	if s.codings() {
		all = append(all, equalTo(tokenOf(formToken, appendLower(nil, text), tokenSystem, system)))
	}
	if s.identifiers() {
		all = append(all, equalTo(tokenOf(formToken, code, tokenIdentifier, system)))
	}
	if s.implied() && s.implies(system, text) {
		all = append(all, equalTo(tokenOf(formToken, code, tokenImplied, "")))
	}
	return all
}

// booleans is the code system that booleans are said to have.
const booleans = "http://hl7.org/fhir/special-values"

// implies reports whether an element without a system of its own has this code from that system.
func (s *subject) implies(system, code string) bool {
	for _, k := range s.kinds {
		if k.codes != nil && k.codes.Has([]byte(system), []byte(code)) || k.name == "boolean" && system == booleans {
			return true
		}
	}
	return false
}

// anyCode matches all codes of a system.
func (s *subject) anyCode(system string) piece {
	clean := appendClean(nil, system)
	return beginning([]byte{formToken}, func(v []byte, cut bool) Verdict {
		code, rest, ok := bytes.Cut(v[1:], []byte{sep})
		if !ok || len(rest) == 0 {
			return unknown(cut)
		}
		switch rest[0] {
		case tokenImplied:
			return yes(s.implies(system, string(code)))
		case tokenSystem, tokenIdentifier:
			return same(rest[1:], clean, cut)
		}
		return No
	})
}

// same compares the rest of a value with a text.
func same(rest, text []byte, cut bool) Verdict {
	if !cut {
		return yes(bytes.Equal(rest, text))
	}
	if bytes.HasPrefix(text, rest) {
		return Unsure
	}
	return No
}

// unknown is the verdict on a value that ends before it says enough.
func unknown(cut bool) Verdict {
	if cut {
		return Unsure
	}
	return No
}

// said matches what is said of a token: a text that begins so.
func (s *subject) said(value string) []piece {
	var f folder
	return []piece{beginning(f.appendFolded([]byte{formText}, []byte(unescape(value))), nil)}
}

// ofType compiles system|code|value.
func (s *subject) ofType(value string) ([]piece, error) {
	parts := divide(value, '|')
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return nil, s.refuse(fhir.CodeValue, "has the value %s where system|code|value of an identifier is needed", quote(value))
	}
	v := append(appendClean([]byte{formOfType}, unescape(parts[2])), sep)
	v = append(appendClean(v, unescape(parts[0])), sep)
	return []piece{equalTo(appendLower(v, unescape(parts[1])))}, nil
}

func codingOf(value string) Coding {
	if parts := divide(value, '|'); len(parts) == 2 {
		return Coding{unescape(parts[0]), unescape(parts[1])}
	}
	return Coding{Code: unescape(value)}
}

// resolved compiles the codings that a resolver names.
func (s *subject) resolved(value string, ask func(Resolver, string) ([]Coding, error)) (all []piece, err error) {
	if s.env.Resolver == nil {
		return nil, s.refuse(codeNotSupported, "needs terminology, which this server does not have")
	}
	if s.modifier == "in" || s.modifier == "not-in" {
		value = unescape(value)
	}
	codings, err := ask(s.env.Resolver, value)
	if err != nil {
		return nil, s.refuse(codeNotSupported, "cannot be decided for %s: %s", quote(value), fault.Message(err))
	}
	for _, c := range codings {
		if c.System == "" {
			all = append(all, s.anySystem(formToken, c.Code)...)
		} else {
			all = append(all, s.coding(c.System, c.Code)...)
		}
	}
	return all, nil
}

// near compiles the only special parameter: latitude|longitude|distance|unit.
func (s *subject) near(value string) ([]piece, error) {
	if !s.has("Location.position") {
		return nil, s.refuse(codeNotSupported, "is not supported")
	}
	return s.around(strings.Split(unescape(value), "|"))
}
