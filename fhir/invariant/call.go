package invariant

import (
	"bytes"
	"regexp"
	"strconv"
	"unicode/utf8"

	"tarn/fhir"
)

// call applies a function to in.
func (v *Evaluator) call(e *expr, in []value, this value) []value {
	switch e.name {
	case "exists":
		if len(e.args) == 1 {
			in = v.where(in, e.args[0])
		}
		return v.bool(verdictOf(len(in) > 0))
	case "empty":
		return v.bool(verdictOf(len(in) == 0))
	case "not":
		if len(in) == 0 && !v.open {
			return v.bool(yes)
		}
		return v.bool(v.truth(in).not())
	case "count":
		return v.one(numberValue(float64(len(in))))
	case "hasValue":
		return v.bool(verdictOf(len(in) == 1 && in[0].primitive()))
	case "getValue", "trace", "single":
		return in
	case "all":
		for i := range in {
			if t := v.truthOf(e.args[0], in[i]); t == no || t == unknown && !v.open {
				return v.bool(no)
			}
		}
		return v.bool(yes)
	case "allTrue", "anyTrue":
		any, all := false, true
		for i := range in {
			is := v.truth(in[i:i+1]) == yes
			any, all = any || is, all && is
		}
		return v.bool(verdictOf(e.name == "allTrue" && all || e.name == "anyTrue" && any))
	case "where":
		return v.where(in, e.args[0])
	case "extension":
		return v.extension(in, v.eval(e.args[0], this))
	case "select":
		var out []value
		for i := range in {
			mark := len(v.values)
			out = append(out, v.eval(e.args[0], in[i])...)
			v.values = v.values[:mark]
		}
		return out
	case "first":
		return in[:min(1, len(in))]
	case "last":
		return in[max(0, len(in)-1):]
	case "tail":
		return in[min(1, len(in)):]
	case "distinct":
		return v.union(in, nil)
	case "isDistinct":
		return v.bool(verdictOf(v.distinct(in)))
	case "combine":
		out := append([]value(nil), in...)
		return append(out, v.eval(e.args[0], this)...)
	case "union":
		return v.union(in, v.eval(e.args[0], this))
	case "intersect":
		return v.intersect(in, v.eval(e.args[0], this))
	case "children", "descendants":
		from := len(v.values)
		for i := range in {
			if in[i].kind == 0 {
				v.children(in[i].node, e.name == "descendants")
			}
		}
		return v.since(from)
	case "iif":
		if v.truth(v.on(e.args[0], in)) == yes {
			return v.on(e.args[1], in)
		}
		if len(e.args) == 3 {
			return v.on(e.args[2], in)
		}
		return nil
	case "resolve": // what is referred to lies outside the document
		v.open = true
		return nil
	case "htmlChecks": // the validator reads narratives itself
		return v.bool(yes)
	}
	return v.onText(e, in, this)
}

// on evaluates an argument with the collection as the focus.
func (v *Evaluator) on(e *expr, in []value) []value {
	if e.op == opCall && e.a == nil {
		return v.call(e, in, value{})
	}
	if e.op == opType && e.a.op == opThis {
		return v.typed(e, in)
	}
	if e.a != nil && e.op == opCall {
		return v.call(e, v.on(e.a, in), value{})
	}
	if len(in) == 1 {
		return v.eval(e, in[0])
	}
	return v.eval(e, value{})
}

func (v *Evaluator) where(in []value, criteria *expr) []value {
	var out []value
	for i := range in {
		if v.truthOf(criteria, in[i]) == yes {
			if len(in) == 1 {
				return in
			}
			out = append(out, in[i])
		}
	}
	return out
}

func (v *Evaluator) extension(in, url []value) []value {
	var out []value
	for i := range in {
		for _, x := range v.member(in[i], "extension", false) {
			u := v.member(x, "url", false)
			if v.same(u, url) == yes {
				out = append(out, x)
			}
		}
	}
	return out
}

// distinct reports whether no two items are equal.
func (v *Evaluator) distinct(in []value) bool {
	const few = 16
	if len(in) <= few {
		for i := range in {
			if v.among(in[i:i+1], in[:i]) == yes {
				return false
			}
		}
		return true
	}
	seen := make(map[string]struct{}, len(in))
	for i := range in {
		if in[i].primitive() {
			seen[string(in[i].textOf(&v.left))] = struct{}{}
		} else {
			seen[string(in[i].node.Raw())] = struct{}{}
		}
	}
	return len(seen) == len(in)
}

func (v *Evaluator) intersect(a, b []value) []value {
	from := len(v.values)
	for i := range a {
		if v.among(a[i:i+1], b) == yes && v.among(a[i:i+1], v.values[from:]) != yes {
			v.values = append(v.values, a[i])
		}
	}
	return v.since(from)
}

// children appends the children of a node, of all generations if deep.
func (v *Evaluator) children(n fhir.Node, deep bool) {
	if n.Kind() != fhir.Object && n.Kind() != fhir.Array {
		return
	}
	for c := n.First(); c.Exists(); c = c.Next() {
		switch {
		case c.Kind() == fhir.Array && n.Kind() == fhir.Object:
			v.children(c, deep)
			continue
		case c.Kind() == fhir.Null || c.IsMember() && c.KeyIs("resourceType"):
			continue
		}
		v.steps++
		v.values = append(v.values, nodeValue(c))
		if deep {
			v.children(c, true)
		}
	}
}

// onText are the functions of one string.
func (v *Evaluator) onText(e *expr, in []value, this value) []value {
	if len(in) != 1 || !in[0].primitive() {
		return nil
	}
	item := in[0]
	if e.name == "toString" {
		return v.one(value{kind: fhir.String, text: bytes.Clone(item.textOf(&v.left))})
	}
	if e.name == "toInteger" && item.kindOf() == fhir.Number {
		return in
	}
	if item.kindOf() != fhir.String {
		return nil
	}
	text := item.textOf(&v.left)
	switch e.name {
	case "toInteger":
		if n, err := strconv.Atoi(string(text)); err == nil {
			return v.one(numberValue(float64(n)))
		}
		return nil
	case "length":
		return v.one(numberValue(float64(utf8.RuneCount(text))))
	case "lower":
		return v.one(value{kind: fhir.String, text: bytes.ToLower(text)})
	case "upper":
		return v.one(value{kind: fhir.String, text: bytes.ToUpper(text)})
	case "trim":
		return v.one(value{kind: fhir.String, text: bytes.Clone(bytes.TrimSpace(text))})
	}
	text = bytes.Clone(text) // the argument may need the working memory
	arg := v.eval(e.args[0], this)
	if len(arg) != 1 {
		return nil
	}
	if e.name == "substring" {
		return v.substring(e, text, arg[0], this)
	}
	if arg[0].kindOf() != fhir.String {
		return nil
	}
	with := arg[0].textOf(&v.right)
	switch e.name {
	case "startsWith":
		return v.bool(verdictOf(bytes.HasPrefix(text, with)))
	case "endsWith":
		return v.bool(verdictOf(bytes.HasSuffix(text, with)))
	case "contains":
		return v.bool(verdictOf(bytes.Contains(text, with)))
	case "replaceMatches":
		return v.replace(text, bytes.Clone(with), v.eval(e.args[1], this))
	case "matches":
		m := e.test
		if m.re == nil {
			var err error
			if m, err = compileMatch(string(with)); err != nil {
				return nil
			}
		}
		return v.bool(verdictOf(m.re.Match(text)))
	}
	return nil
}

func (v *Evaluator) substring(e *expr, text []byte, from value, this value) []value {
	start, ok := from.numberOf()
	runes := []rune(string(text))
	if !ok || start < 0 || int(start) >= len(runes) {
		return nil
	}
	runes = runes[int(start):]
	if len(e.args) == 2 {
		n := v.eval(e.args[1], this)
		if len(n) != 1 {
			return nil
		}
		if count, ok := n[0].numberOf(); ok && count >= 0 && int(count) < len(runes) {
			runes = runes[:int(count)]
		}
	}
	return v.one(value{kind: fhir.String, text: []byte(string(runes))})
}

func (v *Evaluator) replace(text, pattern []byte, with []value) []value {
	re, err := regexp.Compile(string(pattern))
	if err != nil || len(with) != 1 || with[0].kindOf() != fhir.String {
		return nil
	}
	return v.one(value{kind: fhir.String, text: re.ReplaceAll(text, with[0].textOf(&v.right))})
}
