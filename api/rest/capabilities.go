package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"

	"tarn/fault"
	"tarn/fhir/r4"
)

// baseMark stands for the base URL in the statement that all data stores share.
const baseMark = "http://base.invalid/"

// statement is the CapabilityStatement, built at its first use; the data stores differ in the base URL alone.
type statement struct {
	once       sync.Once
	head, tail []byte // around the base URL
	err        error
}

// capabilities is GET metadata (FHIR R4 section 3.1.0.12). What it says is made from the table of routes and from the
// table of definitions, so that it is true.
func (f *Face) capabilities(r *request) error {
	s := &f.statement
	s.once.Do(func() {
		var body bytes.Buffer
		text := json.NewEncoder(&body)
		text.SetEscapeHTML(false)
		if s.err = text.Encode(f.buildStatement(offeredBy(f.routes))); s.err == nil {
			s.head, s.tail, _ = bytes.Cut(bytes.TrimSpace(body.Bytes()), []byte(baseMark))
		}
	})
	if s.err != nil {
		return fault.Wrap("rest.capabilities", s.err)
	}
	base, err := json.Marshal(r.call.Base)
	if err != nil {
		return fault.Wrap("rest.capabilities", err)
	}
	supported, err := f.o.Packages.Supported(r.Context(), r.target.Datastore)
	if err != nil {
		return err
	}
	parts, err := withProfiles([][]byte{s.head, base[1 : len(base)-1]}, s.tail, supported)
	if err != nil {
		return fault.Wrap("rest.capabilities", err)
	}
	return r.write(http.StatusOK, bytes.Join(parts, nil))
}

// withProfiles appends the parts of the statement behind the base URL, with the profiles that the data store has
// installed behind the base profile of each type.
func withProfiles(parts [][]byte, tail []byte, supported map[r4.Code][]string) ([][]byte, error) {
	for code := r4.Code(1); code <= r4.Count; code++ {
		urls := supported[code]
		if len(urls) == 0 {
			continue
		}
		list, err := json.Marshal(urls)
		if err != nil {
			return nil, err
		}
		_, behind, ok := bytes.Cut(tail, []byte(`"profile":"`+baseProfile+code.String()+`",`))
		if !ok {
			return nil, fault.Errorf(fault.Internal, "rest.capabilities", "The statement lacks the type %s.", code)
		}
		parts = append(parts, tail[:len(tail)-len(behind)], []byte(`"supportedProfile":`), list, []byte(","))
		tail = behind
	}
	return append(parts, tail), nil
}
