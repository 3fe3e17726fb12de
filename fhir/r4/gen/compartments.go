package main

import (
	"fmt"

	"tarn/fhir/r4"
)

// compartment gives the parameters that put a resource of a type into it.
type compartment struct {
	of     r4.Code
	params [r4.Count + 1][]string
}

var compartmentTypes = []string{"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"}

func buildCompartments(src *source) ([]compartment, error) {
	var all []compartment
	for _, name := range compartmentTypes {
		def := src.compartments[name]
		of, ok := r4.CodeOf(name)
		if def == nil || !ok {
			return nil, fmt.Errorf("compartment %s is not there", name)
		}
		c := compartment{of: of}
		for _, r := range def.Resource {
			code, ok := r4.CodeOf(r.Code)
			if !ok {
				return nil, fmt.Errorf("compartment %s: %s is no type", name, r.Code)
			}
			c.params[code] = r.Param
		}
		all = append(all, c)
	}
	return all, nil
}
