// Package r4 holds the definitions of FHIR R4 (4.0.1) as tables: the resource types and their numbers. It knows
// nothing of JSON and imports nothing of this project.
package r4

// Count is the number of concrete resource types in FHIR R4.
const Count = 146

// Code is the number of a concrete resource type: 1 to Count in alphabetical order of the names. Codes are stored on
// disk and never change; 0 is no type.
type Code uint16

// String is the type's name as in resourceType, or empty for a Code that is none.
func (c Code) String() string {
	if c > Count {
		return ""
	}
	return names[c]
}

// Valid reports whether c is the number of a type.
func (c Code) Valid() bool { return c >= 1 && c <= Count }

// CodeOf is the number of the resource type with exactly this name. It does not allocate.
func CodeOf(name string) (Code, bool) { return codeOf(name) }

// CodeOfBytes is CodeOf for bytes. It does not allocate.
func CodeOfBytes(name []byte) (Code, bool) { return codeOf(name) }

// IsType reports whether name is a concrete resource type.
func IsType(name string) bool {
	_, ok := codeOf(name)
	return ok
}

// Types are the names of all concrete resource types in the order of their codes; the slice belongs to the caller.
func Types() []string { return append([]string(nil), names[1:]...) }

const (
	shortest   = 4  // len("Flag"), the shortest name
	longest    = 33 // len("MedicinalProductUndesirableEffect")
	slotBits   = 10
	multiplier = 0xab8c88866929adcd // found by search: no two names share a slot
)

// slots maps the hash of a name to its code; a test holds that the hash is perfect.
var slots = fill()

func fill() (table [1 << slotBits]uint8) {
	for code := 1; code <= Count; code++ {
		table[hash(names[code])] = uint8(code)
	}
	return table
}

// hash mixes the first, middle and last four bytes and the length of a name of at least shortest bytes.
func hash[T string | []byte](name T) uint64 {
	n := len(name)
	x := word(name, 0) | word(name, n-4)<<32
	x ^= word(name, n/2-2)<<16 ^ uint64(n)<<56
	return x * multiplier >> (64 - slotBits)
}

func word[T string | []byte](s T, at int) uint64 {
	s = s[at : at+4]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

func codeOf[T string | []byte](name T) (Code, bool) {
	if len(name) < shortest || len(name) > longest {
		return 0, false
	}
	code := Code(slots[hash(name)])
	if code == 0 || names[code] != string(name) {
		return 0, false
	}
	return code, true
}
