package r4

import (
	"slices"
	"strings"
)

// ParamType is the type of a search parameter (http://hl7.org/fhir/R4/search.html#ptypes).
type ParamType uint8

// The types of search parameter.
const (
	ParamNumber ParamType = iota + 1
	ParamDate
	ParamString
	ParamToken
	ParamReference
	ParamComposite
	ParamQuantity
	ParamURI
	ParamSpecial
)

var paramTypes = [...]string{"", "number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"}

// String is the type as the standard spells it: token.
func (t ParamType) String() string {
	if int(t) >= len(paramTypes) {
		return ""
	}
	return paramTypes[t]
}

// ParamCode is the number of a search parameter's name (name, birthdate, _id), whatever the type. Index rows carry it:
// a name keeps its number for ever, and a new name takes the next. 0 is none.
type ParamCode uint16

// SearchParam is one search parameter as it applies to one resource type. It is shared and must not be changed.
type SearchParam struct {
	Code       ParamCode
	Name       string // code of the SearchParameter: birthdate
	URL        string
	Type       ParamType
	Expression string   // the parts of the FHIRPath expression that apply to the resource type, or to Resource or DomainResource; empty: _text, _content
	Targets    []string // of a reference: the resource types that it may point to
	Components []Component
}

// Component is one part of a composite parameter.
type Component struct {
	Param      *SearchParam // what the part is compared as
	Expression string       // from the element that the composite's own expression gives
}

// String is the name of the number, or empty where no parameter has it.
func (c ParamCode) String() string {
	names := load().names
	if int(c) >= len(names) {
		return ""
	}
	return names[c]
}

// ParamCodeOf is the number of a name; false where no parameter of any type has it.
func ParamCodeOf(name string) (ParamCode, bool) {
	code, ok := load().codes[name]
	return code, ok
}

// Params are the search parameters of a resource type in the order of their names, those of all resources (_id,
// _lastUpdated, _tag, ...) and of DomainResource (_text) included, also those that the standard gives no expression:
// _content, _filter, _has, _list, _query, _text, _type. The slice is shared.
func (c Code) Params() []*SearchParam {
	if !c.Valid() {
		return nil
	}
	return load().params[c]
}

// Param is the search parameter of this name of a resource type; nil where there is none. It does not allocate.
func (c Code) Param(name string) *SearchParam {
	list := c.Params()
	i, ok := slices.BinarySearchFunc(list, name, func(p *SearchParam, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return nil
	}
	return list[i]
}

// Compartment are the names of the search parameters that put a resource of type c into a compartment of the type
// (Patient, Encounter, Practitioner, RelatedPerson, Device); "{def}" stands for the resource that the compartment is
// of. nil where c is not part of it. The slice is shared.
func (c Code) Compartment(of Code) []string {
	if !c.Valid() || !of.Valid() || load().compartments[of] == nil {
		return nil
	}
	return load().compartments[of][c]
}

// CompartmentParams are the reference parameters among those of Compartment: what they point to decides whose compartment a
// resource is in.
func (c Code) CompartmentParams(of Code) (params []*SearchParam) {
	for _, name := range c.Compartment(of) {
		if p := c.Param(name); p != nil && p.Type == ParamReference {
			params = append(params, p)
		}
	}
	return params
}
