package validate

import (
	"slices"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// inside is a resource that another one contains.
type inside struct {
	id       []byte
	code     r4.Code
	mentions bool // something points at it, or it points at its container
	node     fhir.Node
}

// container is the resource that the walk is in and that is not contained itself: the root, or that of a Bundle's entry.
type container struct {
	from    int // where its contained resources begin in Validator.insides
	within  int // the one that the walk is in, counted from 1; 0: none
	byID    map[string]int
	holding bool // it contains resources
}

// resource holds a resource: the root of the document, a contained one, or that of an entry or a parameter.
func (v *Validator) resource(n fhir.Node, contained bool) {
	p := v.planOf(n)
	if p == nil {
		return
	}
	scope, box := v.scope, v.box
	defer func() { v.scope, v.box = scope, box }()
	v.scope.Resource = n
	if contained {
		if box.within != 0 {
			v.refuse(n, codeInvariant, "a contained resource must not contain others (dom-2)")
		}
		v.containedMeta(n)
		listed := v.insides[box.from:]
		i, found := slices.BinarySearchFunc(listed, n.Index(), func(in inside, index int) int { return in.node.Index() - index })
		if found {
			v.box.within = box.from + i + 1
		} else {
			v.box.within = len(v.insides) + 1 // a nested one
		}
	} else {
		v.scope.RootResource = n
		v.box = container{from: len(v.insides)}
		v.enter(n)
	}
	v.object(n, p)
	if p.structure.Name == "CodeSystem" {
		v.conceptProperties(n)
	}
	v.profiles(n, p)
	if !contained {
		v.leave()
	}
}

// planOf is the plan of a resource's type, once its resourceType is known.
func (v *Validator) planOf(n fhir.Node) *plan {
	t := n.Member("resourceType")
	if t.Kind() != fhir.String {
		v.refuse(n, fhir.CodeStructure, "a resource must say its resourceType")
		return nil
	}
	code, ok := r4.CodeOfBytes(v.text(t))
	if !ok {
		v.refuse(t, fhir.CodeInvalid, fhir.UnknownType(t.Text()))
		return nil
	}
	return v.plans[code]
}

// enter lists what the resource contains.
func (v *Validator) enter(n fhir.Node) {
	list := n.Member("contained")
	if list.Kind() != fhir.Array {
		return
	}
	for c := list.First(); c.Exists(); c = c.Next() {
		in := inside{node: c}
		if id := c.Member("id"); id.Kind() == fhir.String {
			in.id = id.Unescaped(nil)
		}
		if t := c.Member("resourceType"); t.Kind() == fhir.String {
			in.code, _ = r4.CodeOfBytes(v.text(t))
		}
		v.insides = append(v.insides, in)
	}
	v.box.holding = len(v.insides) > v.box.from
	const few = 16
	if len(v.insides)-v.box.from > few {
		v.box.byID = make(map[string]int, len(v.insides)-v.box.from)
		for i := v.box.from; i < len(v.insides); i++ {
			v.box.byID[string(v.insides[i].id)] = i
		}
	}
}

// find is the contained resource of this id, counted from 1; 0 where there is none.
func (v *Validator) find(id []byte) int {
	if v.box.byID != nil {
		if i, ok := v.box.byID[string(id)]; ok {
			return i + 1
		}
		return 0
	}
	for i := v.box.from; i < len(v.insides); i++ {
		if string(v.insides[i].id) == string(id) {
			return i + 1
		}
	}
	return 0
}

// leave holds that each contained resource has an id and is pointed at.
func (v *Validator) leave() {
	for i := v.box.from; i < len(v.insides); i++ {
		in := &v.insides[i]
		switch {
		case len(in.id) == 0:
			v.refuse(in.node, codeInvariant, "a contained resource must have an id, by which it is referred to (dom-3)")
		case v.find(in.id) != i+1:
			v.refuse(in.node, codeDuplicate, "another contained resource has this id")
		case !in.mentions:
			v.refuse(in.node, codeInvariant,
				"a contained resource must be referred to from the resource around it, or refer to it (dom-3)")
		}
	}
	clear(v.insides[v.box.from:])
	v.insides = v.insides[:v.box.from]
}

// containedMeta holds dom-4 and dom-5.
func (v *Validator) containedMeta(n fhir.Node) {
	meta := n.Member("meta")
	for m := meta.First(); meta.Kind() == fhir.Object && m.Exists(); m = m.Next() {
		switch string(v.keyOf(m)) {
		case "versionId", "lastUpdated":
			v.refuse(m, codeInvariant, "a contained resource must have no meta.versionId and no meta.lastUpdated (dom-4)")
		case "security":
			v.refuse(m, codeInvariant, "a contained resource must have no security labels (dom-5)")
		}
	}
}

// maxProfiles is how many profiles a resource may declare to be checked against.
const maxProfiles = 50

// profiles holds the resource against those that it declares.
func (v *Validator) profiles(n fhir.Node, p *plan) {
	if v.options.Level != Strict || v.options.Profiles == nil && v.quiet {
		return
	}
	list := n.Member("meta").Member("profile")
	if list.Kind() != fhir.Array {
		return
	}
	count := 0
	for c := list.First(); c.Exists() && !v.full(); c = c.Next() {
		if c.Kind() != fhir.String {
			continue
		}
		if count++; count > maxProfiles {
			v.refuse(c, fhir.CodeTooLong, "is one profile too many: a resource may declare 50")
			return
		}
		url := string(v.text(c))
		if url == coreProfile+p.structure.Name {
			continue
		}
		if v.options.Profiles == nil || !v.options.Profiles.Check(v.doc, n, url, v.take) {
			v.report(c, fhir.SeverityWarning, codeNotFound, "the profile is not installed, so the resource was not checked against it")
		}
	}
}

// coreProfile begins the URLs of FHIR's own definitions.
const coreProfile = "http://hl7.org/fhir/StructureDefinition/"

// CodeProfileUnknown is the code of an error about one of Options.Against that is not installed.
const CodeProfileUnknown = "not-supported"

// against holds the resource against the profiles that the caller names.
func (v *Validator) against(n fhir.Node) {
	for _, url := range v.options.Against {
		name, core := strings.CutPrefix(url, coreProfile)
		name, _, _ = strings.Cut(name, "|")
		switch {
		case core && n.Member("resourceType").Is(name):
		case core && r4.IsType(name):
			v.refuse(n, fhir.CodeInvalid, "the resource is of another type than "+name+", whose definition was asked for")
		case v.options.Profiles == nil || !v.options.Profiles.Check(v.doc, n, url, v.take):
			v.refuse(n, CodeProfileUnknown, "the profile that was asked for is not installed")
		}
	}
}
