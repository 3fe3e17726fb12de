package validate

import (
	"unicode/utf8"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// maxText is how many characters a string or markdown has at most (http://hl7.org/fhir/R4/datatypes.html#string).
const maxText = 1 << 20

// flaw is what is wrong with a primitive value; empty: nothing. It repeats no contents.
type flaw string

const (
	wantsString  flaw = "must be a JSON string"
	wantsNumber  flaw = "must be a JSON number"
	wantsBoolean flaw = "must be true or false, without quotes"
	emptyText    flaw = "must not be empty; leave the element out instead"
)

// primitive holds a value against the format of a primitive type (http://hl7.org/fhir/R4/datatypes.html#primitive).
// XHTML is only looked at as a JSON string here: see narrative.
func (v *Validator) primitive(p r4.Primitive, n fhir.Node) flaw {
	kind := n.Kind()
	switch p {
	case r4.Boolean:
		if kind != fhir.True && kind != fhir.False {
			return wantsBoolean
		}
		return ""
	case r4.Decimal, r4.Integer, r4.PositiveInt, r4.UnsignedInt:
		if kind != fhir.Number {
			return wantsNumber
		}
		return numberFlaw(p, n.Raw())
	}
	if kind != fhir.String {
		return wantsString
	}
	if p == r4.XHTML {
		return ""
	}
	text := v.text(n)
	if len(text) == 0 {
		return emptyText
	}
	if p == r4.String || p == r4.Markdown {
		return textFlaw(text, n.Escaped())
	}
	return formatFlaw(p, text)
}

// text is the text of a string, escapes decoded, valid until the next call.
func (v *Validator) text(n fhir.Node) []byte {
	if !n.Escaped() {
		return n.Text()
	}
	v.buf = n.AppendText(v.buf[:0])
	return v.buf
}

// keyOf is the name of a member, escapes decoded, valid until the next call.
func (v *Validator) keyOf(n fhir.Node) []byte {
	if !n.KeyEscaped() {
		return n.Key()
	}
	v.key = n.AppendKey(v.key[:0])
	return v.key
}

func numberFlaw(p r4.Primitive, text []byte) flaw {
	if p == r4.Decimal { // the grammar of JSON is that of the type
		return ""
	}
	const whole flaw = "must be a whole number, written without a fraction or an exponent"
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	n := int64(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return whole
		}
		if n = n*10 + int64(c-'0'); n > 1<<31 {
			return "is outside the range of 32-bit integers"
		}
	}
	switch {
	case negative && n == 0:
		return "must not be written as -0"
	case p == r4.PositiveInt && (negative || n == 0):
		return "must be 1 or more"
	case p == r4.UnsignedInt && negative:
		return "must be 0 or more"
	case n == 1<<31 && !negative:
		return "is outside the range of 32-bit integers"
	}
	return ""
}

// textFlaw is that of a string or markdown. Without escapes the parser has seen to control characters.
func textFlaw(text []byte, escaped bool) flaw {
	if escaped {
		for _, c := range text {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
				return "must not have control characters but tab, line feed and carriage return"
			}
		}
	}
	if len(text) > maxText && utf8.RuneCount(text) > maxText {
		return "has more than 1,048,576 characters"
	}
	return ""
}

func formatFlaw(p r4.Primitive, text []byte) flaw {
	switch p {
	case r4.CodeValue:
		if !isCode(text) {
			return "is no code: it must not begin or end with white space, nor have two in a row"
		}
	case r4.URI, r4.URL, r4.Canonical:
		if !isURI(text) {
			return "is no URI: it must not have white space"
		}
	case r4.ID:
		if !isID(text) {
			return "is no id: 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'"
		}
	case r4.OID:
		if !isOID(text) {
			return "is no OID of the form urn:oid:1.2.3"
		}
	case r4.UUID:
		if !isUUID(text) {
			return "is no UUID of the form urn:uuid:, in lower case"
		}
	case r4.Base64Binary:
		if !isBase64(text) {
			return "is not base64"
		}
	case r4.Date:
		if !isDate(text) {
			return "is no date: a real day as YYYY-MM-DD, or YYYY-MM, or YYYY"
		}
	case r4.DateTime:
		if !isDateTime(text) {
			return "is no dateTime: a date, or YYYY-MM-DDThh:mm:ss with a time zone"
		}
	case r4.Instant:
		if !isInstant(text) {
			return "is no instant: YYYY-MM-DDThh:mm:ss with a time zone"
		}
	case r4.Time:
		if n := clock(text); n < 0 || n != len(text) {
			return "is no time of the form hh:mm:ss"
		}
	}
	return ""
}

// isSpace are the bytes that \s matches in the expressions of the specification.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isCode(text []byte) bool {
	space := true // a space here would be the first, or follow another
	for _, c := range text {
		if c <= ' ' && isSpace(c) {
			if space {
				return false
			}
			space = true
			continue
		}
		space = false
	}
	return !space
}

func isURI(text []byte) bool {
	for _, c := range text {
		if c <= ' ' && isSpace(c) {
			return false
		}
	}
	return true
}

func isID(text []byte) bool {
	if len(text) > 64 {
		return false
	}
	for _, c := range text {
		if !idBytes[c] {
			return false
		}
	}
	return true
}

func isOID(text []byte) bool {
	const scheme = "urn:oid:"
	if len(text) < len(scheme)+3 || string(text[:len(scheme)]) != scheme {
		return false
	}
	text = text[len(scheme):]
	if text[0] < '0' || text[0] > '2' {
		return false
	}
	for text = text[1:]; len(text) > 0; {
		if text[0] != '.' {
			return false
		}
		n := 1
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		if n == 1 || n > 2 && text[1] == '0' {
			return false
		}
		text = text[n:]
	}
	return true
}

func isUUID(text []byte) bool {
	const form = "urn:uuid:00000000-0000-0000-0000-000000000000"
	if len(text) != len(form) {
		return false
	}
	for i, c := range text {
		if form[i] == '0' {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		} else if c != form[i] {
			return false
		}
	}
	return true
}

// isBase64 allows white space anywhere, as encoders break lines.
func isBase64(text []byte) bool {
	digits, padding := 0, 0
	for _, c := range text {
		switch {
		case base64Bytes[c]:
			if padding > 0 {
				return false
			}
			digits++
		case c == '=':
			padding++
		case !isSpace(c):
			return false
		}
	}
	return digits > 0 && padding <= 2 && (digits+padding)%4 == 0
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

var base64Bytes, idBytes = tableOf(alphanumeric + "+/"), tableOf(alphanumeric + "-.")

func tableOf(members string) (table [256]bool) {
	for _, c := range []byte(members) {
		table[c] = true
	}
	return table
}
