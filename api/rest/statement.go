package rest

import (
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// The parts of a CapabilityStatement (http://hl7.org/fhir/R4/capabilitystatement.html) in the order of the definition.
type (
	interactionCode struct {
		Code string `json:"code"`
	}
	offeredParam struct {
		Name       string `json:"name"`
		Definition string `json:"definition,omitempty"`
		Type       string `json:"type"`
	}
	resourceRow struct {
		Type              string            `json:"type"`
		Profile           string            `json:"profile"`
		Interaction       []interactionCode `json:"interaction"`
		Versioning        string            `json:"versioning"`
		ReadHistory       bool              `json:"readHistory"`
		UpdateCreate      bool              `json:"updateCreate"`
		ConditionalCreate bool              `json:"conditionalCreate"`
		ConditionalRead   string            `json:"conditionalRead"`
		ConditionalUpdate bool              `json:"conditionalUpdate"`
		ConditionalDelete string            `json:"conditionalDelete"`
		SearchInclude     []string          `json:"searchInclude,omitempty"`
		SearchRevInclude  []string          `json:"searchRevInclude,omitempty"`
		SearchParam       []offeredParam    `json:"searchParam,omitempty"`
		Operation         []operation       `json:"operation,omitempty"`
	}
	restRow struct {
		Mode        string            `json:"mode"`
		Security    map[string]any    `json:"security"`
		Resource    []resourceRow     `json:"resource"`
		Interaction []interactionCode `json:"interaction,omitempty"`
		SearchParam []offeredParam    `json:"searchParam,omitempty"`
		Operation   []operation       `json:"operation,omitempty"`
		Compartment []string          `json:"compartment,omitempty"`
	}
	capabilityStatement struct {
		ResourceType   string         `json:"resourceType"`
		Status         string         `json:"status"`
		Date           string         `json:"date"`
		Kind           string         `json:"kind"`
		Instantiates   []string       `json:"instantiates,omitempty"`
		Software       map[string]any `json:"software"`
		Implementation map[string]any `json:"implementation"`
		FHIRVersion    string         `json:"fhirVersion"`
		Format         []string       `json:"format"`
		PatchFormat    []string       `json:"patchFormat,omitempty"`
		Rest           []restRow      `json:"rest"`
	}
)

const baseProfile = "http://hl7.org/fhir/StructureDefinition/"

// buildStatement is the whole statement, with baseMark for the base URL.
func (f *Face) buildStatement(o offered) capabilityStatement {
	o.beside(f.o.Beside)
	s := capabilityStatement{
		ResourceType: "CapabilityStatement", Status: "active", Date: f.o.Started.String(), Kind: "instance",
		Instantiates:   f.o.Beside.Instantiates,
		Software:       map[string]any{"name": "Tarn", "version": f.o.Version},
		Implementation: map[string]any{"description": "Tarn FHIR R4 data store", "url": baseMark},
		FHIRVersion:    "4.0.1",
		Format:         []string{mediaFHIR, "json"},
	}
	if o.offers("patch") {
		s.PatchFormat = []string{"application/json-patch+json", mediaFHIR}
	}
	row := restRow{
		Mode:        "server",
		Security:    map[string]any{"description": "AWS Signature Version 4, service name healthlake; rights by IAM policies."},
		Interaction: codes(o.system),
	}
	pointers := pointersTo()
	for code := r4.Code(1); code <= r4.Count; code++ {
		row.Resource = append(row.Resource, o.resource(code, pointers[code]))
	}
	if o.offers("search-system") {
		row.SearchParam = append(commonParams(), offeredParam{Name: "_type", Type: "special"})
	}
	for _, op := range o.operations {
		if op.on == "" {
			row.Operation = append(row.Operation, op.operation)
		}
	}
	if o.compartment {
		for _, name := range []string{"device", "encounter", "patient", "practitioner", "relatedPerson"} {
			row.Compartment = append(row.Compartment, "http://hl7.org/fhir/CompartmentDefinition/"+name)
		}
	}
	s.Rest = []restRow{row}
	return s
}

func (o *offered) resource(code r4.Code, revIncludes []string) resourceRow {
	name := code.String()
	row := resourceRow{
		Type: name, Profile: baseProfile + name, Interaction: codes(o.types),
		Versioning: "versioned-update", ReadHistory: o.offers("vread"), UpdateCreate: o.offers("update"),
		ConditionalCreate: o.conditional["create"], ConditionalRead: "full-support", ConditionalUpdate: o.conditional["update"],
		ConditionalDelete: "not-supported",
	}
	if o.conditional["delete"] {
		row.ConditionalDelete = "single"
	}
	if o.offers("search-type") {
		row.SearchInclude, row.SearchRevInclude = []string{"*"}, revIncludes
		for _, p := range code.Params() {
			if !searchable(p) || p.Name == "_has" && len(revIncludes) == 0 {
				continue
			}
			row.SearchParam = append(row.SearchParam, offeredParam{p.Name, p.URL, p.Type.String()})
			if p.Type == r4.ParamReference {
				row.SearchInclude = append(row.SearchInclude, name+":"+p.Name)
			}
		}
	}
	for _, op := range o.operations {
		if op.on == name || op.on == "{type}" {
			row.Operation = append(row.Operation, op.operation)
		}
	}
	return row
}

// searchable reports whether a search of a type answers the parameter: those that the standard gives an expression, and
// _has. Not _content, _filter, _list, _query and _text; _type is the system's.
func searchable(p *r4.SearchParam) bool { return p.Expression != "" || p.Name == "_has" }

// commonParams are the parameters that every type has.
func commonParams() []offeredParam {
	var common []offeredParam
	first := r4.Code(1)
	for _, p := range first.Params() {
		if searchable(p) && strings.HasPrefix(p.Name, "_") {
			common = append(common, offeredParam{p.Name, p.URL, p.Type.String()})
		}
	}
	return common
}

// pointersTo lists the references of all types that may point to each type: Observation:subject to Patient.
func pointersTo() (all [r4.Count + 1][]string) {
	for from := r4.Code(1); from <= r4.Count; from++ {
		for _, p := range from.Params() {
			if p.Type != r4.ParamReference || !searchable(p) {
				continue
			}
			for code := r4.Code(1); code <= r4.Count; code++ {
				if len(p.Targets) == 0 || slices.Contains(p.Targets, code.String()) {
					all[code] = append(all[code], from.String()+":"+p.Name)
				}
			}
		}
	}
	return all
}

func codes(names []string) []interactionCode {
	var list []interactionCode
	for _, name := range names {
		list = append(list, interactionCode{name})
	}
	return list
}
