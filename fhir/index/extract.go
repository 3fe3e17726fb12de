package index

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Extractor makes the index entries of resources. It keeps its memory between resources and is for one goroutine.
type Extractor struct {
	entries []fhir.IndexEntry
}

// NewExtractor is an Extractor.
func NewExtractor() *Extractor { return &Extractor{} }

// Extract are the entries of the resource of type typ that doc holds, uncut and in no particular order, none twice.
// They are valid until the next call. _id and _lastUpdated have none: the store's headers tell them. What does not have
// the form that the definitions ask for has none either; extraction never fails.
func (x *Extractor) Extract(doc *fhir.Doc, typ r4.Code) []fhir.IndexEntry {
	return x.ExtractNode(doc.Root(), typ)
}

// ExtractNode is Extract for a resource that is part of a document, such as that of a Bundle's entry.
func (x *Extractor) ExtractNode(resource fhir.Node, typ r4.Code) []fhir.IndexEntry {
	x.entries = x.entries[:0]
	return x.entries
}

// ExtractOwned is Extract, but the entries belong to the caller. All values share one allocation.
func (x *Extractor) ExtractOwned(doc *fhir.Doc, typ r4.Code) []fhir.IndexEntry {
	return own(x.Extract(doc, typ))
}

func own(entries []fhir.IndexEntry) []fhir.IndexEntry {
	if len(entries) == 0 {
		return nil
	}
	size := 0
	for i := range entries {
		size += len(entries[i].Value)
	}
	arena, owned := make([]byte, 0, size), make([]fhir.IndexEntry, len(entries))
	for i, e := range entries {
		from := len(arena)
		arena = append(arena, e.Value...)
		owned[i] = fhir.IndexEntry{Param: e.Param, Value: arena[from:len(arena):len(arena)]}
	}
	return owned
}
