package edge

// Offer is what a face serves on the addresses of data stores beside FHIR's interactions, for the CapabilityStatement
// that another face answers with.
type Offer struct {
	Instantiates []string // canonical URLs of the statements that the face keeps
	Operations   []OfferedOperation
}

// OfferedOperation is an operation of FHIR (http://hl7.org/fhir/R4/operations.html).
type OfferedOperation struct {
	On         string // a resource type, "" for the system
	Name       string // without its $
	Definition string // canonical URL of its OperationDefinition
}
