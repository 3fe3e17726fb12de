package rest

import (
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"strings"

	"tarn/api/edge"
	"tarn/fault"
	"tarn/search"
)

// Searches is the service behind searches.
type Searches interface {
	Search(ctx context.Context, req search.Request) (*search.Result, error)
	Write(w io.Writer, r *search.Result) error
	Everything(ctx context.Context, req search.EverythingRequest) (*search.Result, error)
}

const mediaForm = "application/x-www-form-urlencoded"

// search is GET and POST of a search (FHIR R4 section 3.1.0.9): of a type, of the system where the path names none, and
// of a compartment where it names a resource and a type, or *.
func (f *Face) search(r *request) error {
	pairs, err := r.searchPairs()
	if err != nil {
		return err
	}
	req := search.Request{Datastore: r.target.Datastore, Base: r.call.Base, Type: r.target.Type, Pairs: pairs,
		Strict: strings.EqualFold(r.prefer("handling"), "strict"), At: r.target.At}
	if r.target.ID != "" {
		req.Type, req.Within = r.within, &search.Compartment{Type: r.target.Type, ID: r.target.ID}
	}
	result, err := f.o.Searches.Search(r.Context(), req)
	if err != nil {
		return err
	}
	if result.Plan != nil {
		return r.write(http.StatusOK, result.Explanation())
	}
	var body bytes.Buffer
	if err := f.o.Searches.Write(&body, result); err != nil {
		return err
	}
	return r.write(http.StatusOK, body.Bytes())
}

// searchPairs are the parameters of the URL, and of the form where one was posted.
func (r *request) searchPairs() ([]search.Pair, error) {
	query := r.URL.RawQuery
	if len(query) > search.MaxQuery {
		return nil, edge.WithStatus(http.StatusRequestURITooLong, fault.WithHint(
			fault.Errorf(fault.TooLarge, "rest.search", "The parameters of the URL have %d bytes; the limit is %d.", len(query), search.MaxQuery),
			"POST them to _search as a form."))
	}
	all, err := search.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	pairs := all[:0]
	for _, p := range all {
		if !strings.HasPrefix(p.Name, "X-Amz-") { // the signature of a URL
			pairs = append(pairs, p)
		}
	}
	if r.Method != http.MethodPost {
		return pairs, nil
	}
	form, err := r.form()
	if err != nil {
		return nil, err
	}
	return append(pairs, form...), nil
}

// form is the body of a search by POST; it may be empty.
func (r *request) form() ([]search.Pair, error) {
	if r.entry != nil {
		return nil, nil // the parameters of a Bundle's entry stand in its URL
	}
	body, err := r.call.Bytes()
	if err != nil || len(body) == 0 {
		return nil, err
	}
	if name, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || name != mediaForm {
		return nil, edge.WithStatus(http.StatusUnsupportedMediaType, fault.WithHint(
			fault.Errorf(fault.Unsupported, "rest.search", "The parameters of a search are posted as %s, not as %q.", mediaForm, r.Header.Get("Content-Type")),
			"Send Content-Type: %s.", mediaForm))
	}
	if len(body) > search.MaxForm {
		return nil, fault.Errorf(fault.TooLarge, "rest.search", "The parameters of the body have %d bytes; the limit is %d.", len(body), search.MaxForm)
	}
	return search.ParseQuery(string(body))
}
