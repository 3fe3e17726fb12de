package patch

import (
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// place is one element of the resource as FHIR sees it: for a primitive type its value and, in the member with the
// underscore, its id and extensions. It is good until the document changes.
type place struct {
	up      *place      // the element above; nil for the resource
	object  *made       // the JSON object that holds it; nil for the resource
	depth   int         // containers around that object's members
	element *r4.Element // nil for the resource
	name    string      // of the JSON member
	index   int         // in the list; -1 where the element is no list
	typ     *r4.Structure
	value   *value // nil where only the twin stands
	twin    *value // the member _name, or its part; nil where there is none
}

func (p *place) primitive() bool { return p.typ.Kind == r4.KindPrimitive }

// inside is the JSON object that holds the element's own elements, and the containers around its members; nil where
// there is none.
func (p *place) inside(e *editor) (*made, int, error) {
	v := p.value
	if p.primitive() {
		v = p.twin
	}
	if v == nil || v.kind() != fhir.Object {
		return nil, 0, nil
	}
	m, err := e.open(v)
	depth := p.depth + 1
	if p.index >= 0 {
		depth++
	}
	return m, depth, err
}

// structure is the type of the element; of a resource inside the resource the one that it says.
func (p *place) structure(e *editor) (*r4.Structure, error) {
	if p.typ.Kind != r4.KindResource || !p.typ.Abstract {
		return p.typ, nil
	}
	m, _, err := p.inside(e)
	if err != nil || m == nil {
		return p.typ, err
	}
	if t := m.member("resourceType"); t != nil && t.kind() == fhir.String {
		if code, ok := r4.CodeOf(t.text()); ok {
			return code.Resource(), nil
		}
	}
	return p.typ, nil
}

// resource is the place of the whole document.
func (e *editor) resource() (*place, error) {
	p := &place{index: -1, value: e.root, depth: 0}
	if e.root.kind() == fhir.Object {
		m, err := e.open(e.root)
		if err != nil {
			return nil, err
		}
		if t := m.member("resourceType"); t != nil && t.kind() == fhir.String {
			if code, ok := r4.CodeOf(t.text()); ok {
				p.typ = code.Resource()
			}
		}
	}
	if p.typ == nil {
		return nil, cannot("the document is no resource of a FHIR type")
	}
	return p, nil
}

// elementOf finds an element by its name in FHIRPath (value) or in JSON (valueQuantity): fields are the JSON names that
// it may have.
func elementOf(s *r4.Structure, name string) (*r4.Element, []r4.Field) {
	if at, ok := s.FindString(name); ok {
		el := &s.Elements[at.Element]
		return el, el.Fields[at.Field : at.Field+1]
	}
	name = strings.TrimSuffix(name, "[x]")
	for i := range s.Elements {
		if el := &s.Elements[i]; el.Choice && strings.TrimSuffix(el.Name, "[x]") == name {
			return el, el.Fields
		}
	}
	return nil, nil
}

func noElement(s *r4.Structure, name string) error {
	return cannot("%s has no element %s", s.Name, shown(name))
}

// children are the elements of this name in the element, in their order.
func (p *place) children(e *editor, name string) ([]thing, error) {
	s, err := p.structure(e)
	if err != nil {
		return nil, err
	}
	el, fields := elementOf(s, name)
	if el == nil {
		return nil, noElement(s, name)
	}
	object, depth, err := p.inside(e)
	if err != nil || object == nil {
		return nil, err
	}
	var found []thing
	for i := range fields {
		f := &fields[i]
		if err := e.spend(2 * len(object.kids)); err != nil {
			return nil, err
		}
		at := place{up: p, object: object, depth: depth, element: el, name: f.Name, index: -1, typ: f.Type, value: object.member(f.Name)}
		if f.Type.Kind == r4.KindPrimitive {
			at.twin = object.member("_" + f.Name)
		}
		if at.value == nil && at.twin == nil {
			continue
		}
		if !el.Array {
			found = append(found, thing{place: &at})
			continue
		}
		l, err := at.list(e)
		if err != nil {
			return nil, err
		}
		for i := range l.n {
			one := at
			one.index, one.value, one.twin = i, l.value(i), l.twin(i)
			found = append(found, thing{place: &one})
		}
		if err := e.spend(l.n); err != nil {
			return nil, err
		}
	}
	return found, nil
}
