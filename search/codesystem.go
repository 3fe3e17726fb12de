package search

import (
	"sync"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
)

// codeTree is the concepts of a code system, in the order of the resource: a concept before those below it.
type codeTree struct {
	system string
	codes  []string
	parent []int // of codes[i]; -1: none
	end    []int // behind the last one below codes[i]
	at     map[string]int
}

// system reads the code system of that URL, which the data store must hold completely.
func (t terminology) system(url string) (*codeTree, error) {
	v, found, err := t.find("CodeSystem", url)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, cannot("the code system %s is not known: store it as a CodeSystem resource", clip(url))
	}
	root, err := scan(v)
	if err != nil {
		return nil, err
	}
	if content := text(root.Member("content")); content != "complete" {
		return nil, cannot("the code system %s is stored in part only (content: %s)", clip(url), clip(content))
	}
	tree := &codeTree{system: text(root.Member("url")), at: map[string]int{}}
	tree.add(root.Member("concept"), -1)
	return tree, nil
}

func (t *codeTree) add(concepts fhir.Node, parent int) {
	for c := range concepts.Children() {
		i := len(t.codes)
		code := text(c.Member("code"))
		t.codes, t.parent, t.end = append(t.codes, code), append(t.parent, parent), append(t.end, 0)
		t.at[code] = i
		t.add(c.Member("concept"), i)
		t.end[i] = len(t.codes)
	}
}

func (t *codeTree) all() []index.Coding { return t.span(0, len(t.codes)) }

func (t *codeTree) span(from, to int) []index.Coding {
	all := make([]index.Coding, 0, to-from)
	for _, code := range t.codes[from:to] {
		all = append(all, index.Coding{System: t.system, Code: code})
	}
	return all
}

// below is the code and all that it subsumes, itself first.
func (t *codeTree) below(code string) []index.Coding {
	i, ok := t.at[code]
	if !ok {
		return nil
	}
	return t.span(i, t.end[i])
}

// above is the code and all that subsume it.
func (t *codeTree) above(code string) []index.Coding {
	var all []index.Coding
	i, ok := t.at[code]
	for ok && i >= 0 {
		all = append(all, index.Coding{System: t.system, Code: t.codes[i]})
		i = t.parent[i]
	}
	return all
}

// Below implements index.Resolver.
func (t terminology) Below(of index.Coding) ([]index.Coding, error) {
	return t.hierarchy(of, (*codeTree).below)
}

// Above implements index.Resolver.
func (t terminology) Above(of index.Coding) ([]index.Coding, error) {
	return t.hierarchy(of, (*codeTree).above)
}

func (t terminology) hierarchy(of index.Coding, way func(*codeTree, string) []index.Coding) ([]index.Coding, error) {
	if of.System == "" {
		return nil, cannot("a hierarchy is that of a code system: write SYSTEM|CODE")
	}
	tree, err := t.system(of.System)
	if err != nil {
		return nil, err
	}
	codes := way(tree, of.Code)
	if codes == nil {
		return nil, cannot("the code system %s has no code %s", clip(of.System), clip(of.Code))
	}
	return bounded(codes, of.System)
}

// boundCodes are the value sets that the standard binds elements to, by URL.
var boundCodes = sync.OnceValue(func() map[string]*r4.Codes {
	found, seen := map[string]*r4.Codes{}, map[*r4.Structure]bool{}
	var visit func(s *r4.Structure)
	visit = func(s *r4.Structure) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		for i := range s.Elements {
			e := &s.Elements[i]
			if e.Binding != nil && e.Binding.Codes != nil {
				found[e.Binding.ValueSet] = e.Binding.Codes
			}
			for _, f := range e.Fields {
				visit(f.Type)
			}
		}
	}
	for code := r4.Code(1); code <= r4.Count; code++ {
		visit(code.Resource())
	}
	return found
})
