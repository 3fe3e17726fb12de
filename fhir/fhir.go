// Package fhir holds a FHIR R4 resource as the bytes that were given: only white space between tokens goes. A Parser
// reads JSON onto a tape of offsets and makes a Resource; what the server adds (id, version, instant) is spliced into
// the bytes, so that decimals, member order, unknown elements and escapes come back as they were sent.
package fhir

import "tarn/fhir/r4"

// Resource is one resource on one line of JSON. It is immutable and safe to share; the zero Resource is none.
type Resource struct {
	data             []byte
	code             r4.Code
	typeEnd          uint32 // offset after the value of resourceType
	id, meta         span   // the values; empty where there is none
	version, updated span
}

// span is the part [start, end) of the bytes.
type span struct{ start, end uint32 }

func (s span) ok() bool { return s.end != 0 }

func spanOf(n Node) span { return span{uint32(n.Offset()), uint32(n.End())} }

// Code is the number of the resource's type; 0 for the zero Resource.
func (r Resource) Code() r4.Code { return r.code }

// Type is the resource's type, as in resourceType.
func (r Resource) Type() string { return r.code.String() }

// ID is the resource's logical id, or empty.
func (r Resource) ID() string { return r.text(r.id) }

// VersionID is meta.versionId as given, or empty.
func (r Resource) VersionID() string { return r.text(r.version) }

// LastUpdated is meta.lastUpdated as given, or empty.
func (r Resource) LastUpdated() string { return r.text(r.updated) }

// Bytes are the resource as compact JSON: one line without a newline. They must not be changed.
func (r Resource) Bytes() []byte { return r.data }

// text is the decoded string at s.
func (r Resource) text(s span) string {
	if !s.ok() {
		return ""
	}
	raw := r.data[s.start+1 : s.end-1]
	for _, c := range raw {
		if c == '\\' {
			return string(appendUnescaped(nil, raw))
		}
	}
	return string(raw)
}

// ValidID reports whether s is a FHIR id: 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'.
func ValidID(s string) bool { return validID(s) }

func validID[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if !idBytes[s[i]] {
			return false
		}
	}
	return true
}

// idBytes are the bytes of a FHIR id.
var idBytes = func() (table [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.") {
		table[c] = true
	}
	return table
}()
