package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"tarn/api/edge"
	"tarn/fault"
)

// media are the types under which JSON of FHIR is asked for, and the short form of _format.
var media = map[string]bool{mediaFHIR: true, "application/json": true, "text/json": true, "json": true}

// acceptable refuses what cannot be answered in JSON of FHIR R4 (FHIR R4 sections 3.1.0.1.11 and 3.1.0.1.12): _format
// decides, and the Accept header where it is absent.
func acceptable(r *http.Request) error {
	asked := r.URL.Query().Get("_format")
	if asked == "" {
		asked = strings.Join(r.Header.Values("Accept"), ",")
	}
	if asked == "" || accepts(strings.ReplaceAll(asked, "fhir json", "fhir+json")) { // a plus in a query is a space
		return nil
	}
	return edge.WithStatus(http.StatusNotAcceptable, fault.WithHint(
		fault.Errorf(fault.Unsupported, "rest", "Only application/fhir+json of FHIR 4.0 can be answered, not %q.", asked), "Send Accept: application/fhir+json."))
}

// otherVersion reports whether a media type names another version of FHIR than R4 (FHIR R4 section 3.1.0.1.12).
func otherVersion(params map[string]string) bool {
	v := params["fhirversion"]
	return v != "" && v != "4.0"
}

// readable refuses a body that is compressed or encoded in another way (RFC 9110 section 15.5.16): it would be taken for
// what it is not.
func readable(r *http.Request) error {
	for _, line := range r.Header.Values("Content-Encoding") {
		for given := range strings.SplitSeq(line, ",") {
			switch given = strings.TrimSpace(given); strings.ToLower(given) {
			case "", "identity", "aws-chunked": // the last is undone with the signature
			default:
				return edge.WithStatus(http.StatusUnsupportedMediaType, fault.WithHint(
					fault.Errorf(fault.Unsupported, "rest", "A body cannot come with the encoding %q.", given), "Send it without Content-Encoding."))
			}
		}
	}
	return nil
}

// accepts reports whether a list of media ranges allows ours: of those that match, the most specific decides by its
// quality (RFC 9110 section 12.5.1).
func accepts(list string) bool {
	specific, quality := -1, 0.0
	for part := range strings.SplitSeq(list, ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil || otherVersion(params) {
			continue
		}
		rank := 0
		switch {
		case media[name]:
			rank = 2
		case name == "application/*":
			rank = 1
		case name != "*/*":
			continue
		}
		q := 1.0
		if given, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(given, 64); err != nil {
				continue
			}
		}
		if rank > specific || rank == specific && q > quality {
			specific, quality = rank, q
		}
	}
	return quality > 0
}
