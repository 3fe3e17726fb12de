package index

import (
	"tarn/fhir"
	"tarn/fhir/path"
	"tarn/fhir/r4"
)

var referenceEncoders = map[string]encoder{
	"Reference": encodeReference, "canonical": encodeCanonical, "uri": encodeCanonical, "Resource": encodeWhole,
}

// A type within a value is one byte that is no sep.
const (
	typeOffset  = 8
	typeUnknown = 0xff
)

func typeByte(c r4.Code) byte {
	if !c.Valid() {
		return typeUnknown
	}
	return byte(c) + typeOffset
}

// encodeReference:
//
//	50 id 01 type [base] [01 version]   a resource; the base is empty for a relative reference
//	51 text 01 type                     a URN or some other URI
//	53 01 type                          contained, or nothing that says which one
//	54 token 01 type                    the identifier, beside the others
func encodeReference(x *Extractor, n fhir.Node) {
	target := x.literal(n)
	if x.alone {
		return
	}
	identifier := n.Member("identifier")
	value := identifier.Member("value")
	if value.Kind() != fhir.String {
		return
	}
	whose, system := byte(tokenUnsystem), identifier.Member("system")
	if system.Kind() == fhir.String {
		whose = tokenIdentifier
	}
	x.buf = append(x.appendToken(append(x.buf, formIdentifier), value, whose, system), sep, typeByte(target))
	x.emit()
}

// literal emits what Reference.reference says; the result is the type of the target, as path.TargetType has it.
func (x *Extractor) literal(n fhir.Node) (target r4.Code) {
	text, ref := "", fhir.Reference{Kind: fhir.FragmentReference}
	if literal := n.Member("reference"); literal.Kind() == fhir.String && len(literal.Text()) > 0 {
		text = path.Text(literal)
		ref = fhir.ParseReference(text)
	}
	if ref.Kind == fhir.RelativeReference || ref.Kind == fhir.AbsoluteReference {
		target, _ = r4.CodeOf(ref.Type)
		x.buf = appendReference(x.buf, ref)
		x.emit()
		return target
	}
	target, _ = path.TargetType(x.resource, n)
	if ref.Kind == fhir.FragmentReference {
		x.buf = append(x.buf, formBare)
	} else {
		x.buf = appendClean(append(x.buf, formOtherURI), text)
	}
	x.buf = append(x.buf, sep, typeByte(target))
	x.emit()
	return target
}

// appendReference appends a reference with a type and an id.
func appendReference(dst []byte, ref fhir.Reference) []byte {
	code, _ := r4.CodeOf(ref.Type)
	dst = append(append(append(dst, formReference), ref.ID...), sep, typeByte(code))
	dst = appendClean(dst, ref.Base)
	if ref.Version != "" {
		dst = append(append(dst, sep), ref.Version...)
	}
	return dst
}

// encodeCanonical: 52 url 01 version, or as a reference to a resource if it is a relative one.
func encodeCanonical(x *Extractor, n fhir.Node) {
	if n.Kind() != fhir.String {
		return
	}
	text := path.Text(n)
	if ref := fhir.ParseReference(text); ref.Kind == fhir.RelativeReference {
		x.buf = appendReference(x.buf, ref)
	} else {
		x.buf = appendCanonical(append(x.buf, formCanonical), text)
	}
	x.emit()
}

// encodeWhole is a reference to a resource that stands here itself, as in a Bundle.
func encodeWhole(x *Extractor, n fhir.Node) {
	name, id := n.Member("resourceType"), n.Member("id")
	if name.Kind() != fhir.String || id.Kind() != fhir.String {
		return
	}
	if code, ok := r4.CodeOf(path.Text(name)); ok {
		x.buf = append(appendClean(append(x.buf, formReference), id.Text()), sep, typeByte(code))
		x.emit()
	}
}
