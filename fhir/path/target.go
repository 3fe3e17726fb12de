package path

import (
	"unsafe"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// TargetType is the type of the resource that a Reference of a resource points to: that of the literal reference, of the
// contained resource, or what Reference.type says. It never looks outside the resource and does not allocate but for
// texts with escapes.
func TargetType(resource, reference fhir.Node) (r4.Code, bool) {
	literal := reference.Member("reference")
	if literal.Kind() == fhir.String {
		ref := fhir.ParseReference(Text(literal))
		switch {
		case ref.Type != "":
			return r4.CodeOf(ref.Type)
		case ref.Kind == fhir.FragmentReference:
			if c := Contained(resource, ref.ID); c.Exists() {
				return typeOf(c.Member("resourceType"))
			}
		}
	}
	return typeOf(reference.Member("type"))
}

// Contained is the resource with this id within the resource that contains it; the container itself for an empty id.
func Contained(resource fhir.Node, id string) fhir.Node {
	if id == "" {
		return resource
	}
	for c := resource.Member("contained").First(); c.Exists(); c = c.Next() {
		if c.Member("id").Is(id) {
			return c
		}
	}
	return fhir.Node{}
}

func typeOf(name fhir.Node) (r4.Code, bool) {
	if name.Kind() != fhir.String {
		return 0, false
	}
	return r4.CodeOfBytes(name.Text())
}

// Text is the text of a string with escapes decoded. Without escapes it shares the document's bytes and is valid as long
// as those.
func Text(n fhir.Node) string {
	text := n.Text()
	if n.Escaped() {
		return string(n.AppendText(nil))
	}
	return unsafe.String(unsafe.SliceData(text), len(text))
}
