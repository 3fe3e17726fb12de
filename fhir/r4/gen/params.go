package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// param is a search parameter as it applies to some resource types.
type param struct {
	name, url  string
	typ        r4.ParamType
	expression string
	targets    []string
	components []component
}

type component struct {
	url, expression string
	param           int // in params.all
}

type params struct {
	names  []string // a name's number is its place, counted from 1
	all    []*param
	byType [r4.Count + 1][]int // sorted by name
}

var paramTypes = map[string]r4.ParamType{"number": r4.ParamNumber, "date": r4.ParamDate, "string": r4.ParamString,
	"token": r4.ParamToken, "reference": r4.ParamReference, "composite": r4.ParamComposite,
	"quantity": r4.ParamQuantity, "uri": r4.ParamURI, "special": r4.ParamSpecial}

// unlistedParams are parameters that the text of the standard defines for all resources
// (http://hl7.org/fhir/R4/search.html#all) and for which it has no SearchParameter resource in the definitions.
var unlistedParams = []searchParameter{
	{Code: "_filter", Base: []string{"Resource"}, Type: "special", URL: "http://hl7.org/fhir/SearchParameter/filter"},
	{Code: "_has", Base: []string{"Resource"}, Type: "special"},
	{Code: "_list", Base: []string{"Resource"}, Type: "special"},
	{Code: "_type", Base: []string{"Resource"}, Type: "special"},
}

const standardParams = 1375

func buildParams(src *source, committed []byte) (*params, error) {
	if len(src.params) != standardParams {
		return nil, fmt.Errorf("%d search parameters, want %d", len(src.params), standardParams)
	}
	list := slices.SortedFunc(maps.Values(src.params), func(a, b *searchParameter) int { return strings.Compare(a.URL, b.URL) })
	for i := range unlistedParams {
		list = append(list, &unlistedParams[i])
	}
	p := &params{names: strings.Fields(string(committed))}
	known := map[string]int{} // by all that makes a param
	byURL := map[string]int{} // "Patient http://..."
	for _, sp := range list {
		if paramTypes[sp.Type] == 0 {
			return nil, fmt.Errorf("%s: type %q", sp.URL, sp.Type)
		}
		for code := r4.Code(1); code <= r4.Count; code++ {
			one, err := reduce(sp, code)
			if err != nil {
				return nil, err
			}
			if one == nil {
				continue
			}
			key := fmt.Sprintf("%q %q %q", one.name, one.url, one.expression)
			if len(one.components) > 0 {
				key += code.String() // its components are those of the type
			}
			at, ok := known[key]
			if !ok {
				at = len(p.all)
				known[key] = at
				p.all = append(p.all, one)
			}
			p.byType[code] = append(p.byType[code], at)
			byURL[code.String()+" "+one.url] = at
		}
	}
	return p, p.finish(byURL)
}

// finish resolves components, sorts, and numbers new names.
func (p *params) finish(byURL map[string]int) error {
	for code := r4.Code(1); code <= r4.Count; code++ {
		list := p.byType[code]
		slices.SortFunc(list, func(a, b int) int { return strings.Compare(p.all[a].name, p.all[b].name) })
		for i, at := range list {
			if i > 0 && p.all[list[i-1]].name == p.all[at].name {
				return fmt.Errorf("%s has the parameter %s twice", code, p.all[at].name)
			}
			for j := range p.all[at].components {
				c := &p.all[at].components[j]
				var ok bool
				if c.param, ok = byURL[code.String()+" "+c.url]; !ok {
					return fmt.Errorf("%s: component %s is not of %s", p.all[at].url, c.url, code)
				}
			}
		}
	}
	fresh := map[string]bool{}
	for _, one := range p.all {
		if !slices.Contains(p.names, one.name) {
			fresh[one.name] = true
		}
	}
	p.names = append(p.names, slices.Sorted(maps.Keys(fresh))...)
	return nil
}

// file is the list of names as committed: a line each, append only.
func (p *params) file() []byte {
	var b bytes.Buffer
	for _, name := range p.names {
		b.WriteString(name + "\n")
	}
	return b.Bytes()
}

// reduce is the parameter as it applies to a type; nil where it does not.
func reduce(sp *searchParameter, code r4.Code) (*param, error) {
	typ := code.String()
	bases := []string{typ, "Resource"}
	if typ != "Bundle" && typ != "Binary" && typ != "Parameters" {
		bases = append(bases, "DomainResource")
	}
	if !slices.ContainsFunc(bases, func(b string) bool { return slices.Contains(sp.Base, b) }) {
		return nil, nil
	}
	one := &param{name: sp.Code, url: sp.URL, typ: paramTypes[sp.Type], targets: sp.Target}
	var kept []string
	for _, part := range split(sp.Expression) {
		lead := leading(part)
		switch {
		case slices.Contains(bases, lead):
			kept = append(kept, part)
		case r4.IsType(lead): // of another type
		case len(sp.Base) == 1 && !strings.ContainsAny(part, " ("):
			kept = append(kept, typ+"."+part) // InsurancePlan: name | alias
		default:
			return nil, fmt.Errorf("%s: %q begins with no type", sp.URL, part)
		}
	}
	one.expression = strings.Join(kept, " | ")
	if sp.Expression != "" && one.expression == "" {
		return nil, fmt.Errorf("%s has no expression for %s", sp.URL, typ)
	}
	for _, c := range sp.Component {
		one.components = append(one.components, component{url: c.Definition, expression: c.Expression})
	}
	return one, nil
}

// split cuts an expression at the | outside brackets and quotes.
func split(expression string) []string {
	var parts []string
	depth, from, quoted := 0, 0, false
	for i := 0; i < len(expression); i++ {
		switch c := expression[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			parts = append(parts, strings.TrimSpace(expression[from:i]))
			from = i + 1
		}
	}
	if last := strings.TrimSpace(expression[from:]); last != "" {
		parts = append(parts, last)
	}
	return parts
}

// leading is the first name of a path, in whatever brackets.
func leading(part string) string {
	part = strings.TrimLeft(part, "( ")
	end := strings.IndexFunc(part, func(c rune) bool { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') })
	if end < 0 {
		return part
	}
	return part[:end]
}
