package profile

import (
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// target is what a reference points to: its type where the reference tells, and where whole is asked for, or the type is
// not in the reference, the resource as far as the document holds it.
func (c *checker) target(reference fhir.Node, whole bool) (resource fhir.Node, typ *r4.Structure) {
	literal := reference.Member("reference")
	if literal.Kind() == fhir.String {
		text := literal.Unescaped(c.code)
		ref := fhir.ParseReference(string(text))
		switch {
		case ref.Kind == fhir.FragmentReference:
			resource = c.contained(reference, ref.ID)
		case whole || ref.Type == "":
			resource = c.entry(text, ref)
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

// entry is the resource of the Bundle's entry that a reference names, by its fullUrl or by Type/id.
func (c *checker) entry(literal []byte, ref fhir.Reference) fhir.Node {
	root := c.doc.Root()
	if !root.Member("resourceType").Is("Bundle") {
		return fhir.Node{}
	}
	var byID fhir.Node
	for entry := root.Member("entry").First(); entry.Exists(); entry = entry.Next() {
		res := entry.Member("resource")
		if res.Kind() != fhir.Object {
			continue
		}
		if url := entry.Member("fullUrl"); url.Kind() == fhir.String && string(url.Unescaped(c.text)) == string(literal) {
			return res
		}
		if ref.Kind == fhir.RelativeReference && !byID.Exists() && res.Member("id").Is(ref.ID) && res.Member("resourceType").Is(ref.Type) {
			byID = res
		}
	}
	return byID
}

// targetsOf holds a reference against the types that it may point to.
func (c *checker) targetsOf(n *node, it item) {
	if it.typ == nil || it.typ.Name != "Reference" || it.n.Kind() != fhir.Object {
		return
	}
	_, typ := c.target(it.n, false)
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
