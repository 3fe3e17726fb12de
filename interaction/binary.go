package interaction

import (
	"encoding/base64"
	"strings"
	"unicode"

	"tarn/fault"
	"tarn/fhir"
)

// MaxBinary bounds the content of a Binary that is written in its own form: as base64 it must fit into a resource.
const MaxBinary = 3_749_000

// BinaryContent is what a Binary holds (http://hl7.org/fhir/R4/binary.html): content in its own form.
type BinaryContent struct {
	ContentType string // as Content-Type has it
	Context     string // securityContext.reference, or empty
	Content     []byte
}

// Resource is the content as a resource of type Binary; id may be empty. Too much of it is fault.TooLarge.
func (b BinaryContent) Resource(id string) ([]byte, error) {
	if len(b.Content) > MaxBinary {
		return nil, fault.WithHint(fault.Errorf(fault.TooLarge, "interaction.Binary", "The content has %d bytes; a Binary holds at most %d.", len(b.Content), MaxBinary),
			"keep large content outside and refer to it by URL")
	}
	out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(b.Content))+len(b.ContentType)+len(b.Context)+len(id)+200)
	out = append(out, `{"resourceType":"Binary"`...)
	if id != "" {
		out = fhir.AppendString(append(out, `,"id":`...), id)
	}
	out = fhir.AppendString(append(out, `,"contentType":`...), b.ContentType)
	if b.Context != "" {
		out = append(fhir.AppendString(append(out, `,"securityContext":{"reference":`...), b.Context), '}')
	}
	if len(b.Content) > 0 {
		out = append(base64.StdEncoding.AppendEncode(append(out, `,"data":"`...), b.Content), '"')
	}
	return append(out, '}'), nil
}

// ReadBinary takes the content out of a Binary; false where it has no content that can be given in its own form.
func ReadBinary(resource []byte) (b BinaryContent, ok bool) {
	doc, err := fhir.NewParser(fhir.Limits{}).Scan(resource)
	if err != nil {
		return b, false
	}
	root := doc.Root()
	kind, data := root.Member("contentType"), root.Member("data")
	if kind.Kind() != fhir.String || data.Exists() && data.Kind() != fhir.String {
		return b, false
	}
	b.ContentType = string(kind.AppendText(nil))
	if ref := root.Member("securityContext").Member("reference"); ref.Kind() == fhir.String {
		b.Context = string(ref.AppendText(nil))
	}
	if !data.Exists() {
		return b, true
	}
	text := strings.Map(func(r rune) rune { // base64Binary may hold white space
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, string(data.AppendText(nil)))
	b.Content, err = base64.StdEncoding.DecodeString(text)
	return b, err == nil
}

// IsBinary reports whether a body is a resource of type Binary. A body that is no JSON is fault.Invalid, with its place.
func (s *Service) IsBinary(body []byte) (bool, error) {
	doc, err := fhir.NewParser(s.limits).Scan(body)
	if err != nil {
		return false, err
	}
	return doc.Root().Member("resourceType").Is("Binary"), nil
}
