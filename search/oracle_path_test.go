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
	v     any // map[string]any, string, json.Number, bool
	of    *r4.Structure
	root  map[string]any
	bound *r4.Codes // of a code: the value set that it is from
}

// kindOf are the primitive types that are special forms of others (FHIR R4 section 2.24).
var kindOf = map[string]string{"canonical": "uri", "url": "uri", "oid": "uri", "uuid": "uri", "code": "string", "id": "string", "markdown": "string",
	"positiveInt": "integer", "unsignedInt": "integer", "Age": "Quantity", "Count": "Quantity", "Distance": "Quantity", "Duration": "Quantity"}

// is reports whether a thing is of a type, as FHIRPath's as() asks.
func (x thing) is(name string) bool {
	if name == "DateTime" { // a slip in the definition of code-value-date
		name = "dateTime"
	}
	return x.of != nil && (x.of.Name == name || kindOf[x.of.Name] == name)
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
			out = append(out, spread(m[name], e.Fields[exact].Type, e, x.root)...)
			continue
		}
		for _, f := range e.Fields {
			out = append(out, spread(m[f.Name], f.Type, e, x.root)...)
		}
	}
	return out
}

func spread(v any, of *r4.Structure, e *r4.Element, root map[string]any) (out []thing) {
	x := thing{of: of, root: root}
	if of.Primitive == r4.CodeValue && e.Binding != nil {
		x.bound = e.Binding.Codes
	}
	all, ok := v.([]any)
	if !ok {
		all = []any{v}
	}
	for _, item := range all {
		if item == nil {
			continue
		}
		x.v = item
		if inner, ok := item.(map[string]any); ok && of.Name == "Resource" { // any resource: its own type tells what is in it
			if code, ok := r4.CodeOf(str(inner["resourceType"])); ok {
				x.of, x.root = code.Resource(), inner
			}
		}
		out = append(out, x)
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
		return []thing{{v: dead, of: r4.StructureOf("boolean")}}
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
			roots = append(roots, thing{v: f.root, of: r4.StructureOf(name), root: f.root})
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
		name, first := strings.CutSuffix(name, "[0]")
		switch {
		case !call:
			var next []thing
			for _, x := range from {
				all := x.member(name)
				if first {
					all = all[:min(1, len(all))]
				}
				next = append(next, all...)
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
