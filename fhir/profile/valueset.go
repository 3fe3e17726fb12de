package profile

import (
	"bytes"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// verdict is an answer that may be impossible to give.
type verdict uint8

const (
	no verdict = iota
	unknown
	yes
)

// and is the answer to both questions, or to either.
func (v verdict) and(o verdict) verdict { return min(v, o) }
func (v verdict) or(o verdict) verdict  { return max(v, o) }

// setDefinition is a ValueSet as it was read.
type setDefinition struct {
	url, version       string
	includes, excludes []includeDefinition
}

type includeDefinition struct {
	system  string
	codes   []string
	filters []filterDefinition
	sets    []string
}

type filterDefinition struct{ property, op, value string }

// readValueSet is nil for what has no url. budget counts codes.
func readValueSet(root fhir.Node, budget *int) *setDefinition {
	v := &setDefinition{url: text(root.Member("url")), version: text(root.Member("version"))}
	if v.url == "" {
		return nil
	}
	compose := root.Member("compose")
	v.includes = readIncludes(compose.Member("include"), budget)
	v.excludes = readIncludes(compose.Member("exclude"), budget)
	if len(v.includes) == 0 {
		bySystem := map[string]int{}
		v.readExpansion(root.Member("expansion").Member("contains"), bySystem, budget)
	}
	return v
}

func readIncludes(list fhir.Node, budget *int) []includeDefinition {
	if list.Kind() != fhir.Array {
		return nil
	}
	var all []includeDefinition
	for n := range list.Children() {
		i := includeDefinition{system: text(n.Member("system")), sets: texts(n.Member("valueSet"))}
		if concepts := n.Member("concept"); concepts.Kind() == fhir.Array {
			i.codes = []string{}
			for c := range concepts.Children() {
				if *budget++; *budget > maxCodes {
					return nil
				}
				i.codes = append(i.codes, text(c.Member("code")))
			}
		}
		if filters := n.Member("filter"); filters.Kind() == fhir.Array {
			for f := range filters.Children() {
				i.filters = append(i.filters, filterDefinition{text(f.Member("property")), text(f.Member("op")), text(f.Member("value"))})
			}
		}
		all = append(all, i)
	}
	return all
}

func (v *setDefinition) readExpansion(list fhir.Node, bySystem map[string]int, budget *int) {
	if list.Kind() != fhir.Array {
		return
	}
	for n := range list.Children() {
		if *budget++; *budget > maxCodes {
			return
		}
		system, code := text(n.Member("system")), text(n.Member("code"))
		if code != "" && n.Member("abstract").Kind() != fhir.True {
			at, ok := bySystem[system]
			if !ok {
				at = len(v.includes)
				bySystem[system] = at
				v.includes = append(v.includes, includeDefinition{system: system, codes: []string{}})
			}
			v.includes[at].codes = append(v.includes[at].codes, code)
		}
		v.readExpansion(n.Member("contains"), bySystem, budget)
	}
}

// valueSet tells whether a code is in a value set, as far as that can be told here.
type valueSet struct {
	url                string
	codes              *r4.Codes // of FHIR's own; else:
	includes, excludes []include
}

// include is one part of a value set.
type include struct {
	system  string
	codes   map[string]struct{} // nil: all of the system
	whole   *codeSystem         // of a part that lists no codes: the system as far as it is known
	filters []filterDefinition
	decides bool        // the filters can be decided on whole
	sets    []*valueSet // the code must be in all; nil within: not known
}

// has reports whether the code of the system is in the set. A code without a system, as the type code has, is looked for
// in every system.
func (v *valueSet) has(system, code []byte) verdict {
	steps := 0
	return v.look(system, code, &steps)
}

// mostSets bounds how long value sets may lead to others before nothing is decided.
const mostSets = 5000

func (v *valueSet) look(system, code []byte, steps *int) verdict {
	*steps++
	switch {
	case v == nil || *steps > mostSets:
		return unknown
	case v.codes != nil:
		if v.codes.Has(system, code) {
			return yes
		}
		return no
	}
	found := no
	for i := range v.includes {
		if found = found.or(v.includes[i].has(system, code, steps)); found == yes {
			break
		}
	}
	for i := range v.excludes {
		if found == no {
			break
		}
		switch v.excludes[i].has(system, code, steps) {
		case yes:
			return no
		case unknown:
			found = unknown
		}
	}
	return found
}

func (i *include) has(system, code []byte, steps *int) verdict {
	found := yes
	if i.system != "" {
		if len(system) > 0 && string(system) != i.system {
			return no
		}
		found = i.listed(code, len(system) > 0)
	}
	for _, set := range i.sets {
		if found == no {
			break
		}
		found = found.and(set.look(system, code, steps))
	}
	return found
}

// listed reports whether the code is one of the system that the part takes.
func (i *include) listed(code []byte, named bool) verdict {
	if i.whole != nil && i.whole.fold {
		code = bytes.ToLower(code)
	}
	switch {
	case i.codes != nil:
		if _, ok := i.codes[string(code)]; !ok {
			return no
		}
		return yes
	case len(i.filters) > 0 && (i.whole == nil || !i.decides):
		return unknown
	case i.whole == nil && !named:
		return unknown
	case i.whole == nil:
		return yes // whatever the codes of that system are
	}
	if _, ok := i.whole.codes[string(code)]; !ok {
		return no
	}
	for _, f := range i.filters {
		if !i.whole.passes(string(code), f) {
			return no
		}
	}
	return yes
}

// decidable reports whether a filter can be decided on a system that lists its codes.
func (f filterDefinition) decidable() bool {
	return (f.property == "concept" || f.property == "code") && (f.op == "is-a" || f.op == "descendent-of" || f.op == "is-not-a" || f.op == "=")
}

func (s *codeSystem) passes(code string, f filterDefinition) bool {
	switch f.op {
	case "is-a":
		return s.isA(code, f.value)
	case "descendent-of":
		return code != s.key(f.value) && s.isA(code, f.value)
	case "is-not-a":
		return !s.isA(code, f.value)
	}
	return code == s.key(f.value)
}
