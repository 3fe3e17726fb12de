package patch

import (
	"tarn/fhir"
)

// jsonOperation is one operation of a JSON Patch.
type jsonOperation struct {
	op         string
	path, from pointer
	text       string // path as given
	value      fhir.Node
}

func (o *jsonOperation) about() (word, path string) { return o.op, o.text }

// ParseJSON reads a JSON Patch (RFC 6902). What breaks its rules is fault.Invalid, told with the operation's index.
func ParseJSON(body []byte, l Limits) (*Patch, error) {
	doc, err := fhir.NewParser(l).Scan(append([]byte(nil), body...))
	if err != nil {
		return nil, err
	}
	root := doc.Root()
	if root.Kind() != fhir.Array {
		return nil, malformed(-1, "A JSON Patch is an array of operations, this is: %s.", root.Kind())
	}
	p := &Patch{limits: l}
	for n := root.First(); n.Exists(); n = n.Next() {
		i := len(p.operations)
		if i == MaxOperations {
			return nil, tooMany()
		}
		o, err := jsonOperationOf(i, n)
		if err != nil {
			return nil, err
		}
		p.operations = append(p.operations, o)
	}
	return p, nil
}

func jsonOperationOf(i int, n fhir.Node) (*jsonOperation, error) {
	if n.Kind() != fhir.Object {
		return nil, malformed(i, "an operation is an object, this is: %s.", n.Kind())
	}
	text := func(name string) (string, error) {
		m := n.Member(name)
		if m.Kind() != fhir.String {
			return "", malformed(i, "an operation of this kind needs the member %q, a string.", name)
		}
		return string(m.AppendText(nil)), nil
	}
	o := new(jsonOperation)
	var err error
	if o.op, err = text("op"); err != nil {
		return nil, err
	}
	if o.text, err = text("path"); err != nil {
		return nil, err
	}
	var ok bool
	if o.path, ok = parsePointer(o.text); !ok {
		return nil, malformed(i, "the path %s is no JSON Pointer: it is empty or begins with /, and ~ stands before 0 or 1.", shown(o.text))
	}
	switch o.op {
	case "add", "replace", "test":
		if o.value = n.Member("value"); !o.value.Exists() {
			return nil, malformed(i, "%s needs the member \"value\".", o.op)
		}
	case "move", "copy":
		from, err := text("from")
		if err != nil {
			return nil, err
		}
		if o.from, ok = parsePointer(from); !ok {
			return nil, malformed(i, "from, %s, is no JSON Pointer: it is empty or begins with /, and ~ stands before 0 or 1.", shown(from))
		}
	case "remove":
	default:
		return nil, malformed(i, "there is no operation %s; there are add, remove, replace, move, copy and test.", shown(o.op))
	}
	return o, nil
}

func (o *jsonOperation) apply(e *editor) error {
	switch o.op {
	case "add":
		return e.put(o.path, given(o.value))
	case "remove":
		_, err := e.take(o.path)
		return err
	case "replace":
		return e.replace(o.path, given(o.value))
	case "copy":
		v, err := e.walk(o.from)
		if err != nil {
			return from(err)
		}
		if _, _, err := e.measure(v); err != nil { // before the work of the copy is done
			return err
		}
		return e.put(o.path, v.clone())
	case "move":
		return o.move(e)
	}
	v, err := e.walk(o.path)
	if err != nil {
		return err
	}
	same, err := e.equal(v, given(o.value))
	if err == nil && !same {
		err = cannot("the value there is not equal to that of the test")
	}
	return err
}

func (o *jsonOperation) move(e *editor) error {
	if o.path.within(o.from) {
		return cannot("a value cannot be moved into itself")
	}
	if _, err := e.walk(o.from); err != nil {
		return from(err)
	}
	if len(o.from) == 0 || len(o.path) == len(o.from) && !o.path.differs(o.from) {
		return nil
	}
	v, err := e.take(o.from)
	if err != nil {
		return from(err)
	}
	return e.put(o.path, v)
}

func (p pointer) differs(q pointer) bool {
	for i := range p {
		if p[i] != q[i] {
			return true
		}
	}
	return false
}

// from says that it is the place of "from" that is wrong.
func from(err error) error {
	if f, ok := err.(*failure); ok {
		return &failure{f.kind, f.code, "at from, " + f.text}
	}
	return err
}

// put adds a value at a path: into an array before the index, as a member of an object in place of one that has the name.
func (e *editor) put(p pointer, v *value) error {
	if len(p) == 0 {
		v.name = nil
		if err := e.shrink(e.root); err != nil {
			return err
		}
		e.root = v
		return e.grow(v, 0)
	}
	parent, err := e.walk(p[:len(p)-1])
	if err != nil {
		return err
	}
	m, err := e.open(parent)
	if err != nil {
		return err
	}
	token := p[len(p)-1]
	switch m.kind {
	case fhir.Array:
		i, err := index(token, len(m.kids), true)
		if err != nil {
			return err
		}
		v.name = nil
		m.insert(i, v)
	case fhir.Object:
		if i := m.at(token); i >= 0 {
			old := m.kids[i]
			if err := e.shrink(old); err != nil {
				return err
			}
			v.name, m.kids[i] = old.name, v
		} else {
			m.insert(len(m.kids), named(token, v))
		}
	default:
		return cannot("what is above that path is neither object nor array")
	}
	return e.grow(v, len(p))
}

// take removes the value at a path.
func (e *editor) take(p pointer) (*value, error) {
	if len(p) == 0 {
		return nil, cannot("the whole resource cannot be removed")
	}
	parent, err := e.walk(p[:len(p)-1])
	if err != nil {
		return nil, err
	}
	m, err := e.open(parent)
	if err != nil {
		return nil, err
	}
	i := -1
	token := p[len(p)-1]
	switch m.kind {
	case fhir.Array:
		if i, err = index(token, len(m.kids), false); err != nil {
			return nil, err
		}
	case fhir.Object:
		i = m.at(token)
	}
	if i < 0 {
		return nil, cannot("there is nothing at that path")
	}
	v := m.remove(i)
	return v, e.shrink(v)
}

// replace puts a value in place of the one at a path.
func (e *editor) replace(p pointer, v *value) error {
	old, err := e.walk(p)
	if err != nil {
		return err
	}
	if err := e.shrink(old); err != nil {
		return err
	}
	old.node, old.made = v.node, v.made
	return e.grow(old, len(p))
}

func tooMany() error {
	return malformed(-1, "A patch has at most %d operations.", MaxOperations)
}
