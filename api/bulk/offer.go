package bulk

import (
	"slices"
	"strings"

	"tarn/api/edge"
)

// The canonical URLs of Bulk Data Access, and of the member attribution lists of Da Vinci.
const (
	bulkStatement  = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"
	bulkDefinition = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/"
	daVinciData    = "http://hl7.org/fhir/us/davinci-atr/OperationDefinition/davinci-data-export"
)

// Offer is what the table of routes offers, for the CapabilityStatement. All levels have the name export: it is the one
// that stands in their URLs.
func Offer() edge.Offer {
	o := edge.Offer{Instantiates: []string{bulkStatement}}
	for _, t := range routes {
		on, last := "", t.path
		if i := strings.LastIndexByte(t.path, '/'); i >= 0 {
			on, _, _ = strings.Cut(t.path, "/")
			last = t.path[i+1:]
		}
		op := edge.OfferedOperation{On: on, Name: strings.TrimPrefix(last, "$")}
		switch last {
		case exportOperation:
			op.Definition = bulkDefinition + map[string]string{"": "export", "Patient": "patient-export", "Group": "group-export"}[on]
		case daVinciOperation:
			op.Definition = daVinciData
		default:
			continue
		}
		if !slices.Contains(o.Operations, op) {
			o.Operations = append(o.Operations, op)
		}
	}
	return o
}
