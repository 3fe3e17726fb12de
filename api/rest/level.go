package rest

import (
	"tarn/fhir/validate"
	"tarn/interaction"
)

// HealthLake's headers of validation: how much of the specification a body must keep, and in the answer that issues were
// tolerated.
const (
	validationLevel  = "X-Amzn-Healthlake-Fhir-Validation-Level"
	validationIssues = "X-Amzn-Healthlake-Validation-Issues"
)

// writeOptions are what the headers of a write say about its body.
func (r *request) writeOptions() (o interaction.WriteOptions, err error) {
	var ok bool
	if o.Level, ok = validate.ParseLevel(r.Header.Get(validationLevel)); !ok {
		return o, badHeader(validationLevel, "it is strict, structure-only or minimal")
	}
	return o, nil
}
