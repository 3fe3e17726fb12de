package index

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

// encoder emits the values of an element for a kind of parameter.
type encoder func(x *Extractor, n fhir.Node)

// encoderOf is the encoder for elements of a structure; nil where the standard gives such an element no meaning for a
// parameter of this type, such as a string for a date.
func encoderOf(t r4.ParamType, structure string) encoder {
	switch t {
	case r4.ParamToken:
		return tokenEncoders[structure]
	case r4.ParamString:
		return stringEncoders[structure]
	case r4.ParamDate:
		return dateEncoders[structure]
	case r4.ParamNumber, r4.ParamQuantity:
		return numberEncoders[structure]
	case r4.ParamReference:
		return referenceEncoders[structure]
	case r4.ParamURI:
		return uriEncoders[structure]
	case r4.ParamSpecial:
		return specialEncoders[structure]
	}
	return nil
}

var stringEncoders = map[string]encoder{
	"string": encodeString, "markdown": encodeString, "HumanName": encodeStrings, "Address": encodeStrings,
}

// stringParts are the members that name and address searches look at.
func isStringPart(name []byte) bool {
	switch string(name) {
	case "text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country":
		return true
	}
	return false
}

// encodeStrings emits all parts of a HumanName or an Address.
func encodeStrings(x *Extractor, n fhir.Node) {
	for m := n.First(); m.Exists(); m = m.Next() {
		if !m.IsMember() || !isStringPart(m.Key()) {
			continue
		}
		if m.Kind() != fhir.Array {
			encodeString(x, m)
			continue
		}
		for item := m.First(); item.Exists(); item = item.Next() {
			encodeString(x, item)
		}
	}
}

// encodeString: 20 folded 01 original. The original is left out where it is the folded text.
func encodeString(x *Extractor, n fhir.Node) {
	if n.Kind() != fhir.String {
		return
	}
	text := x.text(n)
	x.buf = append(x.buf, formString)
	from := len(x.buf)
	x.buf = x.appendFolded(x.buf, text)
	x.buf = append(x.buf, sep)
	end := len(x.buf)
	x.buf = appendClean(x.buf, text)
	if string(x.buf[end:]) == string(x.buf[from:end-1]) {
		x.buf = x.buf[:end]
	}
	x.emit()
}

var uriEncoders = map[string]encoder{"uri": encodeURI, "url": encodeURI, "canonical": encodeCanonicalURI}

// encodeURI: 60 text 01.
func encodeURI(x *Extractor, n fhir.Node) {
	if n.Kind() != fhir.String {
		return
	}
	x.buf = append(appendClean(append(x.buf, formURI), x.text(n)), sep)
	x.emit()
}

// encodeCanonicalURI: 60 url 01 version.
func encodeCanonicalURI(x *Extractor, n fhir.Node) {
	if n.Kind() != fhir.String {
		return
	}
	x.buf = appendCanonical(append(x.buf, formURI), x.text(n))
	x.emit()
}

// appendCanonical appends url 01 version.
func appendCanonical[T string | []byte](dst []byte, text T) []byte {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '|' {
			return appendClean(append(appendClean(dst, text[:i]), sep), text[i+1:])
		}
	}
	return append(appendClean(dst, text), sep)
}

var dateEncoders = map[string]encoder{
	"date": encodeDate, "dateTime": encodeDate, "instant": encodeDate,
	"Period": func(x *Extractor, n fhir.Node) { x.span(periodOf(n)) },
	"Timing": func(x *Extractor, n fhir.Node) { x.span(timingOf(n)) },
}

func encodeDate(x *Extractor, n fhir.Node) { x.span(dateOf(n)) }

func (x *Extractor) span(s span, ok bool) {
	if ok {
		x.buf = s.appendTo(x.buf)
		x.emit()
	}
}

// text is the text of a string with escapes decoded, until the next call.
func (x *Extractor) text(n fhir.Node) []byte {
	if !n.Escaped() {
		return n.Text()
	}
	x.scratch = n.AppendText(x.scratch[:0])
	return x.scratch
}
