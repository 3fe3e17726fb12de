package profile

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

// belongs says whether an item is of a slice: all its criteria must say so.
func (c *checker) belongs(s *node, it item) verdict {
	if len(s.criteria) == 0 {
		if s.telling {
			return c.satisfies(s, it)
		}
		return unknown
	}
	all, told := yes, false
	for i := range s.criteria {
		cr := &s.criteria[i]
		if cr.kind == byValue && (cr.want == nil || !cr.want.telling) {
			continue // the slice does not say what it wants there
		}
		told = true
		if all = all.and(c.meets(cr, it)); all == no {
			return no
		}
	}
	if !told {
		return unknown
	}
	return all
}

func (c *checker) meets(cr *criterion, it item) verdict {
	switch cr.kind {
	case byURL:
		if it.n.Member("url").Is(cr.url) {
			return yes
		}
		return no
	case byPresence:
		found := c.follow(cr.steps, it, cr)
		if cr.there {
			return found
		}
		return yes - found
	}
	return c.follow(cr.steps, it, cr)
}

// follow leads an item along the steps and says whether one of those that are reached meets the criterion.
func (c *checker) follow(steps []step, it item, cr *criterion) verdict {
	if len(steps) == 0 {
		return c.reached(cr, it)
	}
	st, rest := &steps[0], steps[1:]
	object := it.inside()
	switch st.kind {
	case toType:
		if it.typ != nil && it.typ.Name != st.name {
			return no
		}
		return c.follow(rest, it, cr)
	case toTarget:
		if it.n.Kind() != fhir.Object {
			return no
		}
		resource, typ := c.target(it.n, cr.kind != byType)
		if !resource.Exists() && typ == nil {
			if !it.n.Member("reference").Exists() {
				return no
			}
			return unknown
		}
		return c.follow(rest, item{n: resource, typ: typ}, cr)
	case toExtension:
		found := no
		for e := object.Member("extension").First(); e.Exists() && found != yes; e = e.Next() {
			if e.Member("url").Is(st.name) {
				found = found.or(c.follow(rest, item{n: e, typ: r4.StructureOf("Extension")}, cr))
			}
		}
		return found
	}
	if !it.where().Exists() {
		return unknown // of a resource that is elsewhere
	}
	found := no
	for i := range st.fields {
		items := seriesOf(object, &st.fields[i])
		for inner, more := items.next(); more && found != yes; inner, more = items.next() {
			found = found.or(c.follow(rest, inner, cr))
		}
	}
	return found
}

// series goes through the items of one JSON name of an object.
type series struct {
	plain, back fhir.Node
	typ         *r4.Structure
	list        bool // they are arrays, and plain and back items of them
}

func seriesOf(object fhir.Node, f *r4.Field) series {
	s := series{plain: object.Member(f.Name), typ: f.Type}
	if f.Type != nil && f.Type.Primitive != 0 {
		s.back = object.Member("_" + f.Name)
	}
	if s.plain.Kind() == fhir.Array || s.back.Kind() == fhir.Array {
		s.list = true
		s.plain, s.back = s.plain.First(), s.back.First()
	}
	return s
}

// next is the next item; false behind the last.
func (s *series) next() (it item, more bool) {
	if !s.plain.Exists() && !s.back.Exists() {
		return item{}, false
	}
	it = item{n: s.plain, x: s.back, typ: s.typ}
	if s.list {
		s.plain, s.back = s.plain.Next(), s.back.Next()
	} else {
		s.plain, s.back = fhir.Node{}, fhir.Node{}
	}
	return it, true
}

// reached says whether what the steps led to meets the criterion.
func (c *checker) reached(cr *criterion, it item) verdict {
	typ := it.typ
	if typ != nil && typ.Name == "Resource" {
		typ = typeOf(it.n)
	}
	switch cr.kind {
	case byPresence:
		return yes
	case byType:
		if typ == nil || len(cr.types) == 0 {
			return unknown
		}
		for _, name := range cr.types {
			if name == typ.Name || name == "Resource" {
				return yes
			}
		}
		return no
	case byProfile:
		if typ == nil || !it.where().Exists() {
			return unknown
		}
		for _, p := range cr.links {
			if p.Type == typ.Name && c.conforms(p, it, typ) {
				return yes
			}
		}
		if cr.open {
			return unknown
		}
		return no
	}
	if !it.where().Exists() {
		return unknown
	}
	return c.satisfies(cr.want, it)
}

// satisfies says whether an item is as an element of a slice has it, as far as items can be told apart by that: fixed
// values, patterns, required bindings, what must and what must not be there.
func (c *checker) satisfies(n *node, it item) verdict {
	if c.depth > mostDepth || c.tired() {
		return unknown
	}
	c.depth++
	defer func() { c.depth-- }()
	if n.fixed != nil && !n.fixed.isExactly(it.n) || n.pattern != nil && !n.pattern.isWithin(it.n) {
		return no
	}
	found := yes
	if n.binding != nil && n.binding.strength == "required" && n.fixed == nil && n.pattern == nil {
		in, _ := c.coded(n.set, it)
		if found = found.and(in); found == no {
			return no
		}
	}
	for i := range n.types {
		if links := n.link[i]; len(links) == 1 && len(n.types[i].profiles) == 1 && it.typ != nil && links[0].Type == it.typ.Name {
			if found = found.and(c.satisfies(links[0].root, it)); found == no {
				return no
			}
		}
	}
	object := it.inside()
	for _, kid := range n.kids {
		if !kid.telling && kid.max != 0 && (kid.min <= 0 || kid.base == nil || kid.base.Min > 0) {
			continue
		}
		there, in := c.anySatisfies(kid, object)
		for _, s := range kid.slices { // code.coding:loinc must be there
			if s.min > 0 && s.telling && there && in != no {
				_, one := c.anySatisfies(s, object)
				in = in.and(one)
			}
		}
		switch {
		case kid.max == 0 && there, kid.min > 0 && !there, there && in == no:
			return no
		case there:
			found = found.and(in)
		}
	}
	return found
}

// anySatisfies says whether the object has the element, and whether one of its items is as the profile has it.
func (c *checker) anySatisfies(n *node, object fhir.Node) (there bool, found verdict) {
	for i := range n.fields {
		items := seriesOf(object, &n.fields[i])
		for it, more := items.next(); more && found != yes; it, more = items.next() {
			there = true
			found = found.or(c.satisfies(n, it))
		}
	}
	return there, found
}
