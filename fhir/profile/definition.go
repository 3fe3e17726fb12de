package profile

import (
	"math"
	"strconv"
	"strings"

	"tarn/fhir"
)

// definition is a StructureDefinition with derivation constraint, as it was read.
type definition struct {
	url, version, name string
	typ                string // that it constrains: Observation, Extension, Quantity
	base               string // canonical
	resource           bool   // else a data type
	snapshot           []element
	differential       []element
	contexts           []context // of an extension
	flaw               string    // why it cannot be checked
}

// context says where an extension may stand.
type context struct{ kind, expression string }

const (
	unset     = math.MinInt32
	unlimited = -1
)

// element is an ElementDefinition: what a profile says of one element. Zero fields, and min and max while unset, say
// nothing.
type element struct {
	id, path, slice string
	min, max        int
	must            bool
	types           []typeRef
	fixed, pattern  *literal
	least, greatest *literal // minValue, maxValue
	maxLength       int
	binding         *bindingRef
	slicing         *slicingRef
	content         string // contentReference
	invariants      []invariantRef
}

// typeRef is one allowed type.
type typeRef struct {
	code     string
	profiles []string
	targets  []string
}

type bindingRef struct{ strength, set string }

type slicingRef struct {
	by      []discriminatorRef
	ordered bool
	rules   string // open, closed, openAtEnd
}

type discriminatorRef struct{ kind, path string }

type invariantRef struct{ key, severity, human, expression string }

// readDefinition is nil for what is no profile of FHIR R4.
func readDefinition(root fhir.Node) *definition {
	d := &definition{url: text(root.Member("url")), version: text(root.Member("version")), name: text(root.Member("name")),
		typ: text(root.Member("type")), base: text(root.Member("baseDefinition"))}
	kind, version := text(root.Member("kind")), text(root.Member("fhirVersion"))
	if d.url == "" || d.typ == "" || text(root.Member("derivation")) != "constraint" || kind == "logical" || version != "" && !isR4(version) {
		return nil
	}
	d.resource = kind == "resource"
	if d.name == "" {
		d.name = d.url[strings.LastIndexByte(d.url, '/')+1:]
	}
	for c := range root.Member("context").Children() {
		d.contexts = append(d.contexts, context{text(c.Member("type")), text(c.Member("expression"))})
	}
	d.snapshot = readElements(root.Member("snapshot").Member("element"))
	if len(d.snapshot) == 0 {
		d.differential = readElements(root.Member("differential").Member("element"))
		if len(d.differential) == 0 {
			d.flaw = "it has no elements"
		}
	}
	return d
}

func readElements(list fhir.Node) []element {
	if list.Kind() != fhir.Array {
		return nil
	}
	var all []element
	for n := range list.Children() {
		if n.Kind() == fhir.Object {
			all = append(all, readElement(n))
		}
	}
	return all
}

func readElement(n fhir.Node) element {
	e := element{min: unset, max: unset}
	for m := range n.Children() {
		switch key := string(m.Key()); key {
		case "id":
			e.id = text(m)
		case "path":
			e.path = text(m)
		case "sliceName":
			e.slice = text(m)
		case "min":
			e.min = whole(m)
		case "max":
			e.max = readMax(text(m))
		case "mustSupport":
			e.must = m.Kind() == fhir.True
		case "maxLength":
			e.maxLength = max(0, whole(m))
		case "contentReference":
			e.content = text(m)
		case "type":
			for t := range m.Children() {
				e.types = append(e.types, typeRef{code: typeCode(t), profiles: texts(t.Member("profile")), targets: texts(t.Member("targetProfile"))})
			}
		case "binding":
			e.binding = &bindingRef{text(m.Member("strength")), text(m.Member("valueSet"))}
		case "slicing":
			e.slicing = &slicingRef{ordered: m.Member("ordered").Kind() == fhir.True, rules: text(m.Member("rules"))}
			for d := range m.Member("discriminator").Children() {
				e.slicing.by = append(e.slicing.by, discriminatorRef{text(d.Member("type")), text(d.Member("path"))})
			}
		case "constraint":
			for c := range m.Children() {
				e.invariants = append(e.invariants, invariantRef{text(c.Member("key")), text(c.Member("severity")), text(c.Member("human")), text(c.Member("expression"))})
			}
		default:
			switch {
			case strings.HasPrefix(key, "fixed"):
				e.fixed = newLiteral(m)
			case strings.HasPrefix(key, "pattern"):
				e.pattern = newLiteral(m)
			case strings.HasPrefix(key, "minValue"):
				e.least = newLiteral(m)
			case strings.HasPrefix(key, "maxValue"):
				e.greatest = newLiteral(m)
			}
		}
	}
	return e
}

// typeCode is the type's name; those of FHIRPath's own types, which ids and urls have, are string.
func typeCode(t fhir.Node) string {
	code := text(t.Member("code"))
	if strings.HasPrefix(code, "http://hl7.org/fhirpath/System.") {
		return "string"
	}
	return strings.TrimPrefix(code, "http://hl7.org/fhir/StructureDefinition/")
}

func texts(list fhir.Node) []string {
	if list.Kind() != fhir.Array {
		return nil
	}
	var all []string
	for n := range list.Children() {
		if s := text(n); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func whole(n fhir.Node) int {
	if n.Kind() != fhir.Number {
		return unset
	}
	v, err := strconv.ParseInt(string(n.Text()), 10, 32)
	if err != nil || v < 0 {
		return unset
	}
	return int(v)
}

func readMax(s string) int {
	if s == "*" {
		return unlimited
	}
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil || v < 0 {
		return unset
	}
	return int(v)
}
