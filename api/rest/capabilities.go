package rest

import (
	"encoding/json"
	"net/http"

	"tarn/fault"
	"tarn/fhir/r4"
)

// capabilities is GET metadata (FHIR R4 section 3.1.0.12). What it says is made from the table of routes, so that it is
// true.
func (f *Face) capabilities(r *request) error {
	type code struct {
		Code string `json:"code"`
	}
	type resource struct {
		Type         string `json:"type"`
		Profile      string `json:"profile"`
		Interaction  []code `json:"interaction"`
		Versioning   string `json:"versioning"`
		ReadHistory  bool   `json:"readHistory"`
		UpdateCreate bool   `json:"updateCreate"`
		CondCreate   bool   `json:"conditionalCreate"`
		CondRead     string `json:"conditionalRead"`
		CondUpdate   bool   `json:"conditionalUpdate"`
		CondDelete   string `json:"conditionalDelete"`
	}
	names := map[string]string{"POST {type}": "create", "GET {type}/{id}": "read", "PUT {type}/{id}": "update",
		"DELETE {type}/{id}": "delete", "GET {type}/{id}/_history": "history-instance", "GET {type}/{id}/_history/{vid}": "vread"}
	var offered []code
	for _, rt := range f.routes {
		if name := names[rt.method+" "+rt.pattern]; name != "" {
			offered = append(offered, code{name})
		}
	}
	var resources []resource
	for _, t := range r4.Types() {
		resources = append(resources, resource{Type: t, Profile: "http://hl7.org/fhir/StructureDefinition/" + t,
			Interaction: offered, Versioning: "versioned-update", ReadHistory: true, UpdateCreate: true,
			CondRead: "full-support", CondDelete: "not-supported"})
	}
	body, err := json.Marshal(map[string]any{
		"resourceType": "CapabilityStatement",
		"status":       "active",
		"date":         f.o.Started.String(),
		"kind":         "instance",
		"software":     map[string]any{"name": "Tarn", "version": f.o.Version},
		"implementation": map[string]any{
			"description": "Tarn FHIR R4 data store",
			"url":         r.call.Base,
		},
		"fhirVersion": "4.0.1",
		"format":      []string{mediaFHIR, "json"},
		"rest": []any{map[string]any{
			"mode":     "server",
			"security": map[string]any{"description": "AWS Signature Version 4, service name healthlake; rights by IAM policies."},
			"resource": resources,
		}},
	})
	if err != nil {
		return fault.Wrap("rest.capabilities", err)
	}
	return r.write(http.StatusOK, body)
}
