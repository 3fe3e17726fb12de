package patch

import "tarn/fhir"

// list is an element that repeats: the array of its values and, of primitive types, the array of their ids and
// extensions beside it. Both are as long as need be: what is missing at their ends is null.
type list struct {
	object        *made // that holds both
	name          string
	depth         int // containers around the arrays
	values, twins *made
	n             int
}

// list is the list of a place whose value and twin are those members whole.
func (p *place) list(e *editor) (*list, error) {
	return listOf(e, p.object, p.name, p.depth)
}

func listOf(e *editor, object *made, name string, depth int) (*list, error) {
	l := &list{object: object, name: name, depth: depth}
	for i, member := range []string{name, "_" + name} {
		v := object.member(member)
		if v == nil {
			continue
		}
		if v.kind() != fhir.Array {
			return nil, cannot("%s repeats, but the resource holds no array there", name)
		}
		m, err := e.open(v)
		if err != nil {
			return nil, err
		}
		l.n = max(l.n, len(m.kids))
		if i == 0 {
			l.values = m
		} else {
			l.twins = m
		}
	}
	return l, e.spend(2 * len(object.kids))
}

// pick is the element at an index of one of the arrays; nil where there is none.
func pick(m *made, i int) *value {
	if m == nil || i >= len(m.kids) || m.kids[i].kind() == fhir.Null {
		return nil
	}
	return m.kids[i]
}

func (l *list) value(i int) *value { return pick(l.values, i) }
func (l *list) twin(i int) *value  { return pick(l.twins, i) }

// widen makes the arrays that there are as long as the longer one.
func (l *list) widen() {
	for _, m := range []*made{l.values, l.twins} {
		for m != nil && len(m.kids) < l.n {
			m.kids = append(m.kids, null())
		}
	}
}

// insert puts an element before the one at i.
func (l *list) insert(e *editor, i int, value, twin *value) error {
	if value != nil && l.values == nil {
		l.values = l.make(l.name)
	}
	if twin != nil && l.twins == nil {
		l.twins = l.make("_" + l.name)
	}
	l.widen()
	l.n++
	if err := put(e, l.values, i, value, l.depth); err != nil {
		return err
	}
	return put(e, l.twins, i, twin, l.depth)
}

func put(e *editor, m *made, i int, v *value, depth int) error {
	if m == nil {
		return nil
	}
	if v == nil {
		v = null()
	}
	v.name = nil
	m.insert(i, v)
	return e.grow(v, depth+1)
}

// make adds an empty array as a member.
func (l *list) make(name string) *made {
	v := named(name, container(fhir.Array))
	l.object.insert(l.object.behind(name), v)
	return v.made
}

// behind is where a new member of this name goes: beside its twin, else at the end.
func (m *made) behind(name string) int {
	if bare, ok := cutTwin(name); ok {
		if i := m.at(bare); i >= 0 {
			return i + 1
		}
	} else if i := m.at("_" + name); i >= 0 {
		return i
	}
	return len(m.kids)
}

func cutTwin(name string) (string, bool) {
	if len(name) > 0 && name[0] == '_' {
		return name[1:], true
	}
	return name, false
}

// set puts an element in place of the one at i.
func (l *list) set(e *editor, i int, value, twin *value) error {
	if err := l.take(e, i); err != nil {
		return err
	}
	return l.insert(e, i, value, twin)
}

// take removes the element at i; the arrays may be left empty until tidy.
func (l *list) take(e *editor, i int) error {
	l.widen()
	l.n--
	for _, m := range []*made{l.values, l.twins} {
		if m != nil {
			if err := e.shrink(m.remove(i)); err != nil {
				return err
			}
		}
	}
	return e.spend(l.n)
}

// move takes the element at one index to another.
func (l *list) move(from, to int) {
	l.widen()
	for _, m := range []*made{l.values, l.twins} {
		if m != nil {
			m.insert(to, m.remove(from))
		}
	}
}

// tidy removes the arrays that say nothing.
func (l *list) tidy(e *editor) error {
	for _, name := range []string{l.name, "_" + l.name} {
		i := l.object.at(name)
		if i < 0 {
			continue
		}
		m := l.object.kids[i].open()
		if err := e.spend(len(m.kids)); err != nil {
			return err
		}
		if saysNothing(m) {
			if err := e.shrink(l.object.remove(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func saysNothing(m *made) bool {
	for _, kid := range m.kids {
		if kid.kind() != fhir.Null {
			return false
		}
	}
	return true
}
