package profile_test

import (
	"fmt"
	"strings"
)

const example = "http://example.org/StructureDefinition/"

// define is a profile with a differential of these elements, each as JSON members after its id: `name|"min":1`. The id's
// slices become sliceName.
func define(name, typ, base string, elements ...string) string {
	kind, extra := "resource", ""
	if typ == "Extension" {
		kind, extra = "complex-type", `"context":[{"type":"element","expression":"Patient"}],`
	} else if strings.Contains("Quantity Identifier Coding CodeableConcept HumanName Address", typ) {
		kind = "complex-type"
	}
	return definition(name, typ, kind, base, extra, elements...)
}

func definition(name, typ, kind, base, extra string, elements ...string) string {
	if base == "" {
		base = hl7 + typ
	}
	var list []string
	for _, e := range elements {
		id, members, _ := strings.Cut(e, "|")
		id = strings.TrimSuffix(typ+"."+id, ".")
		slice := ""
		if last := id[strings.LastIndexByte(id, '.')+1:]; strings.Contains(last, ":") {
			slice = `"sliceName":"` + last[strings.IndexByte(last, ':')+1:] + `",`
		}
		var path []string
		for word := range strings.SplitSeq(id, ".") {
			word, _, _ = strings.Cut(word, ":")
			path = append(path, word)
		}
		list = append(list, strings.TrimSuffix(fmt.Sprintf(`{"id":%q,"path":%q,%s%s`, id, strings.Join(path, "."), slice, members), ",")+"}")
	}
	return fmt.Sprintf(`{"resourceType":"StructureDefinition","url":%q,"version":"1.0.0","name":%q,"fhirVersion":"4.0.1","kind":%q,"type":%q,"derivation":"constraint",%s"baseDefinition":%q,"differential":{"element":[%s]}}`,
		example+name, name, kind, typ, extra, base, strings.Join(list, ","))
}

// by is a slicing.
func by(kind, path, rules string) string {
	return fmt.Sprintf(`"slicing":{"discriminator":[{"type":%q,"path":%q}],"rules":%q}`, kind, path, rules)
}

func concept(system, code string) string {
	return fmt.Sprintf(`{"coding":[{"system":%q,"code":%q}]}`, system, code)
}

func valueSet(name string, compose string) string {
	return fmt.Sprintf(`{"resourceType":"ValueSet","url":"http://example.org/ValueSet/%s","compose":%s}`, name, compose)
}

func bind(strength, name string) string {
	return fmt.Sprintf(`"binding":{"strength":%q,"valueSet":"http://example.org/ValueSet/%s"}`, strength, name)
}
