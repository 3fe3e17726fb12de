package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"tarn/fault"
)

// FHIR calls a data store: path is below its base, such as Patient/1, and may carry a query. Whoever gets the answer
// closes its body; an answer that is no success is an *Error.
func (c *Client) FHIR(ctx context.Context, method, datastore, path string, body []byte) (*http.Response, error) {
	return c.FHIRWith(ctx, method, datastore, path, nil, body)
}

// FHIRWith is FHIR with headers of the caller's, such as If-Match, which go before its own.
func (c *Client) FHIRWith(ctx context.Context, method, datastore, path string, header http.Header, body []byte) (*http.Response, error) {
	u, err := url.Parse(path)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "client", "%q is no path below a data store", path)
	}
	k := call{service: "healthlake", method: method, path: "/datastore/" + datastore + "/r4/" + u.Path, query: u.Query(),
		header: http.Header{"Accept": {"application/fhir+json"}}}
	if body != nil {
		k.body, k.size = bytes.NewReader(body), int64(len(body))
		k.header.Set("Content-Type", "application/fhir+json")
	}
	for name, values := range header {
		k.header[http.CanonicalHeaderKey(name)] = values
	}
	return c.do(ctx, k)
}

// Digest says what the store holds that one file of an export must be.
type Digest struct {
	Type, Name string
	Count      int
	Bytes      int64
	SHA256     string
	Blocks     int
	Continues  string `json:"continuesInFile"`
}

// Lost is what an export holds and its data store has no more.
type Lost struct {
	Erased []struct {
		Erasure string `json:"erasure"` // the id under which it was asked for, or empty
		Instant string `json:"instant"` // when
		Count   int    `json:"count"`   // of resources
	} `json:"erased"`
	Removed int `json:"removed"` // resources whose history was removed
}

// Digests asks the store what the files of an export must be, computed again as of its transaction. What it has lost since
// it cannot compute: the digests of such files are those that were recorded when they were written.
func (c *Client) Digests(ctx context.Context, datastore, job string) ([]Digest, Lost, error) {
	resp, err := c.FHIR(ctx, http.MethodGet, datastore, "export/"+job+"/digests", nil)
	if err != nil {
		return nil, Lost{}, err
	}
	out := struct {
		Output []Digest
		Lost   Lost
	}{Output: []Digest{}}
	err = decode(resp, &out, json.Unmarshal)
	return out.Output, out.Lost, err
}
