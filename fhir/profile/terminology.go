package profile

import (
	"sync"

	"tarn/fhir/r4"
)

// terminology compiles the value sets of the packages, each once and only those that are asked for.
type terminology struct {
	definitions map[string]*setDefinition
	systems     map[string]*codeSystem
	compiled    map[string]*valueSet
}

func newTerminology(packages []*Package) *terminology {
	t := &terminology{definitions: map[string]*setDefinition{}, systems: map[string]*codeSystem{}, compiled: map[string]*valueSet{}}
	for _, p := range packages { // the later package goes before
		for _, v := range p.sets {
			t.definitions[v.url] = v
		}
		for _, s := range p.systems {
			t.systems[s.url] = s
		}
	}
	return t
}

// set is the value set of a canonical; nil where it is not known.
func (t *terminology) set(canonical string) *valueSet {
	url, _ := splitCanonical(canonical)
	if v, ok := t.compiled[url]; ok {
		return v
	}
	d := t.definitions[url]
	if d == nil || len(d.includes) == 0 {
		var v *valueSet
		if codes := ownCodes()[url]; codes != nil {
			v = &valueSet{url: url, codes: codes}
		}
		t.compiled[url] = v
		return v
	}
	v := &valueSet{url: url}
	t.compiled[url] = v // before its parts: one that includes itself ends with mostSets
	v.includes = t.parts(d.includes)
	v.excludes = t.parts(d.excludes)
	return v
}

func (t *terminology) parts(all []includeDefinition) []include {
	parts := make([]include, len(all))
	for i := range all {
		d, p := &all[i], &parts[i]
		p.system, p.filters, p.decides = d.system, d.filters, true
		p.whole = t.systems[d.system]
		for _, f := range d.filters {
			p.decides = p.decides && f.decidable()
		}
		if d.codes != nil {
			p.codes = make(map[string]struct{}, len(d.codes))
			for _, code := range d.codes {
				p.codes[p.whole.key(code)] = struct{}{}
			}
		}
		for _, url := range d.sets {
			p.sets = append(p.sets, t.set(url))
		}
	}
	return parts
}

// ownCodes are the value sets that FHIR's own required bindings list, by URL.
var ownCodes = sync.OnceValue(func() map[string]*r4.Codes {
	all := map[string]*r4.Codes{}
	seen := map[*r4.Structure]bool{}
	var visit func(s *r4.Structure)
	visit = func(s *r4.Structure) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for i := range s.Elements {
			e := &s.Elements[i]
			if e.Binding != nil && e.Binding.Codes != nil {
				all[e.Binding.ValueSet] = e.Binding.Codes
			}
			for j := range e.Fields {
				visit(e.Fields[j].Type)
			}
		}
	}
	for code := r4.Code(1); code.Valid(); code++ {
		visit(code.Resource())
	}
	return all
})
