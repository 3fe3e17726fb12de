package validate

import (
	"sync"

	"tarn/fhir/invariant"
	"tarn/fhir/r4"
)

// plan is a structure of the definitions made ready for the walk. Elements are bits: no structure has more than 64.
type plan struct {
	structure *r4.Structure
	elements  []elementPlan
	required  uint64 // elements that must be there
	anyOf     uint64 // all but id: one of them must be there (ele-1); 0 for a resource
	rules     []rule
	extension uint64 // of Extension: the bits of extension and value[x], of which exactly one must be there (ext-1)
	reference bool   // it is Reference
	resource  bool
	contained bool // a DomainResource
}

// elementPlan is one element of a plan.
type elementPlan struct {
	def    *r4.Element
	rules  []rule // of each item
	codes  *r4.Codes
	check  func(code []byte) bool // in place of codes
	fields []fieldPlan
}

// fieldPlan is one JSON name of an element.
type fieldPlan struct {
	name      string
	plan      *plan // of the type; nil for any resource
	primitive r4.Primitive
	id        bool // an element's own id
	targets   *types
	coded     coded
}

// coded says where the code of a value bound to codes stands.
type coded uint8

const (
	codedNot coded = iota
	codedPlain
	codedCoding
	codedConcept
	codedQuantity
)

// types is a set of resource types.
type types [r4.Count/64 + 1]uint64

func (t *types) has(c r4.Code) bool { return t[c/64]&(1<<(c%64)) != 0 }

// rule is an invariant. It is evaluated where all of needs is there and none of enough.
type rule struct {
	r4.Invariant
	expr          *invariant.Expr
	needs, enough uint64
	native        func(v *Validator, at spot) bool // in place of expr
}

// plans are those of all structures, made on first use.
var plans = sync.OnceValue(func() map[string]*plan {
	b := builder{map[string]*plan{}, map[string]*invariant.Expr{}}
	for _, name := range r4.Types() {
		b.plan(r4.StructureOf(name))
	}
	return b.plans
})

// resourcePlans are those of the concrete resource types by code.
var resourcePlans = sync.OnceValue(func() (all [r4.Count + 1]*plan) {
	for name, p := range plans() {
		if code, ok := r4.CodeOf(name); ok {
			all[code] = p
		}
	}
	return all
})

type builder struct {
	plans map[string]*plan
	exprs map[string]*invariant.Expr // by text
}

func (b *builder) plan(s *r4.Structure) *plan {
	if p := b.plans[s.Name]; p != nil {
		return p
	}
	p := &plan{structure: s, elements: make([]elementPlan, len(s.Elements)), resource: s.Kind == r4.KindResource, reference: s.Name == "Reference"}
	b.plans[s.Name] = p
	for i := range s.Elements {
		e := &s.Elements[i]
		bit := uint64(1) << i
		if e.Min > 0 {
			p.required |= bit
		}
		if !p.resource && e.Name != "id" {
			p.anyOf |= bit
		}
		if s.Name == "Extension" && (e.Name == "extension" || e.Choice) {
			p.extension |= bit
		}
		p.contained = p.contained || e.Name == "contained"
		p.elements[i] = b.element(s, e)
	}
	for _, key := range s.Invariants {
		if r, ok := b.rule(key, s.Name, s); ok {
			p.rules = append(p.rules, r)
		}
	}
	return p
}

func (b *builder) element(s *r4.Structure, e *r4.Element) elementPlan {
	ep := elementPlan{def: e, fields: make([]fieldPlan, len(e.Fields))}
	if e.Binding != nil && e.Binding.Strength == r4.Required {
		ep.codes = e.Binding.Codes
		if e.Binding.ValueSet == "http://hl7.org/fhir/ValueSet/currencies" {
			ep.check = isCurrency
		}
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		fp := fieldPlan{name: f.Name, primitive: f.Type.Primitive, targets: typesOf(f.Targets)}
		fp.id = e.Name == "id" && s.Kind != r4.KindResource
		if f.Type.Name != "Resource" && f.Type.Name != "DomainResource" {
			fp.plan = b.plan(f.Type)
		}
		if ep.codes != nil || ep.check != nil {
			switch {
			case f.Type.Primitive != 0:
				fp.coded = codedPlain
			case f.Type.Name == "Coding":
				fp.coded = codedCoding
			case f.Type.Name == "CodeableConcept":
				fp.coded = codedConcept
			case f.Type.Name == "Quantity":
				fp.coded = codedQuantity
			}
		}
		ep.fields[i] = fp
	}
	for _, key := range e.Invariants {
		var of *r4.Structure
		if len(e.Fields) == 1 {
			of = e.Fields[0].Type
		}
		if r, ok := b.rule(key, s.Name+"."+e.Name, of); ok {
			ep.rules = append(ep.rules, r)
		}
	}
	return ep
}

// rule is the invariant of this key on a path; of is the structure of its focus. Those that stand elsewhere in the code
// or are not checked are left out.
func (b *builder) rule(key, path string, of *r4.Structure) (rule, bool) {
	inv, ok := r4.InvariantOf(key, path)
	if _, passed := elsewhere[key]; passed || !ok {
		return rule{}, false
	}
	r := rule{Invariant: inv, native: natives[key]}
	if r.native == nil {
		if r.expr = b.exprs[inv.Expression]; r.expr == nil {
			var err error
			if r.expr, err = invariant.Compile(inv.Expression); err != nil {
				return rule{}, false // a test holds the list of them
			}
			b.exprs[inv.Expression] = r.expr
		}
	} else if r.expr, _ = invariant.Compile(inv.Expression); r.expr == nil {
		return r, true
	}
	if of == nil {
		return r, true
	}
	for _, name := range r.expr.Elements() {
		for i := range of.Elements {
			if base(&of.Elements[i]) != name {
				continue
			}
			if r.expr.HoldsWithout(name) {
				r.needs |= 1 << i
			}
			if r.expr.HoldsWith(name) {
				r.enough |= 1 << i
			}
		}
	}
	return r, true
}

// base is the name of an element without [x].
func base(e *r4.Element) string {
	if e.Choice {
		return e.Name[:len(e.Name)-len("[x]")]
	}
	return e.Name
}

// typesOf is the set of the types; nil where any will do.
func typesOf(names []string) *types {
	var t types
	for _, name := range names {
		code, ok := r4.CodeOf(name)
		if !ok {
			return nil
		}
		t[code/64] |= 1 << (code % 64)
	}
	if len(names) == 0 {
		return nil
	}
	return &t
}

// isCurrency holds the form of ISO 4217, whose list is not part of the definitions.
func isCurrency(code []byte) bool {
	ok := len(code) == 3
	for _, c := range code {
		ok = ok && c >= 'A' && c <= 'Z'
	}
	return ok
}
