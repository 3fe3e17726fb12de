package patch

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

func (o *pathOperation) apply(e *editor) error {
	root, err := e.resource()
	if err != nil {
		return err
	}
	switch o.word {
	case "insert", "move":
		l, el, fields, err := o.list(e, root)
		if err != nil {
			return err
		}
		if o.word == "move" {
			return o.move(e, l)
		}
		if o.index > l.n {
			return cannot("the index %d is behind the end of the list, which has %d elements", o.index, l.n)
		}
		b, err := build(e, el, fields, o.value)
		if err != nil {
			return err
		}
		return l.insert(e, o.index, b.value, b.twin)
	}
	found, err := o.path.eval(e, thing{place: root})
	if err != nil {
		return err
	}
	switch {
	case len(found) > 1:
		return cannot("the path finds %d elements; it must find one", len(found))
	case len(found) == 0 && o.word == "delete":
		return nil
	case len(found) == 0:
		return cannot("the path finds no element")
	case found[0].place == nil:
		return cannot("the path leads to a value and not to an element")
	}
	p := found[0].place
	if o.word == "add" {
		return o.add(e, p)
	}
	if p.up == nil {
		return cannot("a patch cannot %s the whole resource", o.word)
	}
	if o.word == "delete" {
		return p.delete(e)
	}
	return o.replace(e, p)
}

// list is the list that the path of an insert or a move names: its last step is the name of an element that repeats.
func (o *pathOperation) list(e *editor, root *place) (*list, *r4.Element, []r4.Field, error) {
	last := len(o.path) - 1
	if last < 0 || o.path[last].member == "" {
		return nil, nil, nil, cannot("the path must end in the name of an element that repeats")
	}
	found, err := o.path[:last].eval(e, thing{place: root})
	if err != nil {
		return nil, nil, nil, err
	}
	if len(found) != 1 || found[0].place == nil {
		return nil, nil, nil, cannot("what is before the last name in the path finds %d elements; it must find one", len(found))
	}
	p := found[0].place
	s, err := p.structure(e)
	if err != nil {
		return nil, nil, nil, err
	}
	el, fields := elementOf(s, o.path[last].member)
	if el == nil {
		return nil, nil, nil, noElement(s, o.path[last].member)
	}
	if !el.Array {
		return nil, nil, nil, cannot("%s does not repeat, so that nothing can be inserted or moved in it", el.Name)
	}
	object, depth, err := p.ensure(e)
	if err != nil {
		return nil, nil, nil, err
	}
	l, err := listOf(e, object, fields[0].Name, depth)
	return l, el, fields, err
}

// ensure is inside, and makes the object for the id and extensions of a primitive element where there is none.
func (p *place) ensure(e *editor) (*made, int, error) {
	m, depth, err := p.inside(e)
	if err != nil || m != nil {
		return m, depth, err
	}
	if !p.primitive() {
		return nil, 0, cannot("the resource holds no object there")
	}
	v := container(fhir.Object)
	depth = p.depth + 1
	if p.index < 0 {
		p.object.insert(p.object.behind("_"+p.name), named("_"+p.name, v))
	} else {
		l, err := p.list(e)
		if err != nil {
			return nil, 0, err
		}
		if l.twins == nil {
			l.twins = l.make("_" + l.name)
		}
		l.widen()
		l.twins.kids[p.index] = v
		depth++
	}
	p.twin = v
	return v.made, depth, e.grow(v, depth)
}

func (o *pathOperation) add(e *editor, p *place) error {
	s, err := p.structure(e)
	if err != nil {
		return err
	}
	el, fields := elementOf(s, o.name)
	if el == nil {
		return noElement(s, o.name)
	}
	b, err := build(e, el, fields, o.value)
	if err != nil {
		return err
	}
	object, depth, err := p.ensure(e)
	if err != nil {
		return err
	}
	return join(e, object, el, fields, b, depth)
}

func (o *pathOperation) move(e *editor, l *list) error {
	if o.source >= l.n || o.destination >= l.n {
		return cannot("the list has %d elements, so that %d cannot be moved to %d", l.n, o.source, o.destination)
	}
	l.move(o.source, o.destination)
	return e.spend(2 * l.n)
}

// delete removes the element, and what is above it as far as nothing is left in it.
func (p *place) delete(e *editor) error {
	for ; p.up != nil; p = p.up {
		if err := p.remove(e); err != nil {
			return err
		}
		if len(p.object.kids) > 0 {
			return nil
		}
		if up := p.up; up.up != nil && up.primitive() && up.value != nil {
			return up.dropTwin(e) // its value stays
		}
	}
	return nil
}

func (p *place) remove(e *editor) error {
	if p.index >= 0 {
		l, err := p.list(e)
		if err != nil {
			return err
		}
		if err := l.take(e, p.index); err != nil {
			return err
		}
		return l.tidy(e)
	}
	for _, name := range []string{p.name, "_" + p.name} {
		if i := p.object.at(name); i >= 0 {
			if err := e.shrink(p.object.remove(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropTwin removes the id and extensions of a primitive element, of which nothing is left.
func (p *place) dropTwin(e *editor) error {
	if p.index >= 0 {
		l, err := p.list(e)
		if err != nil {
			return err
		}
		l.twins.kids[p.index] = null()
		return l.tidy(e)
	}
	return e.shrink(p.object.remove(p.object.at("_" + p.name)))
}

// replace puts another value in place of the element; an element of several types may change its type.
func (o *pathOperation) replace(e *editor, p *place) error {
	b, err := build(e, p.element, p.element.Fields, o.value)
	if err != nil {
		return err
	}
	if p.index >= 0 {
		l, err := p.list(e)
		if err != nil {
			return err
		}
		if err := l.set(e, p.index, b.value, b.twin); err != nil {
			return err
		}
		return l.tidy(e)
	}
	at := p.object.at(p.name)
	if twin := p.object.at("_" + p.name); at < 0 || twin >= 0 && twin < at {
		at = twin
	}
	if err := p.remove(e); err != nil {
		return err
	}
	return attach(e, p.object, b, at, p.depth)
}
