package profile

import (
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// Extensions holds every extension of the document whose definition is installed against it, and reports like Check.
func (s *Set) Extensions(doc *fhir.Doc, report func(fhir.Issue)) {
	if s == nil || !s.extensions {
		return
	}
	c := s.checker(doc, report)
	defer c.done()
	root := doc.Root()
	if st := typeOf(root); st != nil {
		w := &c.walk
		w.c, w.trail, w.owners = c, w.trail[:0], w.owners[:0]
		c.within = root
		w.object(root, st)
	}
}

// walk goes through a document and looks for extensions.
type walk struct {
	c      *checker
	trail  []hop
	owners []fhir.Node // urls of the extensions that the walk is within
}

// hop is one element on the way from a resource to an extension.
type hop struct {
	structure *r4.Structure // of what holds the element; the resource's for the first
	element   *r4.Element   // nil for a resource
}

// object looks at the elements of an object of the structure.
func (w *walk) object(object fhir.Node, st *r4.Structure) {
	for m := object.First(); m.Exists(); m = m.Next() {
		kind := m.Kind()
		if kind != fhir.Object && kind != fhir.Array {
			continue
		}
		key := m.Key()
		if len(key) > 1 && key[0] == '_' {
			key = key[1:]
		}
		place, ok := st.Find(key)
		if !ok {
			continue
		}
		e := &st.Elements[place.Element]
		typ := e.Fields[place.Field].Type
		if typ == nil {
			continue
		}
		if e.Name == "extension" || e.Name == "modifierExtension" {
			w.list(m, st, e, typ)
			continue
		}
		w.trail = append(w.trail, hop{st, e})
		if kind == fhir.Object {
			w.one(m, typ)
		} else {
			for one := m.First(); one.Exists(); one = one.Next() {
				if one.Kind() == fhir.Object {
					w.one(one, typ)
				}
			}
		}
		w.trail = w.trail[:len(w.trail)-1]
	}
}

// one looks into one item; a resource begins a trail of its own.
func (w *walk) one(n fhir.Node, typ *r4.Structure) {
	if typ.Name != "Resource" {
		w.object(n, typ)
		return
	}
	st := typeOf(n)
	if st == nil {
		return
	}
	outer, within := w.trail, w.c.within
	w.trail, w.c.within = nil, n // contexts do not look out of a resource: a trail of its own
	w.object(n, st)
	w.trail, w.c.within = outer, within
}

// list holds the extensions of one element.
func (w *walk) list(list fhir.Node, st *r4.Structure, e *r4.Element, typ *r4.Structure) {
	c := w.c
	for x := list.First(); x.Exists(); x = x.Next() {
		url := x.Member("url")
		if x.Kind() != fhir.Object || url.Kind() != fhir.String {
			continue
		}
		c.text = url.AppendText(c.text[:0])
		if p := c.set.findBytes(c.text); p != nil && p.Type == "Extension" {
			c.profile = p
			switch {
			case p.Flaw != "":
				c.issue(fhir.SeverityInformation, codeProcessing, x, "", "the definition of the extension "+p.Name+" is installed but cannot be checked: "+p.Flaw)
			default:
				if !w.fits(p, st) {
					c.issue(severityOfPlace(p), codeExtension, x, "", "the extension "+p.Name+" may not stand here, but in: "+expressions(p.contexts))
				}
				c.check(p.root, item{n: x, typ: typ})
			}
		}
		w.trail, w.owners = append(w.trail, hop{st, e}), append(w.owners, url)
		w.object(x, typ)
		w.trail, w.owners = w.trail[:len(w.trail)-1], w.owners[:len(w.owners)-1]
	}
}

// severityOfPlace is how bad it is that an extension stands where it may not. The contexts of FHIR's own extensions are
// narrower than their use in FHIR's own definitions (fhir-type, regex), so that they are not held to.
func severityOfPlace(p *Profile) string {
	if strings.HasPrefix(p.URL, coreBase) {
		return fhir.SeverityWarning
	}
	return fhir.SeverityError
}

// findBytes is find for a URL in bytes. It does not allocate.
func (s *Set) findBytes(url []byte) *Profile {
	if versions := s.profiles[string(url)]; len(versions) > 0 {
		return versions[0]
	}
	return nil
}

func expressions(all []context) string {
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = clip(one.expression)
	}
	return strings.Join(words, ", ")
}

// fits reports whether one of the extension's contexts is where the walk stands: within an object of the structure.
// Contexts that are conditions in FHIRPath fit everywhere.
func (w *walk) fits(p *Profile, st *r4.Structure) bool {
	if len(p.contexts) == 0 {
		return true
	}
	for _, one := range p.contexts {
		switch one.kind {
		case "element":
			if w.at(one.expression, st) {
				return true
			}
		case "extension":
			if st.Name == "Extension" && w.within(one.expression) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// at reports whether the walk stands in an element of the expression: a type, or a path that begins with one.
func (w *walk) at(expression string, st *r4.Structure) bool {
	expression = strings.TrimPrefix(expression, coreBase)
	if _, rest, ok := strings.Cut(expression, "#"); ok { // of a profile: http://...#Patient.name
		expression = rest
	}
	name, rest, isPath := strings.Cut(expression, ".")
	if !isPath {
		switch {
		case name == st.Name, name == "Element", name == "*":
			return true
		case name == "BackboneElement":
			return st.Kind == r4.KindBackbone
		case name == "Resource":
			return st.Kind == r4.KindResource
		case name == "DomainResource", name == "CanonicalResource", name == "MetadataResource":
			return st.Kind == r4.KindResource && st.Name != "Bundle" && st.Name != "Binary" && st.Name != "Parameters"
		}
		return false
	}
	if st.Name == expression {
		return true
	}
	words := strings.Count(rest, ".") + 1
	if words > len(w.trail) {
		return false
	}
	hops := w.trail[len(w.trail)-words:]
	first := hops[0].structure.Name
	if first != name && !(name == "Resource" || name == "DomainResource") {
		return false
	}
	for i := range hops {
		word := rest
		word, rest, _ = strings.Cut(rest, ".")
		have := hops[i].element.Name
		if have != word && strings.TrimSuffix(have, "[x]") != strings.TrimSuffix(word, "[x]") {
			return false
		}
	}
	return true
}

// within reports whether the walk stands right in an extension of the URL.
func (w *walk) within(url string) bool {
	return len(w.owners) > 0 && w.owners[len(w.owners)-1].Is(url)
}
