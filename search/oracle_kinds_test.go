package search_test

import (
	"encoding/json"
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// value makes one value of a parameter out of a thing, and what the oracle says of documents.
func (g *generator) value(p *r4.SearchParam, modifier string, x thing) (cond, bool) {
	some := func(value string, match func(thing) bool) (cond, bool) {
		return cond{value: value, match: func(_ *oracle, d *odoc) bool { return slices.ContainsFunc(d.things(p), match) }}, true
	}
	switch p.Type {
	case r4.ParamToken:
		return g.token(some, modifier, x)
	case r4.ParamString:
		return g.text(some, modifier, x)
	case r4.ParamDate:
		return g.date(some, x)
	case r4.ParamNumber:
		n, ok := x.v.(json.Number)
		if !ok {
			return cond{}, false
		}
		prefix, text := g.prefix(), n.String()
		return some(prefix+text, func(x thing) bool { r := rat(x.v); return r != nil && numberIs(prefix, r, text) })
	case r4.ParamQuantity:
		return g.quantity(some, x)
	case r4.ParamURI:
		return g.uri(some, modifier, x)
	case r4.ParamReference:
		return g.reference(some, x)
	case r4.ParamComposite:
		return g.composite(p, x)
	}
	return cond{}, false
}

type anyOf func(value string, match func(thing) bool) (cond, bool)

func (g *generator) prefix() string {
	if g.flip(40) {
		return ""
	}
	return pick(g, []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"})
}

func (g *generator) token(some anyOf, modifier string, x thing) (cond, bool) {
	all := tokens(x)
	if len(all) == 0 {
		return cond{}, false
	}
	t := pick(g, all)
	if modifier == "text" {
		if t.text == "" {
			return cond{}, false
		}
		part := fold(g.start(t.text))
		if part == "" {
			return cond{}, false
		}
		return some(escape(part), func(x thing) bool {
			return slices.ContainsFunc(tokens(x), func(t tok) bool { return strings.HasPrefix(fold(t.text), part) })
		})
	}
	if t.code == "" {
		return cond{}, false
	}
	is := func(same func(tok) bool) func(thing) bool {
		return func(x thing) bool { return slices.ContainsFunc(tokens(x), same) }
	}
	switch {
	case g.flip(40):
		return some(escape(t.code), is(func(o tok) bool { return o.code == t.code }))
	case t.system != "" && g.flip(20):
		return some(escape(t.system)+"|", is(func(o tok) bool { return o.system == t.system }))
	case x.of.Primitive != 0 || x.of.Name == "ContactPoint": // the system of a code is implied
		return some(escape(t.code), is(func(o tok) bool { return o.code == t.code }))
	}
	return some(escape(t.system)+"|"+escape(t.code), is(func(o tok) bool { return o.system == t.system && o.code == t.code }))
}

// start is the beginning of a text, at least three letters.
func (g *generator) start(s string) string {
	r := []rune(s)
	if len(r) <= 3 {
		return s
	}
	return strings.TrimSpace(string(r[:3+g.rng.IntN(min(len(r)-3, 40))]))
}

func (g *generator) text(some anyOf, modifier string, x thing) (cond, bool) {
	all := strs(x)
	if len(all) == 0 {
		return cond{}, false
	}
	s := pick(g, all)
	has := func(same func(string) bool) func(thing) bool {
		return func(x thing) bool { return slices.ContainsFunc(strs(x), same) }
	}
	switch modifier {
	case "exact":
		return some(escape(s), has(func(o string) bool { return o == s }))
	case "contains":
		r := []rune(fold(s))
		if len(r) < 4 {
			return cond{}, false
		}
		from := g.rng.IntN(len(r) - 3)
		part := strings.TrimSpace(string(r[from : from+3]))
		if part == "" {
			return cond{}, false
		}
		return some(escape(part), has(func(o string) bool { return strings.Contains(fold(o), part) }))
	}
	part := g.start(s)
	if fold(part) == "" {
		return cond{}, false
	}
	if g.flip(30) {
		part = strings.ToUpper(part)
	}
	want := fold(part)
	return some(escape(part), has(func(o string) bool { return strings.HasPrefix(fold(o), want) }))
}

func (g *generator) date(some anyOf, x thing) (cond, bool) {
	text := str(x.v)
	if m, ok := x.v.(map[string]any); ok {
		if text = str(m["start"]); text == "" || g.flip(30) {
			text = str(m["end"])
		}
	}
	want, ok := stretchOf(text)
	if !ok {
		return cond{}, false
	}
	if len(text) > 4 && g.flip(60) {
		text = text[:pick(g, []int{4, min(7, len(text)), min(10, len(text))})]
		want, _ = stretchOf(text)
	}
	prefix := g.prefix()
	return some(prefix+text, func(x thing) bool {
		return slices.ContainsFunc(stretches(x), func(s stretch) bool { return dateIs(prefix, s, want) })
	})
}

func (g *generator) quantity(some anyOf, x thing) (cond, bool) {
	m, ok := x.v.(map[string]any)
	if !ok || x.of.Name == "Range" || x.of.Name == "SampledData" || m["comparator"] != nil {
		return cond{}, false
	}
	n, ok := m["value"].(json.Number)
	if !ok {
		return cond{}, false
	}
	text, prefix := n.String(), g.prefix()
	system, code := str(m["system"]), str(m["code"])
	value, same := prefix+text, func(map[string]any) bool { return true }
	if x.of.Name == "Money" {
		system, code = "", ""
	}
	if code != "" && system != "" && system != "http://unitsofmeasure.org" { // units are converted: that is left to package index
		value += "|" + escape(system) + "|" + escape(code)
		same = func(o map[string]any) bool { return str(o["system"]) == system && str(o["code"]) == code }
	}
	return some(value, func(x thing) bool {
		o, ok := x.v.(map[string]any)
		if !ok {
			return false
		}
		r := rat(o["value"])
		return r != nil && same(o) && numberIs(prefix, r, text)
	})
}

func (g *generator) uri(some anyOf, modifier string, x thing) (cond, bool) {
	s := str(x.v)
	if s == "" {
		return cond{}, false
	}
	if modifier == "below" {
		at := strings.LastIndexByte(s, '/')
		if !strings.HasPrefix(s, "http") || at < len("https://x") {
			return cond{}, false
		}
		up := s[:at]
		return some(escape(up), func(x thing) bool { o := str(x.v); return o == up || strings.HasPrefix(o, up+"/") })
	}
	return some(escape(s), func(x thing) bool { return str(x.v) == s })
}

func (g *generator) reference(some anyOf, x thing) (cond, bool) {
	all := refs(x)
	if len(all) == 0 {
		return cond{}, false
	}
	ref := all[0]
	typ, _, ok := strings.Cut(ref, "/")
	if !ok || !r4.IsType(typ) || strings.ContainsAny(ref, "?|") {
		return cond{}, false
	}
	value := ref
	if g.flip(20) {
		value = base + "/" + ref
	}
	return some(escape(value), func(x thing) bool { return slices.Contains(refs(x), ref) })
}

// composite joins two values of one thing.
func (g *generator) composite(p *r4.SearchParam, x thing) (cond, bool) {
	var parts []string
	var are []func(thing) bool
	for i := range p.Components {
		c := &p.Components[i]
		all := read(c.Expression, []thing{x})
		if len(all) == 0 {
			return cond{}, false
		}
		one, ok := g.value(&r4.SearchParam{Name: p.Name + "$" + c.Param.Name, Type: c.Param.Type, Expression: c.Expression}, "", pick(g, all))
		if !ok || c.Param.Type == r4.ParamComposite {
			return cond{}, false
		}
		parts = append(parts, one.value)
		match := one.match
		are = append(are, func(x thing) bool {
			// The part is read from the thing as if it were a document.
			for _, y := range read(c.Expression, []thing{x}) {
				d := &odoc{read: map[string][]thing{p.Name + "$" + c.Param.Name: {y}}}
				if match(nil, d) {
					return true
				}
			}
			return false
		})
	}
	return cond{value: strings.Join(parts, "$"), match: func(_ *oracle, d *odoc) bool {
		return slices.ContainsFunc(d.things(p), func(x thing) bool {
			return !slices.ContainsFunc(are, func(is func(thing) bool) bool { return !is(x) })
		})
	}}, true
}
