package validate

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

// PrimitiveForTest is what is wrong with a value of a primitive type, apart from the element that it stands in.
func (v *Validator) PrimitiveForTest(p r4.Primitive, n fhir.Node) string {
	return string(v.primitive(p, n))
}

// XHTMLForTest is what is wrong with a narrative.
func XHTMLForTest(text string) (string, bool) {
	var x xhtml
	why, empty := x.flaw([]byte(text))
	return string(why), empty
}

// UncheckedForTest are the invariants that no rule stands for, with the reason.
func UncheckedForTest() map[string]string { return elsewhere }
