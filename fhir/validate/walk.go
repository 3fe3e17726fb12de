package validate

import (
	"math/bits"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// spot is where the walk is: a value and the elements of it that are there.
type spot struct {
	node    fhir.Node
	present uint64
}

// object holds an object against the plan of its type and gives the elements that are there.
func (v *Validator) object(n fhir.Node, p *plan) (present uint64) {
	s := p.structure
	strange := false
	for c := n.First(); c.Exists(); c = c.Next() {
		key := v.keyOf(c)
		if len(key) > 0 && key[0] == '_' {
			place, ok := s.Find(key[1:])
			if !ok || p.elements[place.Element].fields[place.Field].primitive == 0 || p.elements[place.Element].fields[place.Field].id {
				strange = true
				v.unknown(c)
				continue
			}
			e := &p.elements[place.Element]
			bit := uint64(1) << place.Element
			if present&bit != 0 && e.def.Choice {
				v.choice(n, c, p, place)
			}
			present |= bit
			v.primitiveExtension(n, c, e, &e.fields[place.Field])
			continue
		}
		place, ok := s.Find(key)
		if !ok {
			if !p.resource || string(key) != "resourceType" {
				strange = true
				v.unknown(c)
			}
			continue
		}
		e := &p.elements[place.Element]
		bit := uint64(1) << place.Element
		if present&bit != 0 && e.def.Choice {
			v.choice(n, c, p, place)
		}
		present |= bit
		v.element(n, c, e, &e.fields[place.Field])
		if len(v.issues) > MaxIssues {
			return present
		}
	}
	if missing := p.required &^ present; missing != 0 {
		v.missing(n, p, missing)
	}
	if present&p.anyOf == 0 && p.anyOf != 0 && !strange && p.structure.Primitive == 0 {
		v.refuse(n, codeInvariant, "must have a value or children besides its id (ele-1)")
	}
	if p.extension != 0 {
		if both := present & p.extension; bits.OnesCount64(both) != 1 {
			v.refuse(n, codeInvariant, "must have either extensions or a value, and not both (ext-1)")
		}
	}
	v.rules(p.rules, spot{n, present})
	return present
}

// element holds a member against the element that it is.
func (v *Validator) element(parent, n fhir.Node, e *elementPlan, f *fieldPlan) {
	if !e.def.Array {
		if n.Kind() == fhir.Array {
			v.refuse(n, fhir.CodeStructure, "must not be an array: there is one at most")
			return
		}
		v.item(n, e, f)
		return
	}
	if n.Kind() != fhir.Array {
		v.refuse(n, fhir.CodeStructure, "must be an array")
		return
	}
	i := 0
	var beside extensions
	for c := n.First(); c.Exists(); c = c.Next() {
		if c.Kind() != fhir.Null || f.primitive == 0 || !beside.at(parent, n, f, i) {
			v.item(c, e, f)
		}
		i++
		if len(v.issues) > MaxIssues {
			return
		}
	}
	switch {
	case i == 0:
		v.refuse(n, fhir.CodeStructure, "an array must not be empty; leave the element out instead")
	case e.def.Max >= 0 && i > e.def.Max:
		v.refuse(n, fhir.CodeStructure, "has more items than are allowed")
	case i < e.def.Min:
		v.refuse(n, codeRequired, "has fewer items than are required")
	}
}

// item holds one value against its type.
func (v *Validator) item(n fhir.Node, e *elementPlan, f *fieldPlan) {
	switch kind := n.Kind(); {
	case kind == fhir.Null:
		v.refuse(n, fhir.CodeStructure, "null stands for no value; leave the element out instead")
		return
	case f.primitive != 0:
		if why := v.primitive(f.primitive, n); why != "" {
			v.refuse(n, fhir.CodeValue, string(why))
			return
		}
		v.value(n, e, f)
	case kind != fhir.Object:
		v.refuse(n, fhir.CodeStructure, "must be an object")
		return
	case f.plan == nil:
		v.resource(n, e.def.Name == "contained")
	default:
		present := v.object(n, f.plan)
		if f.plan.reference {
			v.reference(n, f)
		}
		if f.coded > codedPlain {
			v.bound(n, e, f)
		}
		if len(e.rules) > 0 {
			v.rules(e.rules, spot{n, present})
		}
		return
	}
	if len(e.rules) > 0 {
		v.rules(e.rules, spot{n, ^uint64(0)})
	}
}

// value is what else is asked of a well-formed primitive.
func (v *Validator) value(n fhir.Node, e *elementPlan, f *fieldPlan) {
	switch f.primitive {
	case r4.CodeValue, r4.String:
		if f.coded == codedPlain {
			v.bound(n, e, f)
		}
		if f.id && !isURI(v.text(n)) {
			v.refuse(n, fhir.CodeValue, "an element's id must not have white space")
		}
	case r4.URI, r4.Canonical, r4.URL:
		if f.coded == codedPlain {
			v.bound(n, e, f)
		}
		v.mention(n)
	case r4.XHTML:
		if why, empty := v.html.flaw(v.text(n)); empty {
			v.refuse(n, codeInvariant, string(why)+" (txt-2)")
		} else if why != "" {
			v.refuse(n, codeInvariant, string(why)+" (txt-1)")
		}
	}
}

// unknown is a member that the type does not have.
func (v *Validator) unknown(n fhir.Node) {
	v.refuse(n, fhir.CodeStructure, "is no element of its parent, which is of a type without this name")
}

// choice is called where an element that may have one of several types is there twice: in two types, or with its own
// extensions, which is sound.
func (v *Validator) choice(parent, n fhir.Node, p *plan, place r4.Place) {
	for c := parent.First(); c.Index() < n.Index(); c = c.Next() {
		key := c.AppendKey(nil)
		if len(key) > 0 && key[0] == '_' {
			key = key[1:]
		}
		if other, ok := p.structure.Find(key); ok && other.Element == place.Element && other.Field != place.Field {
			v.refuse(n, fhir.CodeStructure, "is there in another type already: "+p.elements[place.Element].def.Name+" has one value at most")
			return
		}
	}
}

// missing tells of elements that must be there.
func (v *Validator) missing(n fhir.Node, p *plan, mask uint64) {
	for ; mask != 0; mask &= mask - 1 {
		name := p.elements[bits.TrailingZeros64(mask)].def.Name
		var b strings.Builder
		b.WriteString("the element ")
		b.WriteString(name)
		b.WriteString(" is missing: ")
		b.WriteString(p.structure.Name)
		b.WriteString(" must have it")
		v.refuse(n, codeRequired, b.String())
	}
}

// rules evaluates the invariants of a place.
func (v *Validator) rules(rules []rule, at spot) {
	for i := range rules {
		r := &rules[i]
		if at.present&r.needs != r.needs || at.present&r.enough != 0 {
			continue
		}
		if r.native != nil {
			if r.native(v, at) {
				continue
			}
		} else if v.evaluator.Holds(r.expr, at.node, v.scope) {
			continue
		}
		severity := fhir.SeverityError
		if r.Severity == "warning" {
			severity = fhir.SeverityWarning
		}
		v.report(at.node, severity, codeInvariant, r.Human+" ("+r.Key+")")
	}
}
