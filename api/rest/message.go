package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tarn/api/edge"
	"tarn/fault"
	"tarn/fhir"
	"tarn/interaction"
	"tarn/store"
)

// mediaFHIR is the media type of resources; answers name the character set too, as FHIR R4 section 3.1.0.1.11 demands.
const (
	mediaFHIR     = "application/fhir+json"
	mediaFHIRUTF8 = mediaFHIR + "; charset=utf-8"
)

// resource is the request's body: JSON in UTF-8, and within the bound that the edge set.
func (r *request) resource() ([]byte, error) {
	if r.entry != nil {
		return r.entry.Resource(), nil
	}
	if given := r.Header.Get("Content-Type"); given != "" {
		name, params, err := mime.ParseMediaType(given)
		if set := params["charset"]; err != nil || !media[name] || set != "" && !strings.EqualFold(set, "utf-8") || otherVersion(params) {
			return nil, edge.WithStatus(http.StatusUnsupportedMediaType, fault.WithHint(
				fault.Errorf(fault.Unsupported, "rest", "A resource comes as %s in UTF-8, not as %q.", mediaFHIR, given), "Send Content-Type: %s.", mediaFHIR))
		}
	}
	return r.call.Bytes()
}

func etag(number uint64) string { return `W/"` + strconv.FormatUint(number, 10) + `"` }

// parseETag reads one entity tag, weak or not, quoted or not.
func parseETag(header, tag string) (uint64, error) {
	bare := strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
	n, err := strconv.ParseUint(bare, 10, 63)
	if err != nil || n == 0 {
		return 0, badHeader(header, `it is not of the form W/"1"`)
	}
	return n, nil
}

func badHeader(header, why string) error {
	return fhir.NewOutcomeError(fault.Invalid, "rest", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeValue,
		Diagnostics: fmt.Sprintf("The header %s cannot be used: %s.", header, why)})
}

func (r *request) setVersion(v store.Version) {
	r.when = v.Instant
	h := r.w.Header()
	h.Set("ETag", etag(v.Number))
	h.Set("Last-Modified", v.Instant.Time().Format(http.TimeFormat))
}

// unchanged reports whether the caller has this version already: If-None-Match decides, If-Modified-Since where it is
// absent (RFC 9110 section 13.2.2).
func (r *request) unchanged(v store.Version) bool {
	if tags := r.Header.Get("If-None-Match"); tags != "" {
		for tag := range strings.SplitSeq(tags, ",") {
			n, err := parseETag("If-None-Match", tag)
			if strings.TrimSpace(tag) == "*" || err == nil && n == v.Number {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !v.Instant.Time().Truncate(time.Second).After(since)
}

// written answers a write, with as much as the caller prefers (FHIR R4 section 3.1.0.1.9).
func (r *request) written(status int, res interaction.Written) error {
	r.setVersion(res.Version)
	if len(res.Tolerated) > 0 {
		r.w.Header().Set(validationIssues, "true")
	}
	r.w.Header().Set("Location", fmt.Sprintf("%s%s/%s/_history/%d", r.call.Base, res.Type, res.ID, res.Number))
	switch r.prefer("return") {
	case "minimal":
		r.w.WriteHeader(status)
		return nil
	case "OperationOutcome":
		return r.write(status, fhir.Outcome{}.AppendJSON(nil))
	}
	return r.write(status, res.Body)
}

// prefer is the value of one preference of the Prefer header (RFC 7240).
func (r *request) prefer(name string) string {
	for _, line := range r.Header.Values("Prefer") {
		for part := range strings.FieldsFuncSeq(line, func(c rune) bool { return c == ',' || c == ';' }) {
			if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(k, name) {
				return strings.Trim(v, `"`)
			}
		}
	}
	return ""
}

// prefers reports whether the Prefer header has a preference without a value.
func (r *request) prefers(name string) bool {
	for _, line := range r.Header.Values("Prefer") {
		for part := range strings.FieldsFuncSeq(line, func(c rune) bool { return c == ',' || c == ';' }) {
			if strings.EqualFold(strings.TrimSpace(part), name) {
				return true
			}
		}
	}
	return false
}

// write sends a resource, on several lines where _pretty asks for it.
func (r *request) write(status int, body []byte) error {
	h := r.w.Header()
	h.Set("Content-Type", mediaFHIRUTF8)
	if r.URL.Query().Get("_pretty") == "true" {
		var b bytes.Buffer
		if err := json.Indent(&b, body, "", "  "); err != nil {
			return fault.Wrap("rest", err)
		}
		body = append(b.Bytes(), '\n')
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	r.w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = r.w.Write(body) // a caller that went away is nobody's error
	return nil
}
