package r4

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

// ParamCode is the number of a search parameter's name (name, birthdate, _id), whatever the type. Index rows carry it:
// a name keeps its number for ever, and a new name takes the next. 0 is none.
type ParamCode uint16

// SearchParam is one search parameter as it applies to one resource type. It is shared and must not be changed.
type SearchParam struct {
	Code       ParamCode
	Name       string // code of the SearchParameter: birthdate
	URL        string
	Type       ParamType
	Expression string   // the part of the FHIRPath expression that applies to the resource type; empty: _text, _content
	Targets    []string // of a reference: the resource types that it may point to
	Components []Component
}

// Component is one part of a composite parameter.
type Component struct {
	Param      *SearchParam // what the part is compared as
	Expression string       // from the element that the composite's own expression gives
}

// Params are the search parameters of a resource type in the order of their names, those of all resources (_id,
// _lastUpdated, _tag, ...) and of DomainResource (_text) included. The slice is shared.
func (c Code) Params() []*SearchParam { return load().params(c) }

// Param is the search parameter of this name of a resource type; nil where there is none.
func (c Code) Param(name string) *SearchParam { return load().param(c, name) }

// Compartment are the names of the search parameters that put a resource of type c into a compartment of the type
// (Patient, Encounter, Practitioner, RelatedPerson, Device); "{def}" stands for the resource that the compartment is
// of. nil where c is not part of it. The slice is shared.
func (c Code) Compartment(of Code) []string { return load().compartment(of, c) }
