package main

import (
	"fmt"
	"slices"
)

// unlisted are the value sets of required bindings whose codes cannot be listed, with the reason.
var unlisted = map[string]string{
	"http://hl7.org/fhir/ValueSet/mimetypes":  "BCP 13 is open",
	"http://hl7.org/fhir/ValueSet/ucum-units": "UCUM is a grammar",
	"http://hl7.org/fhir/ValueSet/currencies": "ISO 4217 is not part of the definitions",
	"http://loinc.org/vs/LL379-9":             "LOINC is not part of the definitions",
}

// expand lists the codes of a value set by system; nil where it is unlisted.
func (src *source) expand(url string) (map[string][]string, error) {
	if unlisted[url] != "" {
		return nil, nil
	}
	return src.expandSet(url, 0)
}

func (src *source) expandSet(url string, depth int) (map[string][]string, error) {
	vs := src.valueSets[unversioned(url)]
	if vs == nil || depth > 8 {
		return nil, fmt.Errorf("value set %s: not there, or in a circle", url)
	}
	out := map[string][]string{}
	for _, part := range vs.Compose.Include {
		codes, err := src.part(part, depth)
		if err != nil {
			return nil, fmt.Errorf("value set %s: %w", url, err)
		}
		for system, list := range codes {
			out[system] = append(out[system], list...)
		}
	}
	for _, part := range vs.Compose.Exclude {
		codes, err := src.part(part, depth)
		if err != nil {
			return nil, fmt.Errorf("value set %s: %w", url, err)
		}
		for system, list := range codes {
			out[system] = slices.DeleteFunc(out[system], func(c string) bool { return slices.Contains(list, c) })
		}
	}
	total := 0
	for system := range out {
		slices.Sort(out[system])
		out[system] = slices.Compact(out[system])
		total += len(out[system])
	}
	if total == 0 {
		return nil, fmt.Errorf("value set %s is empty", url)
	}
	return out, nil
}

// part lists one include or exclude: its codes are in its system and in all its value sets.
func (src *source) part(p conceptSet, depth int) (map[string][]string, error) {
	var out map[string][]string
	if p.System != "" {
		codes, err := src.systemPart(p)
		if err != nil {
			return nil, err
		}
		out = map[string][]string{p.System: codes}
	}
	for _, url := range p.ValueSet {
		codes, err := src.expandSet(url, depth+1)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = codes
			continue
		}
		for system := range out {
			out[system] = slices.DeleteFunc(out[system], func(c string) bool { return !slices.Contains(codes[system], c) })
		}
	}
	return out, nil
}

func (src *source) systemPart(p conceptSet) ([]string, error) {
	var codes []string
	if len(p.Concept) > 0 {
		for _, c := range p.Concept {
			codes = append(codes, c.Code)
		}
		return codes, nil
	}
	cs := src.codeSystems[p.System]
	if cs == nil || cs.Content != "complete" {
		return nil, fmt.Errorf("code system %s is not there in full", p.System)
	}
	err := walk(cs.Concept, nil, func(c *concept, above []string) error {
		for _, f := range p.Filter {
			ok, err := fits(c, above, f.Property, f.Op, f.Value)
			if err != nil || !ok {
				return err
			}
		}
		codes = append(codes, c.Code)
		return nil
	})
	return codes, err
}

// walk visits concepts with the codes above them, by nesting.
func walk(concepts []concept, above []string, visit func(c *concept, above []string) error) error {
	for i := range concepts {
		c := &concepts[i]
		if err := visit(c, above); err != nil {
			return err
		}
		if err := walk(c.Concept, append(slices.Clone(above), c.Code), visit); err != nil {
			return err
		}
	}
	return nil
}

// fits answers a filter (http://hl7.org/fhir/R4/valueset-filter-operator.html) on the hierarchy or on a property.
func fits(c *concept, above []string, property, op, value string) (bool, error) {
	parents := slices.Clone(above)
	has := false
	for _, p := range c.Property {
		if p.Code == "subsumedBy" || p.Code == "parent" {
			parents = append(parents, p.ValueCode)
		}
		has = has || p.Code == property && p.ValueCode == value
	}
	below := slices.Contains(parents, value)
	switch op {
	case "is-a":
		return below || c.Code == value, nil
	case "descendent-of":
		return below, nil
	case "is-not-a":
		return !below && c.Code != value, nil
	case "=":
		return has, nil
	}
	return false, fmt.Errorf("filter %s %s %s is not understood", property, op, value)
}
