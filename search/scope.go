package search

import (
	"slices"

	"tarn/fhir/r4"
)

// Scope is what the caller may see; the zero Scope is everything. What lies outside is as if it were not there: it is no
// match, is not included, and no chain leads through it.
type Scope struct {
	Types       []r4.Code    // nil: all
	Compartment *Compartment // nil: not bound to one; else the compartment and what belongs to no compartment of that type
}

// Compartment is the resources about one (FHIR R4 section 2.4): Patient/1.
type Compartment struct {
	Type r4.Code
	ID   string
}

func (s Scope) shows(typ r4.Code) bool { return s.Types == nil || slices.Contains(s.Types, typ) }
