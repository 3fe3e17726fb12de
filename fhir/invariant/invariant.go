// Package invariant compiles the FHIRPath of constraints (ElementDefinition.constraint.expression) and evaluates it on
// the tape. It knows the part of FHIRPath that the invariants of FHIR R4 and of common profiles use. Where the specification
// of FHIRPath and HL7's own validator differ it does as the validator, for which the invariants are written: what comes
// out empty does not hold, and not() of nothing is true. What the data cannot decide (dates whose precision differs,
// other units) holds.
package invariant

import (
	"tarn/fault"
	"tarn/fhir"
)

// Expr is a compiled constraint. It is safe for concurrent use.
type Expr struct {
	text string
	root *expr
}

// Compile reads a constraint. The error is fault.Unsupported for what is no FHIRPath, or uses a function that is not
// known.
func Compile(text string) (*Expr, error) {
	p := &parser{text: text}
	p.next()
	root := p.implies()
	if p.err == "" && p.kind != end {
		p.fail("an operator is missing")
	}
	if p.err != "" {
		return nil, fault.Errorf(fault.Unsupported, "invariant.Compile", "%s in %q", p.err, text)
	}
	root.markFixed()
	return &Expr{text, root}, nil
}

// String is the expression as it was given.
func (e *Expr) String() string { return e.text }

// Scope are the places outside the focus that a constraint can name.
type Scope struct {
	Resource     fhir.Node // %resource: the innermost resource around the focus
	RootResource fhir.Node // %rootResource: the same, or what contains it
}

// maxSteps bounds the work of an Evaluator between two calls of Reset, so that no document costs more than some tenths of
// a second: some invariants compare everything with everything.
const maxSteps = 10_000_000

// Evaluator evaluates constraints. It keeps its working memory from one to the next and is for one goroutine.
type Evaluator struct {
	scope   Scope
	context fhir.Node // %context: the focus of the whole constraint
	values  []value   // working memory: collections are parts of it
	fixed   []fixed
	left    []byte
	right   []byte
	open    bool // the data could not decide something
	steps   int
}

// fixed is the collection of an expression that is the same for every item.
type fixed struct {
	e      *expr
	values []value
}

// Reset begins a document.
func (v *Evaluator) Reset() { v.steps = 0 }

// Spent reports whether the document was so large that not everything could be evaluated.
func (v *Evaluator) Spent() bool { return v.steps > maxSteps }

// Holds reports whether the constraint holds at the focus, or the data cannot decide, or the Evaluator is spent.
func (v *Evaluator) Holds(e *Expr, focus fhir.Node, scope Scope) bool {
	v.scope, v.context, v.values, v.fixed, v.open = scope, focus, v.values[:0], v.fixed[:0], false
	t := v.truth(v.eval(e.root, nodeValue(focus)))
	switch {
	case v.Spent(), t == yes:
		return true
	case t == no:
		return false
	}
	return v.open
}
