package edge

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"tarn/fault"
)

// Handler leads each request to its face: it gives it an id, bounds it, answers for a face that breaks down, counts it
// and writes one line to the log.
func (e *Edge) Handler(f Faces) http.Handler {
	faces := [...]http.Handler{f.HealthLake, f.KMS, f.IAM, f.STS, f.S3, f.FHIR, f.Console, e.probes(f)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, problem := route(r)
		t := &trace{ResponseWriter: w, id: newID(), route: names[kind], start: time.Now()}
		r = r.WithContext(context.WithValue(r.Context(), traceKey{}, t))
		setHeaders(w.Header(), kind, t.id)
		e.metrics.inFlight.Inc()
		defer e.finish(t, r, kind)
		if err := e.bound(t, r, kind); err != nil {
			write(t, r, kind, err)
			return
		}
		switch {
		case problem == toConsole:
			w.Header()["Location"] = []string{"/console/"}
			t.WriteHeader(http.StatusFound)
		case problem != noProblem:
			write(t, r, kind, refusal(problem, r))
		case faces[kind] == nil:
			write(t, r, kind, fault.Errorf(fault.Unsupported, "edge", "this server does not offer the service %s", names[kind]))
		default:
			faces[kind].ServeHTTP(t, r)
		}
	})
}

// finish answers for a handler that panicked, and records the request.
func (e *Edge) finish(t *trace, r *http.Request, kind face) {
	e.metrics.inFlight.Dec()
	broken := recover()
	aborted := broken == http.ErrAbortHandler
	if broken != nil && !aborted {
		e.metrics.panics.Inc()
		// The value may hold anything that the handler had in its hands: only its type and place are told.
		t.failure = fmt.Errorf("handler broke down: %s", place(broken))
		aborted = t.status != 0 // half an answer must not look like a whole one
		if !aborted {
			write(t, r, kind, t.failure)
		}
	}
	if t.status == 0 {
		t.status = http.StatusOK
		if aborted {
			t.status = 499 // the client, or the handler, hung up
		}
	}
	took := time.Since(t.start)
	e.metrics.observe(t.route, t.status, took)
	e.log(r.Context(), knownMethod(r.Method), t, took)
	if aborted {
		panic(http.ErrAbortHandler)
	}
}

// place is the type of a panic's value and where it came from.
func place(broken any) string {
	s := fmt.Sprintf("%T", broken)
	if err, ok := broken.(runtime.Error); ok {
		s = err.Error()
	}
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for range 12 {
		frame, more := frames.Next()
		s += fmt.Sprintf(" < %s:%d", frame.Function, frame.Line)
		if !more {
			break
		}
	}
	return s
}

// bound refuses what is too long before anybody looks at it, and bounds what is of unknown length.
func (e *Edge) bound(w http.ResponseWriter, r *http.Request, kind face) error {
	if len(r.RequestURI) > MaxURL {
		return WithStatus(http.StatusRequestURITooLong, fault.WithHint(
			fault.Errorf(fault.TooLarge, "edge", "the URL has %d bytes; the limit is %d", len(r.RequestURI), MaxURL),
			"send a search by POST to _search"))
	}
	limit := e.bodyLimit(r)
	if kind == faceS3 {
		limit = e.cfg.MaxObject
	}
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	if r.ContentLength != 0 && r.Body != nil {
		r.Body = newBounded(w, r.Body, limit, kind != faceS3)
	}
	return nil
}

// bodyLimit is the most bytes that the body of a request to another face than S3 may have. A FHIR package is larger than
// any resource.
func (e *Edge) bodyLimit(r *http.Request) int64 {
	if r.Method == http.MethodPost && isDatastore(r.URL.Path) && strings.HasSuffix(r.URL.Path, "/r4/profiles") {
		return max(e.cfg.MaxBody, MaxPackage)
	}
	return e.cfg.MaxBody
}

func tooLarge(limit int64) error {
	return fault.Errorf(fault.TooLarge, "edge", "the body is over the limit of %d bytes", limit)
}

// refusal is the answer to a request that leads nowhere.
func refusal(p problem, r *http.Request) error {
	switch p {
	case unknownTarget:
		return WithCode("UnknownOperationException", fault.WithHint(
			fault.Errorf(fault.NotFound, "edge", "the X-Amz-Target header names no operation of this server"),
			"this server knows %s* and %s*", targetHealthLake, targetKMS))
	case missingTarget:
		return WithCode("UnknownOperationException", fault.WithHint(
			fault.Errorf(fault.NotFound, "edge", "the request has no X-Amz-Target header and is not below /datastore/"),
			"an operation is POST / with X-Amz-Target: %sOPERATION", targetHealthLake))
	}
	if p == dotSegments {
		return WithStatus(http.StatusNotFound, fault.WithHint(
			fault.Errorf(fault.Unsupported, "edge", "There is nothing at this address."), "A path has no segments . and .. here."))
	}
	service := scopeOf(r)
	if len(service) > 32 {
		service = service[:32]
	}
	return WithCode("InvalidAction", fault.WithHint(
		fault.Errorf(fault.Invalid, "edge", "the request is signed for the service %q, which is not here", service),
		"this server speaks healthlake, s3, kms, iam and sts"))
}

// Answers of one header each: shared, and replaced, never changed, by handlers.
var (
	nosniff  = []string{"nosniff"}
	deny     = []string{"DENY"}
	noRef    = []string{"no-referrer"}
	noStore  = []string{"no-store"}
	sandbox  = []string{"default-src 'none'; frame-ancestors 'none'; sandbox"}
	server   = []string{"Tarn"}
	sameSite = []string{"same-origin"}
)

// setHeaders sets what every answer carries. The policy keeps a stored page (an object, a FHIR Binary) from running
// beside the console, with which it shares its origin; the console sets its own.
func setHeaders(h http.Header, kind face, id string) {
	ids := []string{id}
	h["X-Amzn-Requestid"] = ids
	h["X-Amz-Request-Id"] = ids
	h["Server"] = server
	h["X-Content-Type-Options"] = nosniff
	h["X-Frame-Options"] = deny
	h["Referrer-Policy"] = noRef
	if kind != faceConsole {
		h["Content-Security-Policy"] = sandbox
	} else {
		h["Cross-Origin-Opener-Policy"] = sameSite
	}
	if kind != faceS3 && kind != faceConsole {
		h["Cache-Control"] = noStore
	}
}
