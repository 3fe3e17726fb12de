package search

import (
	"encoding/json"
	"io"

	"tarn/fhir"
	"tarn/store"
)

// Write writes the page as a Bundle of type searchset (FHIR R4 section 3.1.1.1).
func (s *Service) Write(w io.Writer, r *Result) error {
	reader := s.readers.Get().(*reader)
	defer s.readers.Put(reader)
	b := fhir.NewBundleWriter(w, fhir.BundleHead{Type: "searchset", Total: r.Total, Links: r.Links})
	var part []byte
	add := func(v store.Version, mode string) (err error) {
		body := v.Body
		if !r.show.whole(mode == "match") {
			if part, err = r.show.appendSubset(part[:0], reader.parser, v.Type, body); err != nil {
				return err
			}
			body = part
		}
		return b.Add(fhir.BundleEntry{FullURL: r.base + v.Type.String() + "/" + v.ID, Resource: body, Search: fhir.BundleSearch{Mode: mode}})
	}
	for _, v := range r.Matches {
		if err := add(v, "match"); err != nil {
			return err
		}
	}
	for _, v := range r.Included {
		if err := add(v, "include"); err != nil {
			return err
		}
	}
	if len(r.Warnings) > 0 {
		outcome := fhir.Outcome{Issues: r.Warnings}.AppendJSON(nil)
		if err := b.Add(fhir.BundleEntry{Resource: outcome, Search: fhir.BundleSearch{Mode: "outcome"}}); err != nil {
			return err
		}
	}
	return b.Close()
}

// Explanation is the plan of a search as a Parameters resource: a parameter "step" for each line.
func (r *Result) Explanation() []byte {
	dst := []byte(`{"resourceType":"Parameters","parameter":[`)
	for i, line := range r.Plan {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"name":"step","valueString":`...)
		dst = append(appendJSONString(dst, line), '}')
	}
	return append(dst, "]}"...)
}

func appendJSONString(dst []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // never fails for a string
	return append(dst, quoted...)
}
