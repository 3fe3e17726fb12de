package validate

import "tarn/fhir"

// A primitive's id and extensions stand in a member of their own, _name beside name (http://hl7.org/fhir/R4/json.html#primitive).
// Where the element repeats both are arrays of one length, and null stands where one of them has nothing.

// sibling is the member of the parent that is called like n with or without the underscore.
func sibling(parent, n fhir.Node, name string, underscore bool) fhir.Node {
	for c := parent.First(); c.Exists(); c = c.Next() {
		if c.Index() == n.Index() {
			continue
		}
		key := c.Key()
		if c.KeyEscaped() {
			key = c.AppendKey(nil)
		}
		if underscore {
			if len(key) == 0 || key[0] != '_' {
				continue
			}
			key = key[1:]
		}
		if string(key) == name {
			return c
		}
	}
	return fhir.Node{}
}

// primitiveExtension holds n, which is called _name, against the element that it belongs to.
func (v *Validator) primitiveExtension(parent, n fhir.Node, e *elementPlan, f *fieldPlan) {
	values := sibling(parent, n, f.name, false)
	if !e.def.Array {
		if n.Kind() != fhir.Object {
			v.refuse(n, fhir.CodeStructure, "must be an object: it holds id and extensions of a primitive value")
			return
		}
		v.extensionsOf(n, f, values.Exists())
		return
	}
	if n.Kind() != fhir.Array {
		v.refuse(n, fhir.CodeStructure, "must be an array, like the values that it belongs to")
		return
	}
	aligned := values.Kind() == fhir.Array
	value := values.First()
	count := 0
	for c := n.First(); c.Exists(); c = c.Next() {
		has := aligned && value.Exists() && value.Kind() != fhir.Null
		switch {
		case c.Kind() == fhir.Object:
			v.extensionsOf(c, f, has)
		case c.Kind() != fhir.Null:
			v.refuse(c, fhir.CodeStructure, "must be an object or null")
		case !aligned:
			v.refuse(c, fhir.CodeStructure, "null stands where there is no value either")
		}
		if aligned {
			value = value.Next()
		}
		if count++; v.full() {
			return
		}
	}
	if count == 0 {
		v.refuse(n, fhir.CodeStructure, "an array must not be empty; leave the element out instead")
	} else if aligned && count != values.Count() {
		v.refuse(n, fhir.CodeStructure, "must have as many items as the values that it belongs to; null stands where there is nothing")
	}
}

// extensionsOf holds the object with a primitive's id and extensions.
func (v *Validator) extensionsOf(n fhir.Node, f *fieldPlan, hasValue bool) {
	if present := v.object(n, f.plan); present == 0 || !hasValue && present&f.plan.anyOf == 0 {
		v.refuse(n, codeInvariant, "must have extensions where there is no value (ele-1)")
	}
}

// extensions go along with the values of an array, once one of them is null.
type extensions struct {
	looked bool
	item   fhir.Node
	index  int
}

// at reports whether extensions stand beside the value at index, which is not less than before.
func (x *extensions) at(parent, values fhir.Node, f *fieldPlan, index int) bool {
	if !x.looked {
		x.looked = true
		if array := sibling(parent, values, f.name, true); array.Kind() == fhir.Array {
			x.item = array.First()
		}
	}
	for ; x.index < index; x.index++ {
		x.item = x.item.Next()
	}
	return x.item.Kind() == fhir.Object
}
