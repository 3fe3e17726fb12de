package fhir

import (
	"strings"

	"tarn/fhir/r4"
)

// ReferenceKind says what a Reference points at.
type ReferenceKind uint8

// The kinds of reference.
const (
	OtherReference       ReferenceKind = iota // some other URI, or no URI at all
	RelativeReference                         // Patient/1, Patient/1/_history/2
	AbsoluteReference                         // https://example.org/fhir/Patient/1
	FragmentReference                         // #p1: a contained resource; "#" alone is the container
	URNReference                              // urn:uuid:..., urn:oid:...
	ConditionalReference                      // Patient?identifier=...
)

// Reference is a literal reference (Reference.reference) taken apart (http://hl7.org/fhir/R4/references.html).
type Reference struct {
	Kind    ReferenceKind
	Base    string // of an absolute reference: what stands before the type, without the last slash
	Type    string // the resource type of a relative, absolute or conditional reference
	ID      string // the logical id; of a fragment what follows the #; of a URN all of it
	Version string // what follows /_history/, or empty
	Query   string // of a conditional reference: what follows the ?
}

// ParseReference takes a reference apart. It does not allocate and never fails: what has no known form is an
// OtherReference, and an absolute URL that names no resource (no type, or no FHIR id) is one too.
func ParseReference(s string) Reference {
	switch {
	case strings.HasPrefix(s, "#"):
		return Reference{Kind: FragmentReference, ID: s[1:]}
	case strings.HasPrefix(s, "urn:"):
		return Reference{Kind: URNReference, ID: s}
	}
	if name, query, ok := strings.Cut(s, "?"); ok {
		if r4.IsType(name) {
			return Reference{Kind: ConditionalReference, Type: name, Query: query}
		}
		return Reference{}
	}
	rest, version := s, ""
	if at := strings.LastIndex(s, "/_history/"); at >= 0 {
		rest, version = s[:at], s[at+len("/_history/"):]
		if !validID(version) {
			return Reference{}
		}
	}
	slash := strings.LastIndexByte(rest, '/')
	if slash < 0 || !validID(rest[slash+1:]) {
		return Reference{}
	}
	r := Reference{Kind: RelativeReference, ID: rest[slash+1:], Version: version}
	rest = rest[:slash]
	if slash = strings.LastIndexByte(rest, '/'); slash >= 0 {
		r.Kind, r.Base = AbsoluteReference, rest[:slash]
		host, ok := strings.CutPrefix(r.Base, "https://")
		if !ok {
			host, ok = strings.CutPrefix(r.Base, "http://")
		}
		if !ok || host == "" || host[0] == '/' {
			return Reference{}
		}
	}
	r.Type = rest[slash+1:]
	if !r4.IsType(r.Type) {
		return Reference{}
	}
	return r
}

// String puts the reference together again; of an OtherReference nothing is left.
func (r Reference) String() string {
	switch r.Kind {
	case FragmentReference:
		return "#" + r.ID
	case URNReference:
		return r.ID
	case ConditionalReference:
		return r.Type + "?" + r.Query
	case RelativeReference, AbsoluteReference:
		s := r.Type + "/" + r.ID
		if r.Kind == AbsoluteReference {
			s = r.Base + "/" + s
		}
		if r.Version != "" {
			s += "/_history/" + r.Version
		}
		return s
	}
	return ""
}
