package profile

import (
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// targets finds what references of a document point to within it.
type targets struct {
	entries map[string]fhir.Node // of a Bundle: by fullUrl, and by Type/id
}

// target is what a reference points to: its type where the reference tells, and the resource where the document holds it.
func (c *checker) target(reference fhir.Node) (resource fhir.Node, typ *r4.Structure) {
	literal := reference.Member("reference")
	if literal.Kind() == fhir.String {
		ref := fhir.ParseReference(string(literal.AppendText(nil)))
		switch {
		case ref.Kind == fhir.FragmentReference:
			resource = c.contained(reference, ref.ID)
		default:
			resource = c.entry(string(literal.AppendText(nil)), ref)
		}
		if resource.Exists() {
			return resource, typeOf(resource)
		}
		if ref.Type != "" {
			return fhir.Node{}, r4.StructureOf(ref.Type)
		}
	}
	if named := reference.Member("type"); named.Kind() == fhir.String {
		return fhir.Node{}, r4.StructureOf(strings.TrimPrefix(string(named.AppendText(nil)), coreBase))
	}
	return fhir.Node{}, nil
}

// typeOf is the definition of a resource's type; nil where it names none.
func typeOf(resource fhir.Node) *r4.Structure {
	typ := resource.Member("resourceType")
	if typ.Kind() != fhir.String {
		return nil
	}
	code, _ := r4.CodeOfBytes(typ.Text())
	return code.Resource()
}

// contained is the contained resource of that id in the resource that holds the reference.
func (c *checker) contained(reference fhir.Node, id string) fhir.Node {
	root := c.doc.Root()
	if found := containedIn(root, id); found.Exists() || !root.Member("resourceType").Is("Bundle") {
		return found
	}
	for entry := range root.Member("entry").Children() {
		if res := entry.Member("resource"); res.Exists() && res.Offset() <= reference.Offset() && reference.Offset() < res.End() {
			return containedIn(res, id)
		}
	}
	return fhir.Node{}
}

func containedIn(resource fhir.Node, id string) fhir.Node {
	if id == "" {
		return resource
	}
	for one := range resource.Member("contained").Children() {
		if one.Member("id").Is(id) {
			return one
		}
	}
	return fhir.Node{}
}

// entry is the resource of the Bundle's entry that a reference names.
func (c *checker) entry(literal string, ref fhir.Reference) fhir.Node {
	if c.refs == nil {
		c.refs = new(targets)
		if root := c.doc.Root(); root.Member("resourceType").Is("Bundle") {
			c.refs.entries = map[string]fhir.Node{}
			for entry := range root.Member("entry").Children() {
				res := entry.Member("resource")
				if res.Kind() != fhir.Object {
					continue
				}
				if url := entry.Member("fullUrl"); url.Kind() == fhir.String {
					c.refs.entries[string(url.AppendText(nil))] = res
				}
				if id := res.Member("id"); id.Kind() == fhir.String {
					c.refs.entries[text(res.Member("resourceType"))+"/"+string(id.AppendText(nil))] = res
				}
			}
		}
	}
	if found, ok := c.refs.entries[literal]; ok {
		return found
	}
	if ref.Kind == fhir.RelativeReference {
		return c.refs.entries[ref.Type+"/"+ref.ID]
	}
	return fhir.Node{}
}

// targetsOf holds a reference against the types that it may point to.
func (c *checker) targetsOf(n *node, it item) {
	if it.typ == nil || it.typ.Name != "Reference" || it.n.Kind() != fhir.Object {
		return
	}
	_, typ := c.target(it.n)
	if typ == nil {
		return
	}
	var names []string
	for i := range n.types {
		if n.types[i].code != "Reference" {
			continue
		}
		if len(n.types[i].targets) == 0 {
			return
		}
		for _, url := range n.types[i].targets {
			name := c.targetType(url)
			if name == "" || name == typ.Name || name == "Resource" || name == "DomainResource" {
				return
			}
			if c.quiet == 0 {
				names = append(names, name)
			}
		}
	}
	at := it.n.Member("reference")
	if !at.Exists() {
		at = it.n
	}
	c.fail(fhir.CodeValue, at, "", n, "it points to "+typ.Name+", and may point to ", strings.Join(names, ", "), " only")
}

// targetType is the resource type that a target profile is about; empty where that is not known.
func (c *checker) targetType(url string) string {
	if p := c.set.find(url); p != nil {
		return p.Type
	}
	if name, ok := strings.CutPrefix(url, coreBase); ok && r4.StructureOf(name) != nil {
		return name
	}
	return ""
}
