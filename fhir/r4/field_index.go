package r4

// fieldIndex finds the place of a JSON name: a table of open addressing, at most half full, whose hash reads at most
// sixteen bytes of the name.
type fieldIndex struct {
	slots []slot // a power of two of them
	shift uint8
}

type slot struct {
	name  string
	place Place
}

// slotArena gives the slots of all structures from few allocations.
type slotArena struct{ rest []slot }

func (a *slotArena) take(names int) []slot {
	size := 2
	for size < 2*names {
		size *= 2
	}
	if size > len(a.rest) {
		a.rest = make([]slot, max(size, 8192))
	}
	taken := a.rest[:size:size]
	a.rest = a.rest[size:]
	return taken
}

// fill puts the names of the elements' fields into empty slots.
func (f *fieldIndex) fill(elements []Element, slots []slot) {
	f.slots = slots
	f.shift = 64
	for size := len(slots); size > 1; size /= 2 {
		f.shift--
	}
	for i := range elements {
		for j := range elements[i].Fields {
			name := elements[i].Fields[j].Name
			at := spread(name) >> f.shift
			for slots[at].name != "" {
				at = (at + 1) & uint64(len(slots)-1)
			}
			slots[at] = slot{name, Place{Element: i, Field: j}}
		}
	}
}

func findField[T string | []byte](f *fieldIndex, name T) (Place, bool) {
	slots := f.slots
	if len(slots) == 0 || len(name) == 0 {
		return Place{}, false
	}
	at := int(spread(name) >> f.shift)
	for {
		at &= len(slots) - 1
		s := &slots[at]
		if s.name == string(name) {
			return s.place, true
		}
		if s.name == "" {
			return Place{}, false
		}
		at++
	}
}

// spread mixes the length, the first and the last eight bytes of a name into the upper bits.
func spread[T string | []byte](name T) uint64 {
	n := len(name)
	var a, b uint64
	switch {
	case n >= 8:
		a, b = word8(name, 0), word8(name, n-8)
	case n >= 4:
		a, b = word(name, 0), word(name, n-4)
	case n > 0:
		a = uint64(name[0]) | uint64(name[n/2])<<8 | uint64(name[n-1])<<16
	}
	x := (a ^ uint64(n)<<56) * 0x9e3779b97f4a7c15
	x = (x ^ x>>32 ^ b) * 0xd6e8feb86659fd93
	return x
}

func word8[T string | []byte](s T, at int) uint64 {
	s = s[at : at+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
