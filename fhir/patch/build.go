package patch

import (
	"fmt"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// built is the JSON of an element that a patch brings: its member's name, its value, and its id and extensions where it
// is of a primitive type.
type built struct {
	field       *r4.Field
	value, twin *value
}

// build makes an element of one of the fields from a part with a value, a resource or parts of its own.
func build(e *editor, el *r4.Element, fields []r4.Field, part fhir.Node) (built, error) {
	if typ, v, twin := typedValue(part); typ != nil {
		return buildTyped(el, fields, typ, v, twin)
	}
	if v := part.Member("resource"); v.Kind() == fhir.Object {
		for i := range fields {
			if fields[i].Type.Kind == r4.KindResource {
				return built{field: &fields[i], value: given(v)}, nil
			}
		}
		return built{}, cannot("%s cannot hold a resource", el.Name)
	}
	parts := part.Member("part")
	if parts.Kind() != fhir.Array {
		return built{}, cannot("the value for %s has neither value[x] nor parts", el.Name)
	}
	if len(fields) != 1 {
		return built{}, cannot("%s can be of several types, so that its value cannot be given by parts", el.Name)
	}
	v, err := buildParts(e, fields[0].Type, parts, 0)
	return built{field: &fields[0], value: v}, err
}

func buildTyped(el *r4.Element, fields []r4.Field, typ *r4.Structure, v, twin fhir.Node) (built, error) {
	f := fieldFor(fields, typ, v)
	if f == nil {
		return built{}, cannot("a value of type %s cannot stand in %s, which is %s", typ.Name, el.Name, typeNames(fields))
	}
	b := built{field: f}
	if v.Exists() {
		b.value = given(v)
	}
	if twin.Exists() {
		b.twin = given(twin)
	}
	complexValue := typ.Kind != r4.KindPrimitive
	if v.Exists() && complexValue != (v.Kind() == fhir.Object) || v.Kind() == fhir.Array || twin.Exists() && (complexValue || twin.Kind() != fhir.Object) {
		return built{}, cannot("the value for %s has not the JSON form of %s", el.Name, typ.Name)
	}
	return b, nil
}

// fieldFor is the field for a value of a type: that of the type itself or, where an element has one type only, also one
// that is written alike, as a string is for a code.
func fieldFor(fields []r4.Field, typ *r4.Structure, v fhir.Node) *r4.Field {
	for i := range fields {
		if fields[i].Type == typ {
			return &fields[i]
		}
	}
	if len(fields) != 1 || typ.Kind != r4.KindPrimitive || fields[0].Type.Kind != r4.KindPrimitive {
		return nil
	}
	if f := &fields[0]; jsonForm(f.Type.Primitive) == jsonForm(typ.Primitive) {
		return f
	}
	return nil
}

// jsonForm is the JSON kind in which values of a primitive type are written.
func jsonForm(p r4.Primitive) fhir.Kind {
	switch p {
	case r4.Boolean:
		return fhir.True
	case r4.Decimal, r4.Integer, r4.PositiveInt, r4.UnsignedInt:
		return fhir.Number
	}
	return fhir.String
}

func typeNames(fields []r4.Field) string {
	var names []string
	for i := range fields {
		if i == 6 {
			names = append(names, fmt.Sprintf("%d more", len(fields)-i))
			break
		}
		names = append(names, fields[i].Type.Name)
	}
	return strings.Join(names, ", ")
}

// buildParts makes an object of a type from parts, each an element of it; parts with the same name make a list.
func buildParts(e *editor, typ *r4.Structure, parts fhir.Node, depth int) (*value, error) {
	if typ.Kind == r4.KindPrimitive || typ.Kind == r4.KindResource {
		return nil, cannot("a value of type %s cannot be given by parts", typ.Name)
	}
	if depth > maxNesting {
		return nil, tooMuch("the parts nest too deeply")
	}
	v := container(fhir.Object)
	for part := parts.First(); part.Exists(); part = part.Next() {
		name := part.Member("name")
		if name.Kind() != fhir.String {
			return nil, cannot("each part of a value has a name")
		}
		el, fields := elementOf(typ, string(name.AppendText(nil)))
		if el == nil {
			return nil, noElement(typ, string(name.AppendText(nil)))
		}
		if inner := part.Member("part"); inner.Kind() == fhir.Array && len(fields) == 1 {
			child, err := buildParts(e, fields[0].Type, inner, depth+1)
			if err != nil {
				return nil, err
			}
			if err := join(e, v.made, el, fields, built{field: &fields[0], value: child}, 0); err != nil {
				return nil, err
			}
			continue
		}
		b, err := build(e, el, fields, part)
		if err != nil {
			return nil, err
		}
		if err := join(e, v.made, el, fields, b, 0); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// join adds an element to an object, behind those of its list.
func join(e *editor, object *made, el *r4.Element, fields []r4.Field, b built, depth int) error {
	if el.Array {
		l, err := listOf(e, object, b.field.Name, depth)
		if err != nil {
			return err
		}
		return l.insert(e, l.n, b.value, b.twin)
	}
	all := fields
	if el.Choice {
		all = el.Fields
	}
	if err := e.spend(2 * len(object.kids)); err != nil {
		return err
	}
	for i := range all {
		if object.member(all[i].Name) != nil || object.member("_"+all[i].Name) != nil {
			return cannot("there is a %s already; replace it", all[i].Name)
		}
	}
	return attach(e, object, b, len(object.kids), depth)
}

// attach puts an element into an object at a place among its members.
func attach(e *editor, object *made, b built, at, depth int) error {
	for _, v := range []*value{b.value, b.twin} {
		if v == nil {
			continue
		}
		name := b.field.Name
		if v == b.twin {
			name = "_" + name
		}
		object.insert(at, named(name, v))
		at++
		if err := e.grow(v, depth); err != nil {
			return err
		}
	}
	return nil
}
