package validate

import (
	"tarn/fhir"
)

// A CodeSystem says of each property its code and type (http://hl7.org/fhir/R4/codesystem.html#properties): a concept's
// property of that code must have a value of that type.

// valueOfType are the names of CodeSystem.concept.property.value[x] by the codes of concept-property-type.
var valueOfType = map[string]string{"code": "valueCode", "Coding": "valueCoding", "string": "valueString", "integer": "valueInteger",
	"boolean": "valueBoolean", "dateTime": "valueDateTime", "decimal": "valueDecimal"}

// conceptProperties holds the concepts of a CodeSystem against the properties that it defines.
func (v *Validator) conceptProperties(n fhir.Node) {
	defined := map[string]string{}
	for p := n.Member("property").First(); p.Exists(); p = p.Next() {
		code, kind := p.Member("code"), p.Member("type")
		if code.Kind() != fhir.String || kind.Kind() != fhir.String {
			continue
		}
		name := valueOfType[string(kind.AppendText(nil))]
		if other, twice := defined[string(code.AppendText(nil))]; twice && other != name {
			name = "" // defined twice: either type will do
		}
		defined[string(code.AppendText(nil))] = name
	}
	if len(defined) > 0 {
		v.concepts(n.Member("concept"), defined)
	}
}

func (v *Validator) concepts(list fhir.Node, defined map[string]string) {
	if list.Kind() != fhir.Array {
		return
	}
	for c := list.First(); c.Exists() && !v.full(); c = c.Next() {
		if properties := c.Member("property"); properties.Kind() == fhir.Array {
			for p := properties.First(); p.Exists(); p = p.Next() {
				v.conceptProperty(p, defined)
			}
		}
		v.concepts(c.Member("concept"), defined)
	}
}

func (v *Validator) conceptProperty(p fhir.Node, defined map[string]string) {
	code := p.Member("code")
	if code.Kind() != fhir.String {
		return
	}
	name := defined[string(v.text(code))]
	for m := p.First(); name != "" && m.Exists(); m = m.Next() {
		if key := v.keyOf(m); len(key) > len("value") && string(key[:5]) == "value" && string(key) != name {
			v.refuse(m, fhir.CodeValue, "is of another type than the property is defined to have")
		}
	}
}
