package search

import (
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// MaxCodes is how many codes a value set or a hierarchy may give to a search.
const MaxCodes = 2_000

// maxNested is how deep value sets may name each other.
const maxNested = 8

// terminology answers value-set modifiers from the ValueSet and CodeSystem resources of the data store as of the view,
// and from the value sets that the standard binds elements to.
type terminology struct{ r *run }

func cannot(format string, args ...any) error {
	return fault.Errorf(fault.Invalid, "search", format, args...)
}

// ValueSet implements index.Resolver.
func (t terminology) ValueSet(url string) ([]index.Coding, error) { return t.valueSet(url, 0) }

func (t terminology) valueSet(url string, depth int) ([]index.Coding, error) {
	if depth > maxNested {
		return nil, cannot("the value set %s leads to others over more than %d steps", clip(url), maxNested)
	}
	v, found, err := t.find("ValueSet", url)
	if err != nil {
		return nil, err
	}
	if found {
		return t.expand(v, url, depth)
	}
	bare, _, _ := strings.Cut(url, "|")
	codes := boundCodes()[bare]
	if codes == nil {
		return nil, cannot("the value set %s is not known: store it as a ValueSet resource", clip(url))
	}
	var all []index.Coding
	codes.Each(func(system, code string) bool {
		all = append(all, index.Coding{System: system, Code: code})
		return len(all) <= MaxCodes
	})
	return bounded(all, url)
}

func bounded(codes []index.Coding, url string) ([]index.Coding, error) {
	if len(codes) > MaxCodes {
		return nil, cannot("%s has more than %d codes", clip(url), MaxCodes)
	}
	return codes, nil
}

// find is the resource of the type with a canonical URL, perhaps with |version, or with the local reference Type/id.
func (t terminology) find(typ, url string) (store.Version, bool, error) {
	code, _ := r4.CodeOf(typ)
	if !t.r.scope.shows(code) {
		return store.Version{}, false, nil
	}
	local := strings.TrimPrefix(strings.TrimPrefix(url, t.r.env.Base), "/")
	at := store.Nowhere
	if id, ok := strings.CutPrefix(local, typ+"/"); ok && fhir.ValidID(id) {
		if _, err := t.r.state(code); err != nil {
			return store.Version{}, false, err
		}
		found, err := t.r.v.Ordinals(t.r.ctx, code, []string{id})
		if err != nil {
			return store.Version{}, false, err
		}
		at = found[0]
	} else {
		canonical, version, _ := strings.Cut(url, "|")
		var err error
		if at, err = t.r.canonical(code, canonical, version); err != nil {
			return store.Version{}, false, err
		}
	}
	if at == store.Nowhere {
		return store.Version{}, false, nil
	}
	versions, err := t.r.v.ReadOrdinals(t.r.ctx, code, []store.Ordinal{at})
	if err != nil || versions[0].Number == 0 || versions[0].Deleted {
		return store.Version{}, false, err
	}
	return versions[0], true, nil
}

// scan reads a stored document with a parser of its own, since value sets lead to others.
func scan(v store.Version) (fhir.Node, error) {
	p := fhir.NewParser(fhir.Limits{MaxBytes: 2 * store.MaxDocument, MaxDepth: 10_000})
	doc, err := p.Scan(v.Body)
	if err != nil {
		return fhir.Node{}, fault.Errorf(fault.Internal, "search", "a stored %s cannot be read: %w", v.Type, err)
	}
	return doc.Root(), nil
}

func text(n fhir.Node) string {
	if n.Kind() != fhir.String {
		return ""
	}
	return string(n.AppendText(nil))
}

// expand lists the codes of a ValueSet: its expansion, or what its definition includes and does not exclude.
func (t terminology) expand(v store.Version, url string, depth int) ([]index.Coding, error) {
	root, err := scan(v)
	if err != nil {
		return nil, err
	}
	var all []index.Coding
	if contains := root.Member("expansion").Member("contains"); contains.Exists() {
		eachContained(contains, func(c index.Coding) { all = append(all, c) })
		return bounded(all, url)
	}
	seen := map[index.Coding]bool{}
	for include := range root.Member("compose").Member("include").Children() {
		codes, err := t.component(include, url, depth)
		if err != nil {
			return nil, err
		}
		for _, c := range codes {
			if !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	for exclude := range root.Member("compose").Member("exclude").Children() {
		codes, err := t.component(exclude, url, depth)
		if err != nil {
			return nil, err
		}
		for _, c := range codes {
			delete(seen, c)
		}
	}
	kept := all[:0]
	for _, c := range all {
		if seen[c] {
			kept = append(kept, c)
		}
	}
	return bounded(kept, url)
}

func eachContained(contains fhir.Node, do func(index.Coding)) {
	for n := range contains.Children() {
		if code := text(n.Member("code")); code != "" && n.Member("abstract").Kind() != fhir.True {
			do(index.Coding{System: text(n.Member("system")), Code: code})
		}
		eachContained(n.Member("contains"), do)
	}
}

// component lists an include or an exclude of a definition: the codes named, or all of the system, as far as they stand
// in each of the value sets named.
func (t terminology) component(n fhir.Node, url string, depth int) ([]index.Coding, error) {
	system := text(n.Member("system"))
	var codes []index.Coding
	restricted := false
	switch concepts, filters := n.Member("concept"), n.Member("filter"); {
	case concepts.Count() > 0:
		for c := range concepts.Children() {
			codes = append(codes, index.Coding{System: system, Code: text(c.Member("code"))})
		}
		restricted = true
	case filters.Count() > 0:
		var err error
		if codes, err = t.filtered(system, filters, url); err != nil {
			return nil, err
		}
		restricted = true
	case system != "":
		tree, err := t.system(system)
		if err != nil {
			return nil, err
		}
		codes, restricted = tree.all(), true
	}
	for other := range n.Member("valueSet").Children() {
		more, err := t.valueSet(text(other), depth+1)
		if err != nil {
			return nil, err
		}
		if !restricted {
			codes, restricted = more, true
			continue
		}
		codes = common(codes, more)
	}
	return codes, nil
}

func common(a, b []index.Coding) []index.Coding {
	in := make(map[index.Coding]bool, len(b))
	for _, c := range b {
		in[c] = true
	}
	kept := a[:0:0]
	for _, c := range a {
		if in[c] {
			kept = append(kept, c)
		}
	}
	return kept
}

// filtered lists what the filters of an include let through; those over the hierarchy are known.
func (t terminology) filtered(system string, filters fhir.Node, url string) ([]index.Coding, error) {
	tree, err := t.system(system)
	if err != nil {
		return nil, err
	}
	codes := tree.all()
	for f := range filters.Children() {
		op, value := text(f.Member("op")), text(f.Member("value"))
		var some []index.Coding
		switch property := text(f.Member("property")); {
		case property == "concept" && op == "is-a":
			some = tree.below(value)
		case property == "concept" && op == "descendent-of":
			some = common(tree.below(value), codes)
			if len(some) > 0 {
				some = some[1:]
			}
		case property == "concept" && op == "is-not-a":
			some = without(codes, tree.below(value))
		case (property == "code" || property == "concept") && op == "=":
			some = []index.Coding{{System: system, Code: value}}
		default:
			return nil, cannot("the value set %s has a filter %s %s, which is not understood", clip(url), clip(property), clip(op))
		}
		codes = common(codes, some)
	}
	return codes, nil
}

func without(a, b []index.Coding) []index.Coding {
	out := make(map[index.Coding]bool, len(b))
	for _, c := range b {
		out[c] = true
	}
	kept := a[:0:0]
	for _, c := range a {
		if !out[c] {
			kept = append(kept, c)
		}
	}
	return kept
}
