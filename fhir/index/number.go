package index

import (
	"bytes"

	"tarn/fhir"
)

var numberEncoders = map[string]encoder{
	"decimal": encodeNumber, "integer": encodeNumber, "positiveInt": encodeNumber, "unsignedInt": encodeNumber,
	"Quantity": encodeQuantity, "Age": encodeQuantity, "Duration": encodeQuantity, "Count": encodeQuantity,
	"Distance": encodeQuantity, "Money": encodeMoney, "Range": encodeRange, "SampledData": encodeSampled,
}

// A number is 40 number, an interval 41 low high; then, of a quantity, system 01 code 01 unit. The unit is left out where
// it is the code.

func encodeNumber(x *Extractor, n fhir.Node) {
	if d, ok := number(n); ok {
		x.buf = d.appendTo(append(x.buf, formPoint), endAt)
		x.emit()
	}
}

func number(n fhir.Node) (decimal, bool) {
	if n.Kind() != fhir.Number {
		return decimal{}, false
	}
	return parseDecimal(n.Text())
}

func encodeQuantity(x *Extractor, n fhir.Node) {
	d, ok := number(n.Member("value"))
	if !ok {
		return
	}
	comparator := n.Member("comparator")
	if comparator.Kind() != fhir.String {
		x.buf = d.appendTo(append(x.buf, formPoint), endAt)
	} else {
		x.buf = append(x.buf, formInterval)
		switch string(comparator.Text()) {
		case "<":
			x.buf = d.appendTo(append(x.buf, signLeast), endBelow)
		case "<=":
			x.buf = d.appendTo(append(x.buf, signLeast), endAt)
		case ">":
			x.buf = append(d.appendTo(x.buf, endAbove), signGreatest)
		case ">=":
			x.buf = append(d.appendTo(x.buf, endAt), signGreatest)
		default:
			x.drop()
			return
		}
	}
	x.unit(n)
	x.emit()
}

// unit appends system, code and unit of a Quantity.
func (x *Extractor) unit(n fhir.Node) {
	system, code, unit := n.Member("system"), n.Member("code"), n.Member("unit")
	if system.Kind() == fhir.String {
		x.buf = appendClean(x.buf, x.text(system))
	}
	x.buf = append(x.buf, sep)
	from := len(x.buf)
	if code.Kind() == fhir.String {
		x.buf = appendClean(x.buf, x.text(code))
	}
	x.buf = append(x.buf, sep)
	end := len(x.buf)
	if unit.Kind() == fhir.String {
		x.buf = appendClean(x.buf, x.text(unit))
		if string(x.buf[end:]) == string(x.buf[from:end-1]) {
			x.buf = x.buf[:end]
		}
	}
}

// currencies is the code system of Money.currency.
const currencies = "urn:iso:std:iso:4217"

func encodeMoney(x *Extractor, n fhir.Node) {
	d, ok := number(n.Member("value"))
	if !ok {
		return
	}
	x.buf = d.appendTo(append(x.buf, formPoint), endAt)
	if currency := n.Member("currency"); currency.Kind() == fhir.String {
		x.buf = appendClean(append(append(x.buf, currencies...), sep), x.text(currency))
		x.buf = append(x.buf, sep)
	} else {
		x.buf = append(x.buf, sep, sep)
	}
	x.emit()
}

// encodeRange: an end that is absent is open. The unit is that of the end that has one.
func encodeRange(x *Extractor, n fhir.Node) {
	low, high := n.Member("low"), n.Member("high")
	x.interval(low, high, low)
}

// encodeSampled is the interval between the least and the greatest point; E, U and L among them are passed over.
func encodeSampled(x *Extractor, n fhir.Node) {
	data, origin := n.Member("data"), n.Member("origin")
	if data.Kind() != fhir.String {
		return
	}
	var low, high []byte
	for point := range bytes.FieldsSeq(x.text(data)) {
		if d, ok := parseDecimal(point); ok {
			v := d.appendTo(nil, endAt)
			if low == nil || bytes.Compare(v, low) < 0 {
				low = v
			}
			if high == nil || bytes.Compare(v, high) > 0 {
				high = v
			}
		}
	}
	if low == nil {
		return
	}
	l, h := rational(low), rational(high)
	if factor, ok := number(n.Member("factor")); ok {
		l.Mul(l, factor.rat())
		h.Mul(h, factor.rat())
	}
	if zero, ok := number(origin.Member("value")); ok {
		l.Add(l, zero.rat())
		h.Add(h, zero.rat())
	}
	if l.Cmp(h) > 0 {
		l, h = h, l
	}
	x.buf = appendRat(appendRat(append(x.buf, formInterval), l, false, endAt), h, true, endAt)
	x.unit(origin)
	x.emit()
}

func (x *Extractor) interval(low, high, unit fhir.Node) {
	l, lok := number(low.Member("value"))
	h, hok := number(high.Member("value"))
	if !lok && !hok {
		return
	}
	x.buf = append(x.buf, formInterval)
	if lok {
		x.buf = l.appendTo(x.buf, endAt)
	} else {
		x.buf = append(x.buf, signLeast)
		unit = high
	}
	if hok {
		x.buf = h.appendTo(x.buf, endAt)
	} else {
		x.buf = append(x.buf, signGreatest)
	}
	x.unit(unit)
	x.emit()
}
