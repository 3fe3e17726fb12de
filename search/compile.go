package search

import (
	"slices"
	"strings"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
)

// refused are parameters that FHIR defines and that are not offered.
var refused = map[string]string{
	"_text":    "the text of narratives is not indexed",
	"_content": "the text of resources is not indexed",
	"_list":    "searching in lists is not offered; search by _id instead",
	"_filter":  "filter expressions are not offered; use parameters, chains and _has instead",
	"_query":   "there are no named queries",
}

// newClause is the clause of a type with what the scope demands of it; nil where the scope does not show the type.
func (r *run) newClause(typ r4.Code) (*clause, error) {
	if !r.scope.shows(typ) {
		return nil, nil
	}
	c := &clause{typ: typ}
	if at := r.scope.Compartment; at != nil && (typ == at.Type || typ.Compartment(at.Type) != nil) {
		cond, err := r.within(typ, *at)
		if err != nil {
			return nil, err
		}
		c.conds = append(c.conds, cond)
	}
	return c, nil
}

// condition compiles one parameter of a type: key is its name with modifiers and chains. The error names the parameter;
// it is an unknown where the type has no such parameter.
func (r *run) condition(typ r4.Code, key, value string) (condition, error) {
	values := splitValues(value)
	if len(values) > MaxValues {
		return nil, refuseAs(codeTooCostly, key, "it has %d values; the limit is %d", len(values), MaxValues)
	}
	return r.part(typ, key, key, values, 0)
}

// part compiles what is left of a key after depth steps of a chain.
func (r *run) part(typ r4.Code, key, rest string, values []string, depth int) (condition, error) {
	if depth > MaxChain {
		return nil, refuseAs(codeTooCostly, key, "the chain has more than %d steps", MaxChain)
	}
	if tail, ok := strings.CutPrefix(rest, "_has:"); ok {
		return r.reverse(typ, key, tail, values, depth)
	}
	if head, tail, ok := strings.Cut(rest, "."); ok {
		return r.forward(typ, key, head, tail, values, depth)
	}
	name, modifier, colon := strings.Cut(rest, ":")
	if colon && modifier == "" {
		return nil, refuse(key, "no modifier follows the colon")
	}
	if why, ok := refused[name]; ok {
		return nil, refuseAs(codeNotSupported, key, "%s", why)
	}
	switch name {
	case "_id":
		return newIDs(typ, key, modifier, values)
	case "_lastUpdated":
		return newUpdated(typ, key, modifier, values, fhir.InstantOf(r.env.Now))
	case "_has":
		return nil, refuse(key, "write _has:TYPE:REFERENCE:PARAMETER, such as _has:Observation:patient:code")
	}
	p := typ.Param(name)
	if p == nil {
		return nil, unknownParam(key, "%s has no search parameter %s", typ, clip(name))
	}
	f, err := index.Compile(typ, p, modifier, values, r.env)
	if err != nil {
		if key == rest {
			return nil, err
		}
		return nil, named(key, err)
	}
	return newFilter(typ, key, f), nil
}

// forward compiles a chain: head is a reference, perhaps with a type, and tail what its target must meet.
func (r *run) forward(typ r4.Code, key, head, tail string, values []string, depth int) (condition, error) {
	name, target, typed := strings.Cut(head, ":")
	p := typ.Param(name)
	if p == nil {
		if depth == 0 {
			return nil, unknownParam(key, "%s has no search parameter %s", typ, clip(name))
		}
		return nil, refuse(key, "%s has no search parameter %s", typ, clip(name))
	}
	if p.Type != r4.ParamReference {
		return nil, refuse(key, "%s of %s is no reference, so nothing can be chained to it", clip(name), typ)
	}
	targets := p.Targets
	if typed {
		if !r4.IsType(target) {
			return nil, refuse(key, "%q is no resource type", clip(target))
		}
		if len(targets) > 0 && !slices.Contains(targets, target) {
			return nil, refuse(key, "%s of %s does not refer to the type %s", name, typ, target)
		}
		targets = []string{target}
	} else if len(targets) == 0 {
		targets = r4.Types()
	}
	c := &chain{typ: typ, key: key, ref: p}
	var last error
	known := false
	for _, t := range targets {
		code, ok := r4.CodeOf(t)
		if !ok {
			continue
		}
		inner, err := r.part(code, key, tail, values, depth+1)
		if err != nil {
			if last == nil || isUnknown(last) {
				last = err
			}
			continue
		}
		known = true
		alt, err := r.newClause(code)
		if err != nil {
			return nil, err
		}
		if alt == nil {
			continue
		}
		alt.conds = append(alt.conds, inner)
		c.alternatives = append(c.alternatives, alternative{clause: alt})
	}
	if !known {
		if isUnknown(last) || last == nil {
			return nil, refuse(key, "no type that %s of %s refers to has the search parameter %s", name, typ, clip(tail))
		}
		return nil, last
	}
	return c, nil
}

// reverse compiles _has: tail is TYPE:REFERENCE:PARAMETER, of which the last may be a chain, or _has again.
func (r *run) reverse(typ r4.Code, key, tail string, values []string, depth int) (condition, error) {
	parts := strings.SplitN(tail, ":", 3)
	if len(parts) != 3 || parts[2] == "" {
		return nil, refuse(key, "write _has:TYPE:REFERENCE:PARAMETER, such as _has:Observation:patient:code")
	}
	from, ok := r4.CodeOf(parts[0])
	if !ok {
		return nil, refuse(key, "%q is no resource type", clip(parts[0]))
	}
	p := from.Param(parts[1])
	switch {
	case p == nil:
		return nil, refuse(key, "%s has no search parameter %s", from, clip(parts[1]))
	case p.Type != r4.ParamReference:
		return nil, refuse(key, "%s of %s is no reference", clip(parts[1]), from)
	case len(p.Targets) > 0 && !slices.Contains(p.Targets, typ.String()):
		return nil, refuse(key, "%s of %s does not refer to the type %s", clip(parts[1]), from, typ)
	}
	inner, err := r.part(from, key, parts[2], values, depth+1)
	if err != nil {
		if isUnknown(err) {
			return nil, refuse(key, "%s has no search parameter %s", from, clip(parts[2]))
		}
		return nil, err
	}
	c, err := r.newClause(from)
	if err != nil {
		return nil, err
	}
	if c != nil {
		c.conds = append(c.conds, inner)
	}
	return &reverse{typ: typ, key: key, ref: p, inner: c}, nil
}
