package bulk

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"tarn/api/edge"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
)

// sendFile answers with a file. Ranges (RFC 9110 section 14) are of the file as it is, and If-Range with its ETag lets a
// download go on; a whole file is packed by gzip where the caller takes that and asks for no range.
func sendFile(w http.ResponseWriter, r *http.Request, file export.OwnFile) error {
	h := w.Header()
	h.Set("Content-Type", mediaNDJSON)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "private, no-store")
	if unit := r.Header.Get("Range"); unit != "" && !strings.HasPrefix(unit, "bytes=") {
		r.Header.Del("Range") // a unit that is not known is as none
	}
	if r.Header.Get("Range") == "" && takesGzip(r) {
		return sendPacked(w, r, file)
	}
	content := &seeker{ctx: r.Context(), file: file}
	defer content.close()
	h.Set("Accept-Ranges", "bytes")
	h.Set("Etag", `"`+file.ETag+`"`)
	http.ServeContent(&unsatisfied{ResponseWriter: w, request: r}, r, "", time.Time{}, content)
	return nil
}

func sendPacked(w http.ResponseWriter, r *http.Request, file export.OwnFile) error {
	h, tag := w.Header(), `"`+file.ETag+`-gzip"`
	h.Set("Etag", tag)
	if match := r.Header.Values("If-Match"); len(match) > 0 && !listed(match, tag, false) {
		(&unsatisfied{ResponseWriter: w, request: r}).WriteHeader(http.StatusPreconditionFailed)
		return nil
	}
	if listed(r.Header.Values("If-None-Match"), tag, true) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body, err := file.Open(r.Context(), 0, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	h.Set("Content-Encoding", "gzip")
	if r.Method == http.MethodHead {
		return nil
	}
	packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err = io.Copy(packed, body); err == nil {
		err = packed.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the status has gone: breaking off is the only way to say that it failed
	}
	return nil
}

// listed reports whether a list of ETags (RFC 9110 section 13.1) has this one, or all; a weak one counts where weak does.
func listed(lines []string, tag string, weak bool) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			part = strings.TrimSpace(part)
			if weak {
				part = strings.TrimPrefix(part, "W/")
			}
			if part == tag || part == "*" {
				return true
			}
		}
	}
	return false
}

// unsatisfied answers with an outcome where http.ServeContent says 416 in plain text, or 412 with nothing.
type unsatisfied struct {
	http.ResponseWriter
	request *http.Request
	told    bool
}

// WriteHeader implements http.ResponseWriter.
func (u *unsatisfied) WriteHeader(code int) {
	switch code {
	case http.StatusRequestedRangeNotSatisfiable:
		u.refuse(code, fhir.CodeValue, "The file has none of the bytes that the header Range asks for.")
	case http.StatusPreconditionFailed:
		u.refuse(code, "conflict", "The file is not the one that the header If-Match names.")
	default:
		u.ResponseWriter.WriteHeader(code)
	}
}

func (u *unsatisfied) refuse(status int, code, why string) {
	u.told = true
	edge.WriteOutcome(u.ResponseWriter, u.request, edge.WithStatus(status, fhir.NewOutcomeError(fault.Invalid, "bulk", fhir.Issue{Severity: fhir.SeverityError,
		Code: code, Diagnostics: why})))
}

// Write implements io.Writer.
func (u *unsatisfied) Write(p []byte) (int, error) {
	if u.told {
		return len(p), nil
	}
	return u.ResponseWriter.Write(p)
}

// takesGzip reports whether Accept-Encoding names gzip with a quality above zero.
func takesGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				q := strings.ReplaceAll(params, " ", "")
				return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
			}
		}
	}
	return false
}

// seeker reads a file from anywhere, as http.ServeContent wants it.
type seeker struct {
	ctx  context.Context
	file export.OwnFile
	at   int64
	body io.ReadCloser // nil until something is read from at
}

func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.file.Size
	}
	if offset != s.at {
		s.close()
	}
	s.at = offset
	return offset, nil
}

func (s *seeker) Read(p []byte) (n int, err error) {
	if s.at >= s.file.Size {
		return 0, io.EOF
	}
	if s.body == nil {
		if s.body, err = s.file.Open(s.ctx, s.at, -1); err != nil {
			return 0, err
		}
	}
	n, err = s.body.Read(p)
	s.at += int64(n)
	return n, err
}

func (s *seeker) close() {
	if s.body != nil {
		_ = s.body.Close()
		s.body = nil
	}
}
