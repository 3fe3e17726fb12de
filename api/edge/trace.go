package edge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"
)

// trace is what the edge remembers of a request while it is answered. It is written by the request's own goroutine.
type trace struct {
	http.ResponseWriter // what the faces write to is the trace itself, which counts
	id                  string
	route               string // name for log and metrics: from our code, never from the request
	accessKey           string // as claimed; it is not verified where status is 403
	failure             error  // internal, for the log
	status              int
	bytes               int64
	start               time.Time
}

type traceKey struct{}

func traceOf(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	return t
}

// RequestID is the id that the answer carries as x-amzn-RequestId, or empty outside a request.
func RequestID(ctx context.Context) string {
	if t := traceOf(ctx); t != nil {
		return t.id
	}
	return ""
}

// SetRoute names what is being done for the log and the metrics ("healthlake.ListFHIRDatastores"). The name comes from
// a face's own table, never from the request.
func SetRoute(ctx context.Context, name string) {
	if t := traceOf(ctx); t != nil {
		t.route = name
	}
}

// WriteHeader remembers the status.
func (t *trace) WriteHeader(status int) {
	if t.status == 0 && status >= http.StatusOK {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (t *trace) Write(p []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	n, err := t.ResponseWriter.Write(p)
	t.bytes += int64(n)
	return n, err
}

// Flush sends what is buffered, for answers that come in pieces.
func (t *trace) Flush() { _ = http.NewResponseController(t.ResponseWriter).Flush() }

// Unwrap is for http.ResponseController.
func (t *trace) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// newID is a random UUID, version 4.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// logged are all the attributes that an access line may have: no path, since it names patients; no query; no body; no
// header. error stands only in lines of internal errors and broken handlers.
//
//	method route status bytes ms request_id access_key error
func (e *Edge) log(ctx context.Context, method string, t *trace, took time.Duration) {
	level := slog.LevelInfo
	if t.failure != nil {
		level = slog.LevelError
	}
	if !e.cfg.Log.Enabled(ctx, level) {
		return
	}
	room := [8]slog.Attr{
		slog.String("method", method), slog.String("route", t.route), slog.Int("status", t.status), slog.Int64("bytes", t.bytes),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("request_id", t.id)}
	attrs := room[:6]
	if t.accessKey != "" {
		attrs = append(attrs, slog.String("access_key", t.accessKey))
	}
	if t.failure != nil {
		attrs = append(attrs, slog.String("error", t.failure.Error()))
	}
	e.cfg.Log.LogAttrs(ctx, level, "request", attrs...)
}

// knownMethod keeps foreign words out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// isKeyID reports whether s can be an access key id, and so may stand in the log.
func isKeyID(s string) bool {
	if len(s) < 16 || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
