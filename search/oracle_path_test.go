package search_test

import (
	"fmt"
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// The oracle: a slow reading of documents that shares nothing with package index. A thing is a value of decoded JSON
// with the structure that the definitions give it.
type thing struct {
	v    any // map[string]any, string, json.Number, bool
	of   *r4.Structure
	root map[string]any
}

func (x thing) is(name string) bool {
	return x.of != nil && (x.of.Name == name || name == "DateTime" && x.of.Name == "dateTime")
}

// member is what stands under an element's name, a choice under any of its types.
func (x thing) member(name string) (out []thing) {
	m, ok := x.v.(map[string]any)
	if !ok || x.of == nil {
		return nil
	}
	for i := range x.of.Elements {
		e := &x.of.Elements[i]
		if e.Name != name && e.Name != name+"[x]" {
			exact := slices.IndexFunc(e.Fields, func(f r4.Field) bool { return f.Name == name })
			if exact < 0 {
				continue
			}
			out = append(out, spread(m[name], e.Fields[exact].Type, x.root)...)
			continue
		}
		for _, f := range e.Fields {
			out = append(out, spread(m[f.Name], f.Type, x.root)...)
		}
	}
	return out
}

func spread(v any, of *r4.Structure, root map[string]any) (out []thing) {
	switch v := v.(type) {
	case nil:
	case []any:
		for _, item := range v {
			if item != nil {
				out = append(out, thing{item, of, root})
			}
		}
	default:
		out = append(out, thing{v, of, root})
	}
	return out
}

// read evaluates a search expression on some things.
func read(expr string, from []thing) (out []thing) {
	for _, part := range splitTop(expr, " | ") {
		out = append(out, readPart(strings.TrimSpace(part), from)...)
	}
	return out
}

// splitTop divides at sep outside of parentheses.
func splitTop(s, sep string) (parts []string) {
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 && strings.HasPrefix(s[i:], sep) {
			parts = append(parts, s[from:i])
			from = i + len(sep)
		}
	}
	return append(parts, s[from:])
}

func readPart(expr string, from []thing) []thing {
	if expr == "Patient.deceased.exists() and Patient.deceased != false" {
		dead := false
		for _, d := range readPart("Patient.deceased", from) {
			if b, ok := d.v.(bool); !ok || b {
				dead = true
			}
		}
		return []thing{{dead, r4.StructureOf("boolean"), nil}}
	}
	if strings.HasPrefix(expr, "(") {
		end := strings.LastIndex(expr, ")")
		inner, name, ok := strings.Cut(expr[1:end], " as ")
		if !ok {
			panic(expr)
		}
		return steps(expr[end+1:], ofType(readPart(inner, from), name))
	}
	if rest, ok := strings.CutPrefix(expr, "%resource."); ok {
		var roots []thing
		for _, f := range from {
			name, _ := f.root["resourceType"].(string)
			roots = append(roots, thing{f.root, r4.StructureOf(name), f.root})
		}
		return steps("."+rest, roots)
	}
	first := splitTop(expr, ".")[0]
	if r4.IsType(first) || first == "Resource" || first == "DomainResource" {
		return steps(strings.TrimPrefix(expr, first), from)
	}
	return steps("."+expr, from)
}

func ofType(all []thing, name string) []thing {
	return slices.DeleteFunc(slices.Clone(all), func(x thing) bool { return !x.is(name) })
}

// steps follows .a.b.where(...)
func steps(path string, from []thing) []thing {
	for _, step := range splitTop(strings.TrimPrefix(path, "."), ".") {
		if step == "" {
			continue
		}
		name, arg, call := strings.Cut(strings.TrimSuffix(step, ")"), "(")
		switch {
		case !call:
			var next []thing
			for _, x := range from {
				next = append(next, x.member(name)...)
			}
			from = next
		case name == "as":
			from = ofType(from, arg)
		case name == "where" && strings.HasPrefix(arg, "resolve() is "):
			want := strings.TrimPrefix(arg, "resolve() is ")
			from = slices.DeleteFunc(slices.Clone(from), func(x thing) bool { return refType(x) != want })
		case name == "where":
			field, value, _ := strings.Cut(arg, "=")
			value = strings.Trim(value, "'")
			from = slices.DeleteFunc(slices.Clone(from), func(x thing) bool {
				got := x.member(field)
				return len(got) != 1 || got[0].v != value
			})
		default:
			panic(fmt.Sprintf("the oracle does not know %s", step))
		}
	}
	return from
}

// refType is the type that a Reference leads to, as far as it says so itself.
func refType(x thing) string {
	m, _ := x.v.(map[string]any)
	if ref, ok := m["reference"].(string); ok {
		if strings.HasPrefix(ref, "#") {
			contained, _ := x.root["contained"].([]any)
			for _, c := range contained {
				if c, ok := c.(map[string]any); ok && c["id"] == ref[1:] {
					name, _ := c["resourceType"].(string)
					return name
				}
			}
			return ""
		}
		if name, _, ok := strings.Cut(ref, "?"); ok && r4.IsType(name) { // a search names its type
			return name
		}
		ref, _, _ = strings.Cut(ref, "/_history/")
		parts := strings.Split(ref, "/")
		if n := len(parts); n >= 2 && r4.IsType(parts[n-2]) {
			return parts[n-2]
		}
	}
	name, _ := m["type"].(string)
	return name
}
