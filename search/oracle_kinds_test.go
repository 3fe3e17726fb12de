package search_test

import (
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// anyOf makes a condition that is true where one thing of a parameter matches.
type anyOf func(kinds []string, value string, match func(thing) bool) (cond, bool)

// value makes one value of a parameter out of a thing, and what the oracle says of documents.
func (g *generator) value(p *r4.SearchParam, modifier string, x thing) (cond, bool) {
	some := func(kinds []string, value string, match func(thing) bool) (cond, bool) {
		return cond{kinds: kinds, value: value, match: func(_ *oracle, d *odoc) bool { return slices.ContainsFunc(d.things(p), match) }}, true
	}
	switch p.Type {
	case r4.ParamToken:
		return g.token(some, modifier, x)
	case r4.ParamString:
		return g.text(some, modifier, x)
	case r4.ParamDate:
		return g.date(some, x)
	case r4.ParamNumber:
		return g.number(some, x)
	case r4.ParamQuantity:
		return g.quantity(some, x)
	case r4.ParamURI:
		return g.uri(some, modifier, x)
	case r4.ParamReference:
		return g.reference(p, some, modifier, x)
	case r4.ParamComposite:
		return g.composite(p, x)
	case r4.ParamSpecial:
		return g.near(some, x)
	}
	return cond{}, false
}

func (g *generator) prefix() string {
	if g.flip(20) {
		return ""
	}
	return pick(g, []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
}

// modifier is one that the parameter may have, or none. Values are then sought that it can be asked with.
func (g *generator) modifier(typ r4.Code, p *r4.SearchParam) string {
	if g.flip(40) {
		return ""
	}
	switch p.Type {
	case r4.ParamToken:
		return pick(g, []string{"not", "text", "of-type", "in", "not-in", "above", "below"})
	case r4.ParamString:
		return pick(g, []string{"exact", "contains"})
	case r4.ParamURI:
		return pick(g, []string{"above", "below"})
	case r4.ParamReference:
		modifiers := []string{"identifier", "above", "below"}
		for _, x := range pick(g, g.o.byType[typ]).things(p) {
			for _, to := range pointers(x) {
				if to.local() && (len(p.Targets) == 0 || slices.Contains(p.Targets, to.typ)) {
					modifiers = append(modifiers, to.typ, to.typ)
				}
			}
		}
		return pick(g, modifiers)
	}
	return ""
}

var escapes = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `$`, `\$`, `|`, `\|`)

func escape(s string) string { return escapes.Replace(s) }

// composite joins two values of one thing.
func (g *generator) composite(p *r4.SearchParam, x thing) (cond, bool) {
	var parts []string
	kinds := []string{"composite"}
	var are []func(thing) bool
	for i := range p.Components {
		c := &p.Components[i]
		all := read(c.Expression, []thing{x})
		if len(all) == 0 {
			return cond{}, false
		}
		one, ok := g.value(&r4.SearchParam{Name: p.Name + "$" + c.Param.Name, Type: c.Param.Type, Expression: c.Expression, Targets: c.Param.Targets}, "", pick(g, all))
		if !ok || c.Param.Type == r4.ParamComposite {
			return cond{}, false
		}
		parts = append(parts, one.value)
		for _, kind := range one.kinds {
			kinds = append(kinds, "composite "+kind)
		}
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
	return cond{kinds: kinds, value: strings.Join(parts, "$"), match: func(_ *oracle, d *odoc) bool {
		return slices.ContainsFunc(d.things(p), func(x thing) bool {
			return !slices.ContainsFunc(are, func(is func(thing) bool) bool { return !is(x) })
		})
	}}, true
}
