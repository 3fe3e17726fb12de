package synth

import "strconv"

// json appends compact JSON to a buffer. Keys and values find out by the last byte whether a comma is due, so that
// callers only name what they mean: open and close make an object, list and done an array, item an object in an array.
type json struct{ buf []byte }

// comma separates a key or a value from what came before it.
func (j *json) comma() {
	switch j.buf[len(j.buf)-1] {
	case '{', '[', ':':
	default:
		j.buf = append(j.buf, ',')
	}
}

// key appends a member's name, which needs no escapes.
func (j *json) key(name string) {
	if j.buf[len(j.buf)-1] == '{' {
		j.buf = append(j.buf, '"')
	} else {
		j.buf = append(j.buf, ',', '"')
	}
	j.buf = append(j.buf, name...)
	j.buf = append(j.buf, '"', ':')
}

func (j *json) open(name string) {
	j.key(name)
	j.buf = append(j.buf, '{')
}

func (j *json) list(name string) {
	j.key(name)
	j.buf = append(j.buf, '[')
}

func (j *json) item() {
	j.comma()
	j.buf = append(j.buf, '{')
}

func (j *json) close() { j.buf = append(j.buf, '}') }
func (j *json) done()  { j.buf = append(j.buf, ']') }

// code appends a member whose value is known to need no escapes.
func (j *json) code(name, value string) {
	j.key(name)
	j.buf = append(j.buf, '"')
	j.buf = append(j.buf, value...)
	j.buf = append(j.buf, '"')
}

// text appends a member with any string.
func (j *json) text(name, value string) {
	j.key(name)
	j.str(value)
}

// str appends any string as a value.
func (j *json) str(value string) {
	j.comma()
	j.buf = append(j.buf, '"')
	j.escaped(value)
	j.buf = append(j.buf, '"')
}

// escaped appends the inside of a string, of which several calls may make one.
func (j *json) escaped(value string) {
	from := 0
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		j.buf = append(j.buf, value[from:i]...)
		switch c {
		case '"', '\\':
			j.buf = append(j.buf, '\\', c)
		case '\n':
			j.buf = append(j.buf, '\\', 'n')
		case '\t':
			j.buf = append(j.buf, '\\', 't')
		default:
			j.buf = append(j.buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		from = i + 1
	}
	j.buf = append(j.buf, value[from:]...)
}

func (j *json) flag(name string, value bool) {
	j.key(name)
	j.buf = strconv.AppendBool(j.buf, value)
}

func (j *json) number(name string, value int) {
	j.key(name)
	j.buf = strconv.AppendInt(j.buf, int64(value), 10)
}

// decimal appends all digits of a double, and 1.0 for a whole one, so that readers must keep both as they stand.
func (j *json) decimal(name string, value float64) {
	j.key(name)
	from := len(j.buf)
	j.buf = strconv.AppendFloat(j.buf, value, 'f', -1, 64)
	for _, c := range j.buf[from:] {
		if c == '.' {
			return
		}
	}
	j.buf = append(j.buf, '.', '0')
}

// fixed appends a decimal with so many places, trailing zeros kept: in FHIR they carry the precision.
func (j *json) fixed(name string, value float64, places int) {
	j.key(name)
	j.buf = strconv.AppendFloat(j.buf, value, 'f', places, 64)
}

// appendInt appends a whole number.
func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

const hex = "0123456789abcdef"

func (j *json) uuid(u id) {
	j.comma()
	j.buf = append(j.buf, '"')
	j.buf = u.append(j.buf)
	j.buf = append(j.buf, '"')
}
