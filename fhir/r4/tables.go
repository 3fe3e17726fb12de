package r4

import (
	_ "embed"
	"encoding/binary"
	"sync"
)

// definitions is what make generate wrote.
//
//go:embed definitions.bin
var definitions []byte

// TableMagic begins the embedded table and names its format; the generator writes it.
const TableMagic = "tarn r4 table 1\n"

// tables are the definitions as loaded; nothing changes them afterwards.
type tables struct {
	structures   map[string]*Structure
	resources    [Count + 1]*Structure
	all          []Structure
	invariants   map[string][]Invariant
	names        []string // of search parameters, by ParamCode
	codes        map[string]ParamCode
	params       [Count + 1][]*SearchParam
	compartments [Count + 1]*[Count + 1][]string
}

var load = sync.OnceValue(func() *tables { return decode(definitions) })

// decode reads a table that this program carries itself: a table that cannot be read is a broken build, so it panics.
func decode(table []byte) *tables {
	if string(table[:len(TableMagic)]) != TableMagic {
		panic("r4: the embedded definitions are of another format; run make generate")
	}
	d := &decoder{rest: table[len(TableMagic):]}
	d.readStrings()
	t := new(tables)
	d.readInvariants(t)
	d.readStructures(t, d.readBindings())
	d.readParams(t)
	d.readCompartments(t)
	if len(d.rest) != 0 {
		panic("r4: the embedded definitions are too long")
	}
	return t
}

// decoder reads numbers, and texts and lists by number. Texts are parts of one string.
type decoder struct {
	rest  []byte
	texts []string
	lists [][]string
}

func (d *decoder) uint() int {
	if b := d.rest[0]; b < 0x80 {
		d.rest = d.rest[1:]
		return int(b)
	}
	n, size := binary.Uvarint(d.rest)
	d.rest = d.rest[size:]
	return int(n)
}

func (d *decoder) text() string   { return d.texts[d.uint()] }
func (d *decoder) list() []string { return d.lists[d.uint()] }

func (d *decoder) readStrings() {
	sizes := make([]int, d.uint())
	total := 0
	for i := range sizes {
		sizes[i] = d.uint()
		total += sizes[i]
	}
	blob := string(d.rest[:total])
	d.rest = d.rest[total:]
	d.texts = make([]string, len(sizes))
	for i, size := range sizes {
		d.texts[i], blob = blob[:size], blob[size:]
	}
	d.lists = make([][]string, d.uint()+1)
	arena := make([]string, d.uint())
	for i := range d.lists[1:] {
		n := d.uint()
		list := arena[:n:n]
		arena = arena[n:]
		for j := range list {
			list[j] = d.text()
		}
		d.lists[i+1] = list
	}
}

func (d *decoder) readInvariants(t *tables) {
	n := d.uint()
	t.invariants = make(map[string][]Invariant, n)
	for range n {
		inv := Invariant{Key: d.text(), Path: d.text(), Severity: d.text(), Human: d.text(), Expression: d.text()}
		t.invariants[inv.Key] = append(t.invariants[inv.Key], inv)
	}
}

func (d *decoder) readBindings() []Binding {
	list := make([]Binding, d.uint()+1)
	for i := range list[1:] {
		b := &list[i+1]
		b.Strength, b.ValueSet = Strength(d.uint()), d.text()
		if systems := d.uint(); systems > 0 {
			b.Codes = d.readCodes(systems)
		}
	}
	return list
}

func (d *decoder) readCodes(systems int) *Codes {
	c := new(Codes)
	for range systems {
		c.systems = append(c.systems, d.text())
		for range d.uint() {
			c.entries = append(c.entries, coded{d.text(), uint16(len(c.systems) - 1)})
		}
	}
	c.index()
	return c
}

func (d *decoder) readStructures(t *tables, bindings []Binding) {
	t.all = make([]Structure, d.uint())
	elements := make([]Element, d.uint())
	fields := make([]Field, d.uint())
	slots := slotArena{}
	t.structures = make(map[string]*Structure, len(t.all))
	for i := range t.all {
		s := &t.all[i]
		s.Name = d.text()
		kind := d.uint()
		s.Kind, s.Abstract = Kind(kind>>1), kind&1 != 0
		s.Invariants = d.list()
		t.structures[s.Name] = s
		switch s.Kind {
		case KindPrimitive:
			s.Primitive = primitiveOf(s.Name)
		case KindResource:
			if code, ok := CodeOf(s.Name); ok {
				s.Code = code
				t.resources[code] = s
			}
		}
		n := d.uint()
		s.Elements, elements = elements[:n:n], elements[n:]
		names := 0
		for j := range s.Elements {
			e := &s.Elements[j]
			e.Name = d.text()
			flags := d.uint()
			e.Array, e.Choice, e.Summary, e.Modifier = flags&1 != 0, flags&2 != 0, flags&4 != 0, flags&8 != 0
			e.Min, e.Max = d.uint(), d.uint()-1
			if b := d.uint(); b > 0 {
				e.Binding = &bindings[b]
			}
			e.Invariants = d.list()
			n := d.uint()
			e.Fields, fields = fields[:n:n], fields[n:]
			for k := range e.Fields {
				e.Fields[k] = Field{Name: d.text(), Type: &t.all[d.uint()], Targets: d.list()}
			}
			names += n
		}
		s.fields.fill(s.Elements, slots.take(names))
	}
}

func (d *decoder) readParams(t *tables) {
	t.names = make([]string, d.uint()+1)
	t.codes = make(map[string]ParamCode, len(t.names))
	for i := 1; i < len(t.names); i++ {
		t.names[i] = d.text()
		t.codes[t.names[i]] = ParamCode(i)
	}
	all := make([]SearchParam, d.uint())
	for i := range all {
		code := ParamCode(d.uint())
		all[i] = SearchParam{Code: code, Name: t.names[code], URL: d.text(), Type: ParamType(d.uint()), Expression: d.text(), Targets: d.list()}
		if n := d.uint(); n > 0 {
			all[i].Components = make([]Component, n)
			for j := range all[i].Components {
				all[i].Components[j] = Component{Param: &all[d.uint()], Expression: d.text()}
			}
		}
	}
	for code := 1; code <= Count; code++ {
		t.params[code] = make([]*SearchParam, d.uint())
		for i := range t.params[code] {
			t.params[code][i] = &all[d.uint()]
		}
	}
}

func (d *decoder) readCompartments(t *tables) {
	for range d.uint() {
		of := d.uint()
		t.compartments[of] = new([Count + 1][]string)
		for code := 1; code <= Count; code++ {
			t.compartments[of][code] = d.list()
		}
	}
}
