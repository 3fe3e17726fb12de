package index

import "tarn/fhir"

// What stands behind the code of a token: whose code it is.
const (
	tokenPlain      = 0x02 // no system: a Coding without one, a string, a uri, a ContactPoint
	tokenImplied    = 0x03 // the definition knows the system: a code, a boolean
	tokenSystem     = 0x04 // a Coding; the system follows
	tokenUnsystem   = 0x05 // an Identifier without a system
	tokenIdentifier = 0x06 // an Identifier; the system follows
)

var tokenEncoders = map[string]encoder{
	"Coding":          encodeCoding,
	"CodeableConcept": encodeConcept,
	"Identifier":      encodeIdentifier,
	"ContactPoint":    func(x *Extractor, n fhir.Node) { x.token(n.Member("value"), tokenPlain, fhir.Node{}) },
	"code":            func(x *Extractor, n fhir.Node) { x.token(n, tokenImplied, fhir.Node{}) },
	"boolean":         encodeBoolean,
	"string":          func(x *Extractor, n fhir.Node) { x.token(n, tokenPlain, fhir.Node{}) },
	"id":              func(x *Extractor, n fhir.Node) { x.token(n, tokenPlain, fhir.Node{}) },
	"uri":             func(x *Extractor, n fhir.Node) { x.token(n, tokenPlain, fhir.Node{}) },
}

// token emits 10 code 01 whose [system]. Codes are in lower case where the case may not matter: not those of
// identifiers, and not those that FHIR defines.
func (x *Extractor) token(code fhir.Node, whose byte, system fhir.Node) {
	if code.Kind() == fhir.String || system.Kind() == fhir.String {
		x.buf = x.appendToken(append(x.buf, formToken), code, whose, system)
		x.emit()
	}
}

func (x *Extractor) appendToken(dst []byte, code fhir.Node, whose byte, system fhir.Node) []byte {
	if code.Kind() == fhir.String {
		if whose == tokenPlain || whose == tokenSystem {
			dst = appendLower(dst, x.text(code))
		} else {
			dst = appendClean(dst, x.text(code))
		}
	}
	dst = append(dst, sep, whose)
	if system.Kind() == fhir.String {
		dst = appendClean(dst, x.text(system))
	}
	return dst
}

// saying emits 11 and the folded text.
func (x *Extractor) saying(text fhir.Node) {
	if text.Kind() == fhir.String && !x.alone {
		x.buf = x.appendFolded(append(x.buf, formText), x.text(text))
		x.emit()
	}
}

func encodeCoding(x *Extractor, n fhir.Node) {
	var code, system, display fhir.Node
	for m := n.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "code":
			code = m
		case "system":
			system = m
		case "display":
			display = m
		}
	}
	whose := byte(tokenPlain)
	if system.Kind() == fhir.String {
		whose = tokenSystem
	}
	x.token(code, whose, system)
	x.saying(display)
}

func encodeConcept(x *Extractor, n fhir.Node) {
	for m := n.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "coding":
			for c := m.First(); c.Exists(); c = c.Next() {
				encodeCoding(x, c)
			}
		case "text":
			x.saying(m)
		}
	}
}

func encodeIdentifier(x *Extractor, n fhir.Node) {
	value, system := n.Member("value"), n.Member("system")
	whose := byte(tokenUnsystem)
	if system.Kind() == fhir.String {
		whose = tokenIdentifier
	}
	x.token(value, whose, system)
	typ := n.Member("type")
	if x.alone || !typ.Exists() {
		return
	}
	x.saying(typ.Member("text"))
	if value.Kind() != fhir.String {
		return
	}
	for c := typ.Member("coding").First(); c.Exists(); c = c.Next() { // 12 value 01 system 01 code
		if c.Member("system").Kind() == fhir.String && c.Member("code").Kind() == fhir.String {
			x.buf = append(appendClean(append(x.buf, formOfType), x.text(value)), sep)
			x.buf = append(appendClean(x.buf, x.text(c.Member("system"))), sep)
			x.buf = appendLower(x.buf, x.text(c.Member("code")))
			x.emit()
		}
	}
}

func encodeBoolean(x *Extractor, n fhir.Node) {
	if k := n.Kind(); k == fhir.True || k == fhir.False {
		x.buf = append(append(append(x.buf, formToken), n.Text()...), sep, tokenImplied)
		x.emit()
	}
}

// encodeTruth is for what exists and is not false.
func encodeTruth(x *Extractor, n fhir.Node) {
	truth := "true"
	if k := n.Kind(); k == 0 || k == fhir.Null || k == fhir.False {
		truth = "false"
	}
	x.buf = append(append(append(x.buf, formToken), truth...), sep, tokenImplied)
	x.emit()
}
