package r4

// Invariant is the text of a constraint (http://hl7.org/fhir/R4/conformance-rules.html#constraints).
type Invariant struct {
	Key        string // pat-1
	Path       string // the first element that has it
	Severity   string // error or warning
	Human      string // what it demands
	Expression string // in FHIRPath
}

// InvariantOf is the invariant of a key as it stands on the element at the path, or on the type of this name. A key
// means the same everywhere but for a few (inv-1), so that any path gives an answer where the key is known.
func InvariantOf(key, path string) (Invariant, bool) {
	list := load().invariants[key]
	for _, inv := range list {
		if inv.Path == path {
			return inv, true
		}
	}
	if len(list) == 0 {
		return Invariant{}, false
	}
	return list[0], true
}
