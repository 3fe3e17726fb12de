package invariant

import (
	"bytes"
	"slices"

	"tarn/fhir"
)

// eval gives the collection of e with this as the focus. It is part of v.values, or of what a caller gave.
func (v *Evaluator) eval(e *expr, this value) []value {
	if v.steps++; v.Spent() {
		return nil
	}
	if !e.fixed {
		return v.compute(e, this)
	}
	for i := range v.fixed {
		if v.fixed[i].e == e {
			return v.fixed[i].values
		}
	}
	c := slices.Clone(v.compute(e, this))
	v.fixed = append(v.fixed, fixed{e, c})
	return c
}

// truthOf evaluates a condition and leaves no working memory behind.
func (v *Evaluator) truthOf(e *expr, this value) verdict {
	mark := len(v.values)
	t := v.truth(v.eval(e, this))
	v.values = v.values[:mark]
	return t
}

func (v *Evaluator) compute(e *expr, this value) []value {
	switch e.op {
	case opThis:
		return v.one(this)
	case opString:
		return v.one(value{kind: fhir.String, text: e.text})
	case opNumber:
		return v.one(numberValue(e.number))
	case opBoolean:
		return v.one(boolValue(e.number == 1))
	case opVariable:
		switch e.name {
		case "resource":
			return v.one(nodeValue(v.scope.Resource))
		case "rootResource":
			return v.one(nodeValue(v.scope.RootResource))
		}
		return v.one(nodeValue(v.context))
	case opMember:
		if e.a == nil {
			return v.member(this, e.name, e.choice)
		}
		in := v.eval(e.a, this)
		if len(in) == 1 {
			return v.member(in[0], e.name, e.choice)
		}
		from := len(v.values)
		for _, item := range in {
			if item.kind == 0 {
				v.values = members(v.values, item.node, e.name, e.choice)
			}
		}
		v.steps += len(in) + len(v.values) - from
		return v.since(from)
	case opIndex:
		in, at := v.eval(e.a, this), v.eval(e.args[0], this)
		if len(at) == 1 {
			if f, ok := at[0].numberOf(); ok && f >= 0 && int(f) < len(in) {
				return in[int(f) : int(f)+1]
			}
		}
		return nil
	case opType:
		return v.typed(e, v.eval(e.a, this))
	case opCall:
		in := v.focus(e, this)
		return v.call(e, in, this)
	case opBinary:
		return v.binary(e, this)
	}
	return nil
}

func (v *Evaluator) focus(e *expr, this value) []value {
	if e.a == nil {
		return v.one(this)
	}
	return v.eval(e.a, this)
}

// one is a collection of one item.
func (v *Evaluator) one(item value) []value {
	from := len(v.values)
	v.values = append(v.values, item)
	return v.since(from)
}

func (v *Evaluator) since(from int) []value { return v.values[from:len(v.values):len(v.values)] }

func (v *Evaluator) member(of value, name string, choice bool) []value {
	if of.kind != 0 {
		return nil
	}
	from := len(v.values)
	v.values = members(v.values, of.node, name, choice)
	v.steps += len(v.values) - from
	return v.since(from)
}

func (v *Evaluator) bool(t verdict) []value {
	if t == unknown {
		return nil
	}
	return v.one(boolValue(t == yes))
}

// truth is a collection as a condition: a Boolean as it is, one item of another kind as true.
func (v *Evaluator) truth(c []value) verdict {
	if len(c) == 0 {
		return unknown
	}
	return verdictOf(len(c) > 1 || c[0].kindOf() != fhir.False)
}

func (v *Evaluator) binary(e *expr, this value) []value {
	switch e.name {
	case "and", "or", "implies", "xor":
		a := v.truth(v.eval(e.a, this))
		switch {
		case e.name == "and" && a == no, e.name == "implies" && a == no, e.name == "or" && a == yes:
			return v.bool(verdictOf(e.name != "and"))
		}
		b := v.truth(v.eval(e.b, this))
		switch e.name {
		case "and":
			return v.bool(and(a, b))
		case "or":
			return v.bool(or(a, b))
		case "implies":
			if a == unknown && !v.open { // what is absent implies nothing
				return v.bool(yes)
			}
			return v.bool(or(a.not(), b))
		}
		if a == unknown || b == unknown {
			return nil
		}
		return v.bool(verdictOf(a != b))
	}
	a, b := v.eval(e.a, this), v.eval(e.b, this)
	switch e.name {
	case "=", "!=", "~", "!~":
		t := v.same(a, b)
		if e.name == "!=" || e.name == "!~" {
			t = t.not()
		}
		return v.bool(t)
	case "<", ">", "<=", ">=":
		return v.bool(v.inOrder(e.name, a, b))
	case "in":
		return v.bool(v.among(a, b))
	case "contains":
		return v.bool(v.among(b, a))
	case "|":
		return v.union(a, b)
	case "&":
		text := v.join(nil, a)
		return v.one(value{kind: fhir.String, text: v.join(text, b)})
	case "+", "-":
		return v.plus(e.name, a, b)
	}
	return nil
}

// same compares collections item by item.
func (v *Evaluator) same(a, b []value) verdict {
	if len(a) == 0 || len(b) == 0 {
		return unknown
	}
	if len(a) != len(b) {
		return no
	}
	for i := range a {
		equal, known := v.equal(&a[i], &b[i])
		if !known {
			v.open = true
			return unknown
		}
		if !equal {
			return no
		}
	}
	return yes
}

func (v *Evaluator) inOrder(operator string, a, b []value) verdict {
	if len(a) != 1 || len(b) != 1 {
		return unknown
	}
	sign, known := v.order(&a[0], &b[0])
	if !known {
		v.open = true
		return unknown
	}
	switch operator {
	case "<":
		return verdictOf(sign < 0)
	case ">":
		return verdictOf(sign > 0)
	case "<=":
		return verdictOf(sign <= 0)
	}
	return verdictOf(sign >= 0)
}

// among tells whether the one item of a is in b.
func (v *Evaluator) among(a, b []value) verdict {
	if len(a) != 1 {
		return unknown
	}
	v.steps += len(b)
	for i := range b {
		if equal, known := v.equal(&a[0], &b[i]); equal && known {
			return yes
		}
	}
	return no
}

func (v *Evaluator) union(a, b []value) []value {
	from := len(v.values)
	for _, c := range [...][]value{a, b} {
		for i := range c {
			if v.among(c[i:i+1], v.values[from:]) != yes {
				v.values = append(v.values, c[i])
			}
		}
	}
	return v.since(from)
}

func (v *Evaluator) join(dst []byte, c []value) []byte {
	if len(c) == 1 {
		return append(dst, c[0].textOf(&v.left)...)
	}
	return dst
}

func (v *Evaluator) plus(operator string, a, b []value) []value {
	if len(a) != 1 || len(b) != 1 {
		return nil
	}
	x, okX := a[0].numberOf()
	y, okY := b[0].numberOf()
	switch {
	case okX && okY && operator == "+":
		return v.one(numberValue(x + y))
	case okX && okY:
		return v.one(numberValue(x - y))
	case operator == "+" && a[0].kindOf() == fhir.String && b[0].kindOf() == fhir.String:
		return v.one(value{kind: fhir.String, text: v.join(v.join(nil, a), b)})
	}
	return nil
}

// typed is is, as and ofType. The tape knows no types: resources tell theirs, and primitives are told apart by JSON kind;
// of other data types all that have a shape are let pass.
func (v *Evaluator) typed(e *expr, in []value) []value {
	if e.name == "is" {
		if len(in) != 1 {
			return nil
		}
		return v.bool(isType(&in[0], e.text))
	}
	from := len(v.values)
	for i := range in {
		if isType(&in[i], e.text) != no {
			v.values = append(v.values, in[i])
		}
	}
	return v.since(from)
}

func isType(item *value, name []byte) verdict {
	kind := item.kindOf()
	switch string(name) {
	case "boolean", "Boolean":
		return verdictOf(kind == fhir.True || kind == fhir.False)
	case "decimal", "Decimal", "integer", "Integer", "positiveInt", "unsignedInt":
		return verdictOf(kind == fhir.Number)
	case "Resource", "DomainResource":
		return verdictOf(item.kind == 0 && item.node.Member("resourceType").Exists())
	}
	if kind == fhir.Object {
		if t := item.node.Member("resourceType"); t.Exists() {
			return verdictOf(bytes.Equal(t.Text(), name))
		}
		return verdictOf(name[0] >= 'A' && name[0] <= 'Z' && string(name) != "String")
	}
	return verdictOf(kind == fhir.String && (name[0] >= 'a' || string(name) == "String"))
}
