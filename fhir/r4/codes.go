package r4

// Codes are the codes of a value set, by code system. They are shared and must not be changed.
type Codes struct {
	systems []string
	entries []coded
	slots   []uint16 // places in entries, counted from 1; open addressing, at most half full
	shift   uint8
}

type coded struct {
	code   string
	system uint16 // place in systems
}

func (c *Codes) index() {
	size := 2
	c.shift = 63
	for size < 2*len(c.entries) {
		size *= 2
		c.shift--
	}
	c.slots = make([]uint16, size)
	for i := range c.entries {
		at := spread(c.entries[i].code) >> c.shift
		for c.slots[at] != 0 {
			at = (at + 1) & uint64(size-1)
		}
		c.slots[at] = uint16(i + 1)
	}
}

// Has reports whether the codes hold one of this code system; an empty system matches any system, as a bare code does.
// It does not allocate.
func (c *Codes) Has(system, code []byte) bool {
	at := int(spread(code) >> c.shift)
	for {
		at &= len(c.slots) - 1
		n := c.slots[at]
		if n == 0 {
			return false
		}
		if e := &c.entries[n-1]; e.code == string(code) && (len(system) == 0 || c.systems[e.system] == string(system)) {
			return true
		}
		at++
	}
}

// Len is the number of codes.
func (c *Codes) Len() int { return len(c.entries) }

// Each calls yield with every code, those of one system together and sorted, until it says false.
func (c *Codes) Each(yield func(system, code string) bool) {
	for i := range c.entries {
		if !yield(c.systems[c.entries[i].system], c.entries[i].code) {
			return
		}
	}
}
