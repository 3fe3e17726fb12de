package index

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Extractor makes the index entries of resources. It keeps its memory between resources and is for one goroutine.
type Extractor struct {
	folder
	plan     *plan
	resource fhir.Node
	buf      []byte // the values, one after the other, and some waste of tuples
	scratch  []byte
	start    int // of the value that is being written
	values   []value
	entries  []fhir.IndexEntry
	param    uint16
	alone    bool   // within a tuple: only the values that are compared, no second forms
	held     []held // values of the tuples that are open
	parts    []value
	extra    bool  // what is found belongs to the extra walk of open
	open     int   // tuple of the extra walk
	marks    []int // where the tuples that are open begin in held
}

// value is a piece of buf.
type value struct {
	param    uint16
	from, to int
}

// held is a value of a part of a tuple before it is encoded.
type held struct {
	tuple, part int
	encode      encoder
	node        fhir.Node
}

// NewExtractor is an Extractor.
func NewExtractor() *Extractor { return &Extractor{} }

// Extract are the entries of the resource of type typ that doc holds, uncut and in no particular order; some may be
// there twice. They are valid until the next call. _id and _lastUpdated have none: the store's headers tell them. What
// does not have the form that the definitions ask for counts as present and no more; extraction never fails.
func (x *Extractor) Extract(doc *fhir.Doc, typ r4.Code) []fhir.IndexEntry {
	return x.ExtractNode(doc.Root(), typ)
}

// ExtractNode is Extract for a resource that is part of a document, such as that of a Bundle's entry.
func (x *Extractor) ExtractNode(resource fhir.Node, typ r4.Code) []fhir.IndexEntry {
	x.plan, x.resource = planOf(typ), resource
	x.buf, x.start, x.values, x.held = x.buf[:0], 0, x.values[:0], x.held[:0]
	x.marks = x.marks[:0]
	x.plan.walk.Run(resource, x)
	x.entries = x.entries[:0]
	for _, v := range x.values {
		x.entries = append(x.entries, fhir.IndexEntry{Param: v.param, Value: x.buf[v.from:v.to:v.to]})
	}
	x.resource = fhir.Node{}
	return x.entries
}

// ExtractOwned is Extract, but the entries belong to the caller. All values share one allocation.
func (x *Extractor) ExtractOwned(doc *fhir.Doc, typ r4.Code) []fhir.IndexEntry {
	return own(x.Extract(doc, typ))
}

// ExtractNodeOwned is ExtractNode, but the entries belong to the caller.
func (x *Extractor) ExtractNodeOwned(resource fhir.Node, typ r4.Code) []fhir.IndexEntry {
	return own(x.ExtractNode(resource, typ))
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

// Found implements path.Sink.
func (x *Extractor) Found(out int, n fhir.Node) {
	if x.extra {
		a := &x.plan.tuples[x.open].acts[out]
		x.held = append(x.held, held{x.open, a.part, a.encode, n})
		return
	}
	a := &x.plan.acts[out]
	if a.tuple >= 0 {
		x.held = append(x.held, held{a.tuple, a.part, a.encode, n})
		return
	}
	x.param = a.param
	before := len(x.values)
	if a.encode != nil {
		a.encode(x, n)
	}
	if len(x.values) == before {
		x.buf = append(x.buf[:x.start], formPresent)
		x.emit()
	}
}

// emit ends the value that has been appended to buf.
func (x *Extractor) emit() {
	x.values = append(x.values, value{x.param, x.start, len(x.buf)})
	x.start = len(x.buf)
}

// drop forgets the value that has been begun.
func (x *Extractor) drop() { x.buf = x.buf[:x.start] }
