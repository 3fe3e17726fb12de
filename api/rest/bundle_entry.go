package rest

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"tarn/api/edge"
	"tarn/fault"
	"tarn/fhir"
	"tarn/interaction"
	"tarn/store"
)

// entryCall is an entry of a Bundle as a request of its own: the same routes, rights and handlers answer it.
type entryCall struct {
	*request
	route   *route
	answer  *recorder
	refused error // why it cannot be carried out
	all     *bundleAnswer
}

// bundleAnswer is what the answers to the entries of one Bundle have in common.
type bundleAnswer struct {
	writing sync.Mutex // what is said of errors goes to the log of one request
	size    atomic.Int64
}

// maxAnswer bounds the bytes that the entries of one Bundle read: they are all held in memory. Entries that come to their
// turn after that are refused.
const maxAnswer = 64 << 20

// entryCallsOf finds the route of each entry and asks whether the caller may take it.
func (f *Face) entryCallsOf(r *request, entries []interaction.Entry) []*entryCall {
	rights := map[string]error{}
	may := func(action string) error {
		err, asked := rights[action]
		if !asked {
			err = r.call.Authorize(action)
			rights[action] = err
		}
		return err
	}
	calls, all := make([]*entryCall, len(entries)), new(bundleAnswer)
	for i := range entries {
		if entries[i].Method == "" && entries[i].Refused == nil {
			continue // one that was done before
		}
		calls[i] = f.entryCall(r, &entries[i], may)
		calls[i].all = all
	}
	return calls
}

func (f *Face) entryCall(r *request, e *interaction.Entry, may func(action string) error) *entryCall {
	c := &entryCall{answer: &recorder{header: http.Header{}}}
	header := http.Header{"Accept": {mediaFHIR}, "Content-Type": {mediaFHIR}}
	for name, value := range map[string]string{"If-Match": e.IfMatch, "If-None-Match": e.IfNoneMatch, "If-Modified-Since": e.IfModifiedSince, "If-None-Exist": e.IfNoneExist} {
		if value != "" {
			header.Set(name, value)
		}
	}
	header["Prefer"] = append([]string{"return=minimal"}, r.Header.Values("Prefer")...)
	if wanted := r.prefer("return"); wanted != "" {
		header["Prefer"] = r.Header.Values("Prefer")
	}
	if level := r.Header.Get(validationLevel); level != "" {
		header.Set(validationLevel, level)
	}
	synthetic := (&http.Request{Method: e.Method, URL: &url.URL{Path: "/" + e.Path, RawQuery: e.Query}, Header: header, Body: http.NoBody, Proto: r.Proto,
		Host: r.Host, RemoteAddr: r.RemoteAddr}).WithContext(r.Context())
	c.request = &request{Request: synthetic}
	rt, req, allowed, err := f.match(e.Method, e.Path)
	if e.Refused != nil {
		err, allowed = e.Refused, ""
	}
	if allowed != "" {
		c.answer.header.Set("Allow", allowed)
	}
	switch {
	case err != nil:
		c.refused = err
	case rt.pattern == "" && rt.method == http.MethodPost:
		c.refused = fault.Errorf(fault.Unsupported, "rest.bundle", "A Bundle cannot be posted within a Bundle.")
	default:
		c.refused = may(rt.iamAction)
	}
	if req != nil {
		c.request = req
	}
	c.route = rt
	c.Request, c.call, c.w, c.entry, c.target.Datastore = synthetic, r.call, c.answer, e, r.target.Datastore
	return c
}

// entryRefused says of an error which entry of a transaction met it.
func entryRefused(i int, err error) error {
	at := fmt.Sprintf("Bundle.entry[%d].request.url", i)
	var told *fhir.OutcomeError
	if errors.As(err, &told) && len(told.Issues) > 0 {
		issues := append([]fhir.Issue(nil), told.Issues...)
		for n := range issues {
			issues[n].Expression = []string{at}
		}
		return fhir.NewOutcomeError(told.Kind, "rest.bundle", issues...)
	}
	code := "not-supported"
	if fault.Is(err, fault.Denied) {
		code = "forbidden"
	}
	named := fhir.NewOutcomeError(fault.KindOf(err), "rest.bundle", fhir.Issue{Severity: fhir.SeverityError, Code: code,
		Diagnostics: fault.Message(err), Expression: []string{at}})
	if fault.Is(err, fault.Unsupported) {
		return edge.WithStatus(http.StatusBadRequest, named)
	}
	return named
}

// run lets the handler of the entry's route answer; placed, unless nil, says of an error where in the Bundle it is.
func (c *entryCall) run(f *Face, placed func(error) error) fhir.BundleEntry {
	err := c.refused
	if err == nil && !c.entry.Writes() && c.all.size.Load() > maxAnswer {
		err = fault.WithHint(fault.Errorf(fault.TooLarge, "rest.bundle", "The answers to the entries of the Bundle have more than %d bytes.", maxAnswer),
			"Send this entry as a request of its own.")
	}
	if err == nil {
		if err = c.route.handle(f, c.request); err != nil && placed != nil {
			err = placed(err)
		}
	}
	if err != nil {
		c.all.writing.Lock()
		defer c.all.writing.Unlock()
		edge.WriteOutcome(c.answer, c.Request, err)
	}
	return c.result()
}

// result is what was answered, as an entry.
func (c *entryCall) result() (e fhir.BundleEntry) {
	a := c.answer
	c.all.size.Add(int64(len(a.body)))
	status := a.status
	if status == 0 {
		status = http.StatusOK
	}
	e.Response.Status = statusText(status)
	e.Response.ETag = a.header.Get("Etag")
	e.Response.LastModified = c.when
	if at := a.header.Get("Location"); at != "" {
		e.Response.Location = strings.TrimPrefix(at, c.call.Base)
	}
	switch {
	case len(a.body) == 0:
	case bytes.HasPrefix(a.body, []byte(`{"resourceType":"OperationOutcome"`)) && (status >= http.StatusBadRequest || c.entry.Writes()):
		e.Response.Outcome = a.body
	default:
		e.Resource = a.body
		if id := c.target.ID; id != "" && c.vid == "" && !strings.Contains(c.entry.Path, "_history") && !strings.Contains(c.entry.Path, "$") {
			e.FullURL = c.call.Base + c.target.Type.String() + "/" + id
		}
	}
	return e
}

// statusText is Bundle.entry.response.status: the code alone, as HealthLake has it.
func statusText(status int) string { return strconv.Itoa(status) }

// location is Bundle.entry.response.location, relative to the base, as HealthLake has it.
func location(v store.Version) string {
	return fmt.Sprintf("%s/%s/_history/%d", v.Type, v.ID, v.Number)
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (a *recorder) Header() http.Header { return a.header }

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recorder) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}
