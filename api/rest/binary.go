package rest

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/store"
)

// securityContext is the header that says what Binary.securityContext does, for content in its own form.
const securityContext = "X-Security-Context"

var binary, _ = r4.CodeOf("Binary")

// binaryBody is the body of a write to a Binary (http://hl7.org/fhir/R4/binary.html#rest): content of any media type, which
// becomes a resource, or a Binary as JSON.
func (f *Face) binaryBody(r *request) ([]byte, error) {
	given := r.Header.Get("Content-Type")
	if r.entry != nil || given == "" {
		return r.resource()
	}
	name, _, err := mime.ParseMediaType(given)
	if err != nil {
		return nil, badHeader("Content-Type", "it is no media type")
	}
	body, err := r.call.Bytes()
	if err != nil {
		return nil, err
	}
	context := r.Header.Get(securityContext)
	if media[name] {
		is, err := f.o.Interactions.IsBinary(body)
		if err != nil || is {
			if context != "" {
				err = badHeader(securityContext, "it is for content in its own form; a Binary says its securityContext itself")
			}
			return body, err
		}
	}
	switch fhir.ParseReference(context).Kind {
	case fhir.RelativeReference, fhir.AbsoluteReference:
	default:
		if context != "" {
			return nil, badHeader(securityContext, "it is no reference such as Patient/1")
		}
	}
	return interaction.BinaryContent{ContentType: given, Context: context, Content: body}.Resource(r.target.ID)
}

// body is the body of a write of a resource of the type of the URL.
func (f *Face) body(r *request) ([]byte, error) {
	if r.target.Type == binary {
		return f.binaryBody(r)
	}
	return r.resource()
}

// answersAnything reports whether what the caller accepts is no ground to refuse the request at once: a Binary is read in
// its own form.
func (r *request) answersAnything(method string) bool {
	return r.target.Type == binary && r.target.ID != "" && (method == http.MethodGet || method == http.MethodHead) && r.URL.Query().Get("_format") == ""
}

// foundBinary answers with a version of a Binary: its content in its own form unless FHIR is asked for.
func (r *request) foundBinary(v store.Version) error {
	b, ok := interaction.ReadBinary(v.Body)
	name, _, err := mime.ParseMediaType(b.ContentType)
	if r.entry != nil || !ok || err != nil || r.wantsFHIR(name) {
		return r.write(http.StatusOK, v.Body)
	}
	h := r.w.Header()
	h.Set("Content-Type", b.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(b.Content)))
	h.Set("Vary", "Accept")
	if b.Context != "" {
		h.Set(securityContext, b.Context)
	}
	r.w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = r.w.Write(b.Content) // a caller that went away is nobody's error
	}
	return nil
}

// wantsFHIR reports whether the caller asks for the JSON of FHIR rather than for content of that media type: by _format,
// or by naming it in Accept, where a type of JSON in general means content that is JSON first.
func (r *request) wantsFHIR(native string) bool {
	if r.URL.Query().Get("_format") != "" {
		return true
	}
	isJSON := strings.HasSuffix(native, "/json") || strings.HasSuffix(native, "+json")
	ours, theirs := 0.0, 0.0
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if given, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(given, 64); err != nil {
				continue
			}
		}
		kind, _, _ := strings.Cut(native, "/")
		switch {
		case name == mediaFHIR, media[name] && !isJSON:
			ours = max(ours, q)
		case name == native, name == kind+"/*", name == "*/*", media[name]:
			theirs = max(theirs, q)
		}
	}
	return ours > 0 && ours >= theirs
}
