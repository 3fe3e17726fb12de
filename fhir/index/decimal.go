package index

import (
	"math/big"
	"strconv"
)

// A number is encoded so that bytes sort as numbers do, and exactly: sign, exponent, digits in pairs, end. Of a negative
// one everything behind the sign is complemented. The end tells a number from what is nearest to it: an interval that
// begins or ends beside a number, without it, ends so. No encoded number is the beginning of another one.
const (
	signLeast    = 0x08 // below all numbers
	signNegative = 0x10
	signZero     = 0x20
	signPositive = 0x30
	signGreatest = 0x40 // above all numbers

	endBelow = 0x01
	endAt    = 0x02
	endAbove = 0x03

	digits0    = 0x04 // the pair 00
	exponent0  = 0x80
	nearLimit  = 60 // exponents up to this take one byte
	farAbove   = 0xf0
	farBelow   = 0x10
	farBase    = 250
	farOffset  = 30000
	maxDecimal = 1000 // the greatest exponent that is indexed
)

// decimal is a decimal taken apart: 0.DIGITS times 10 to the power of exponent; no digits is zero.
type decimal struct {
	negative bool
	from, to int // first and last significant digit in text, among which a point may stand
	exponent int
	text     []byte
	places   int  // the power of ten of the last digit that is written
	power    bool // written with an exponent
}

// parseDecimal takes apart a FHIR decimal (http://hl7.org/fhir/R4/datatypes.html#decimal). ok is false for what is none
// and for exponents that nobody needs.
func parseDecimal(text []byte) (d decimal, ok bool) {
	i := 0
	if len(text) > 0 && text[0] == '-' {
		d.negative, i = true, 1
	}
	d.text = text
	start, point := i, -1
	d.from = -1
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && point < 0 {
			point = i
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		if c != '0' {
			if d.from < 0 {
				d.from = i
			}
			d.to = i + 1
		}
	}
	end, whole := i, i
	if point >= 0 {
		whole = point
		d.places = -(end - point - 1)
	}
	if whole == start || end == point+1 {
		return d, false
	}
	power := 0
	if i < len(text) {
		if text[i] != 'e' && text[i] != 'E' {
			return d, false
		}
		exponent := text[i+1:]
		if len(exponent) > 0 && exponent[0] == '+' {
			exponent = exponent[1:]
		}
		n, err := strconv.Atoi(string(exponent))
		if err != nil || n > maxDecimal || n < -maxDecimal || exponent[0] == '+' {
			return d, false
		}
		power, d.power = n, true
	}
	d.places += power
	if d.from < 0 {
		d.from, d.to, d.negative = 0, 0, false
		return d, true
	}
	if d.from < whole {
		d.exponent = whole - d.from
	} else {
		d.exponent = -(d.from - point - 1)
	}
	d.exponent += power
	return d, d.exponent <= maxDecimal && d.exponent >= -maxDecimal
}

// appendTo appends the encoded number with one of the ends.
func (d *decimal) appendTo(dst []byte, end byte) []byte {
	if d.from == d.to {
		return append(dst, signZero, end)
	}
	sign := byte(signPositive)
	if d.negative {
		sign, end = signNegative, endBelow+endAbove-end
	}
	dst = append(dst, sign)
	from := len(dst)
	switch e := d.exponent; {
	case e > nearLimit:
		dst = append(dst, farAbove, byte(e/farBase)+digits0, byte(e%farBase)+digits0)
	case e < -nearLimit:
		e += farOffset
		dst = append(dst, farBelow, byte(e/farBase)+digits0, byte(e%farBase)+digits0)
	default:
		dst = append(dst, byte(exponent0+e))
	}
	high, half := byte(0), false
	for _, c := range d.text[d.from:d.to] {
		if c == '.' {
			continue
		}
		if half {
			dst = append(dst, high+c-'0'+digits0)
		} else {
			high = (c - '0') * 10
		}
		half = !half
	}
	if half {
		dst = append(dst, high+digits0)
	}
	dst = append(dst, end)
	if d.negative {
		for i := from; i < len(dst); i++ {
			dst[i] ^= 0xff
		}
	}
	return dst
}

// cutDecimal divides v behind the encoded number that it begins with; ok is false if there is none, or not all of it.
func cutDecimal(v []byte) (number, rest []byte, ok bool) {
	if len(v) == 0 {
		return nil, nil, false
	}
	i := 1
	switch v[0] {
	case signLeast, signGreatest:
		return v[:1], v[1:], true
	case signPositive, signNegative:
		flip := byte(0)
		if v[0] == signNegative {
			flip = 0xff
		}
		if i < len(v) && (v[i]^flip == farAbove || v[i]^flip == farBelow) {
			i += 2
		}
		for i++; i < len(v) && v[i]^flip > endAbove; i++ {
		}
	case signZero:
	default:
		return nil, nil, false
	}
	if i >= len(v) {
		return nil, nil, false
	}
	return v[:i+1], v[i+1:], true
}

// rational is the encoded number as a fraction; nil for the two ends of the line.
func rational(number []byte) *big.Rat {
	switch number[0] {
	case signLeast, signGreatest:
		return nil
	case signZero:
		return new(big.Rat)
	}
	text, flip := make([]byte, 0, 2*len(number)+8), byte(0)
	if number[0] == signNegative {
		text, flip = append(text, '-'), 0xff
	}
	exponent, i := int(number[1]^flip)-exponent0, 2
	switch number[1] ^ flip {
	case farAbove, farBelow:
		exponent, i = int(number[2]^flip-digits0)*farBase+int(number[3]^flip-digits0), 4
		if number[1]^flip == farBelow {
			exponent -= farOffset
		}
	}
	text = append(text, '0', '.')
	for _, b := range number[i : len(number)-1] {
		pair := b ^ flip - digits0
		text = append(text, '0'+pair/10, '0'+pair%10)
	}
	text = strconv.AppendInt(append(text, 'e'), int64(exponent), 10)
	r, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// rat is the decimal as a fraction.
func (d *decimal) rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(d.text))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// pow10 is a power of ten.
func pow10(n int) *big.Rat {
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, -n))), nil)
	r := new(big.Rat).SetInt(p)
	if n < 0 {
		r.Inv(r)
	}
	return r
}

// appendRat appends a fraction as an encoded number; one that is no short decimal is rounded down, or up with up.
func appendRat(dst []byte, r *big.Rat, up bool, end byte) []byte {
	if r.Sign() == 0 {
		return append(dst, signZero, end)
	}
	// 40 digits behind the first one, whose place is about the difference of the lengths
	shift := 40 - (len(r.Num().String()) - len(r.Denom().String()))
	if n, exact := r.FloatPrec(); exact {
		shift = n
	}
	scaled := new(big.Rat).Mul(r, pow10(shift))
	q, m := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int)) // towards the lower
	if up && m.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	d, _ := parseDecimal(append(q.Append(nil, 10), []byte("e"+strconv.Itoa(-shift))...))
	return d.appendTo(dst, end)
}
