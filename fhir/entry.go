package fhir

// IndexEntry is one entry of the search index: the current version of a resource has Value for the search parameter
// Param (an r4.ParamCode). Values sort bytewise. What the bytes mean is package fhir/index's.
type IndexEntry struct {
	Param uint16
	Value []byte
}
