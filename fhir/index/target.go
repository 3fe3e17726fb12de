package index

import (
	"iter"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// Target is what a reference of a resource points to: a local resource by Type and ID, at a Version if it says so, or a
// conformance resource by Canonical, perhaps with the type that the reference must have.
type Target struct {
	Type      r4.Code
	ID        string
	Version   string
	Canonical string // url of the target; Version is then its business version
}

// Targets are the targets of a reference parameter of a resource, for chains and includes. base is that of Env. Foreign,
// contained and logical references are left out.
func Targets(typ r4.Code, p *r4.SearchParam, kept []fhir.IndexEntry, base string) iter.Seq[Target] {
	return func(func(Target) bool) {}
}
