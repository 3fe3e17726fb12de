package validate

import (
	"tarn/fhir"
)

// bound holds a coded value against the value set that it must be of.
func (v *Validator) bound(n fhir.Node, e *elementPlan, f *fieldPlan) {
	ok := true
	switch f.coded {
	case codedPlain:
		ok = e.allows(nil, v.text(n))
	case codedCoding, codedQuantity:
		ok = v.coding(n, e)
	case codedConcept:
		list := n.Member("coding")
		if list.Kind() != fhir.Array {
			ok = n.Member("extension").Exists() && !n.Member("text").Exists()
			break
		}
		ok = false
		for c := list.First(); c.Exists() && !ok; c = c.Next() {
			ok = v.coding(c, e)
		}
	}
	if !ok {
		v.refuse(n, codeCode, "has no code of the value set "+e.def.Binding.ValueSet+", from which one is required")
	}
}

// coding reports whether a Coding, or a Quantity's unit, is in the value set.
func (v *Validator) coding(n fhir.Node, e *elementPlan) bool {
	var system, code fhir.Node
	for c := n.First(); c.Exists(); c = c.Next() {
		switch string(v.keyOf(c)) {
		case "system":
			system = c
		case "code":
			code = c
		}
	}
	if code.Kind() != fhir.String {
		return false
	}
	if system.Kind() != fhir.String {
		return e.allows(nil, v.text(code))
	}
	v.system = system.AppendText(v.system[:0])
	return e.allows(v.system, v.text(code))
}

func (e *elementPlan) allows(system, code []byte) bool {
	if e.check != nil {
		return e.check(code)
	}
	return e.codes.Has(system, code)
}
