package validate

import (
	"encoding/json"

	"tarn/fhir"
)

// ToleratedURL is the extension of meta that holds, as text, an OperationOutcome with what was tolerated in a resource
// that is stored under the level minimal (HealthLake's).
const ToleratedURL = "http://healthlake.amazonaws.com/fhir/StructureDefinition/validation-issue"

// maxTold is how many issues the extension holds at most.
const maxTold = 20

// AppendNote appends the extension that says what was tolerated.
func AppendNote(dst []byte, issues []fhir.Issue) []byte {
	outcome := fhir.Outcome{Issues: issues[:min(len(issues), maxTold)]}.AppendJSON(nil)
	quoted, _ := json.Marshal(string(outcome)) // of a string: cannot fail
	return append(append(append(dst, `{"url":"`+ToleratedURL+`","valueString":`...), quoted...), '}')
}

// AppendTolerated appends the resource to dst with the issues in its meta; those of an earlier write give way. All else
// stays byte for byte. Where meta has an extension that is no array the resource stays as it is.
func AppendTolerated(dst []byte, doc *fhir.Doc, issues []fhir.Issue) []byte {
	data, root := doc.Bytes(), doc.Root()
	extension := AppendNote(nil, issues)

	meta := root.Member("meta")
	list := meta.Member("extension")
	switch {
	case !meta.Exists():
		at := root.Member("resourceType").End()
		dst = append(append(dst, data[:at]...), `,"meta":{"extension":[`...)
		return append(append(append(dst, extension...), `]}`...), data[at:]...)
	case !list.Exists():
		at := meta.Offset() + 1
		dst = append(append(dst, data[:at]...), `"extension":[`...)
		dst = append(append(dst, extension...), ']')
		if meta.First().Exists() {
			dst = append(dst, ',')
		}
		return append(dst, data[at:]...)
	case list.Kind() != fhir.Array:
		return append(dst, data...)
	}
	dst = append(dst, data[:list.Offset()+1]...)
	for item := list.First(); item.Exists(); item = item.Next() {
		if !item.Member("url").Is(ToleratedURL) {
			dst = append(append(dst, item.Raw()...), ',')
		}
	}
	dst = append(dst, extension...)
	return append(dst, data[list.End()-1:]...)
}
