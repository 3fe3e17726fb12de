package edge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"tarn/api/edge"
	"tarn/fault"
)

const datastore = "/datastore/0123456789abcdef0123456789abcdef/r4/"

func TestHandler_leadsEachRequestToItsFace(t *testing.T) {
	t.Parallel()
	h := edge.New(edge.Config{}).Handler(allFaces())
	for _, c := range []struct {
		what   string
		r      *http.Request
		status int
		body   string
	}{
		{"HealthLake's target", request("healthlake", "POST", "/", "{}", "X-Amz-Target", "HealthLake.ListFHIRDatastores"), 200, "healthlake"},
		{"KMS's target", request("kms", "POST", "/", "{}", "X-Amz-Target", "TrentService.CreateKey"), 200, "kms"},
		{"unsigned target", request("", "POST", "/", "{}", "X-Amz-Target", "HealthLake.X"), 200, "healthlake"},
		{"IAM's scope", request("iam", "POST", "/", "Action=X"), 200, "iam"},
		{"STS's scope", request("sts", "POST", "/", "Action=X"), 200, "sts"},
		{"unsigned form", request("", "POST", "/", "Action=X", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), 200, "sts"},
		{"S3's scope", request("s3", "GET", "/bucket/key", ""), 200, "s3"},
		{"S3's root", request("s3", "GET", "/", ""), 200, "s3"},
		{"a bucket called console", request("s3", "GET", "/console/x", ""), 200, "s3"},
		{"a bucket called metrics", request("s3", "GET", "/metrics", ""), 200, "s3"},
		{"presigned", request("", "GET", "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", ""), 200, "s3"},
		{"presigned for STS", request("", "GET", "/?Action=GetCallerIdentity&X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fsts%2Faws4_request", ""), 200, "sts"},
		{"FHIR", request("healthlake", "GET", datastore+"Patient/1", ""), 200, "fhir"},
		{"FHIR under a wrong scope", request("s3", "GET", datastore+"Patient/1", ""), 200, "fhir"},
		{"FHIR unsigned", request("", "GET", "/datastore/x", ""), 200, "fhir"},
		{"console", request("", "GET", "/console/jobs", ""), 200, "console"},
		{"health", request("", "GET", "/healthz", ""), 200, "ok\n"},
		{"ready", request("", "GET", "/readyz", ""), 200, "ready\n"},
		{"metrics", request("", "GET", "/metrics", ""), 200, "metrics"},
		{"browser at the door", request("", "GET", "/", "", "Accept", "text/html,*/*"), 302, ""},
		{"/console", request("", "GET", "/console", ""), 302, ""},
		{"nothing known", request("", "GET", "/bucket/key", ""), 200, "s3"},
		{"unknown target", request("", "POST", "/", "{}", "X-Amz-Target", "DynamoDB_20120810.ListTables"), 404, "UnknownOperationException"},
		{"HealthLake without a target", request("healthlake", "POST", "/", "{}"), 404, "UnknownOperationException"},
		{"KMS without a target", request("kms", "POST", "/", "{}"), 404, "UnknownOperationException"},
		{"a service that is not here", request("ec2", "POST", "/", "Action=X"), 400, "signed for the service &#34;ec2&#34;"},
		{"POST to a probe", request("", "POST", "/healthz", ""), 405, "only GET"},
	} {
		w := serve(h, c.r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s: %d %s, want %d %s", c.what, w.Code, w.Body, c.status, c.body)
		}
		if c.status == 302 && w.Header().Get("Location") != "/console/" {
			t.Errorf("%s: Location %q", c.what, w.Header().Get("Location"))
		}
	}
	w := serve(edge.New(edge.Config{}).Handler(edge.Faces{}), request("kms", "POST", "/", "{}", "X-Amz-Target", "TrentService.CreateKey"))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "does not offer the service kms") {
		t.Errorf("a face that is not offered: %d %s", w.Code, w.Body)
	}
}

func TestHandler_answersCarryIDsAndGuards(t *testing.T) {
	t.Parallel()
	var inside string
	faces := allFaces()
	faces.S3 = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = edge.RequestID(r.Context()) })
	h := edge.New(edge.Config{}).Handler(faces)
	w := serve(h, request("", "GET", "/bucket", ""))
	id := w.Header().Get("x-amzn-RequestId")
	if id != inside || id != w.Header().Get("x-amz-request-id") || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("request id %q, inside %q", id, inside)
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers %v", w.Header())
	}
	if other := serve(h, request("", "GET", "/bucket", "")).Header().Get("x-amzn-RequestId"); other == id {
		t.Error("two requests have one id")
	}
	if w := serve(h, request("", "GET", "/console/", "")); w.Header().Get("Content-Security-Policy") != "" {
		t.Error("the console's own policy is overruled")
	}
	if edge.RequestID(context.Background()) != "" {
		t.Error("an id without a request")
	}
}

func TestHandler_boundsBodiesAndURLs(t *testing.T) {
	t.Parallel()
	faces := allFaces()
	read := func(write func(http.ResponseWriter, *http.Request, error)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				write(w, r, err)
			}
		})
	}
	faces.HealthLake, faces.FHIR, faces.S3 = read(edge.WriteJSONError), read(edge.WriteOutcome), read(edge.WriteS3Error)
	h := edge.New(edge.Config{MaxBody: 10, MaxObject: 20}).Handler(faces)
	unknownLength := func(r *http.Request) *http.Request { r.ContentLength = -1; return r }
	target := []string{"X-Amz-Target", "HealthLake.X"}
	for _, c := range []struct {
		what   string
		r      *http.Request
		status int
		body   string
	}{
		{"at the limit", request("", "POST", "/", "0123456789", target...), 200, ""},
		{"over it", request("", "POST", "/", "0123456789x", target...), 413, "com.amazonaws.healthlake#RequestEntityTooLargeException"},
		{"over it, of unknown length", unknownLength(request("", "POST", "/", "0123456789xx", target...)), 413, "RequestEntityTooLargeException"},
		{"FHIR over it", request("", "POST", datastore, "0123456789x"), 413, "too-long"},
		{"an object", request("s3", "PUT", "/b/k", "0123456789x"), 200, ""},
		{"an object over its limit", request("s3", "PUT", "/b/k", strings.Repeat("x", 21)), 400, "EntityTooLarge"},
		{"a long URL", request("", "GET", datastore+"Patient?x="+strings.Repeat("y", edge.MaxURL), ""), 414, "POST to _search"},
	} {
		if w := serve(h, c.r); w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s: %d %s, want %d %s", c.what, w.Code, w.Body, c.status, c.body)
		}
	}
}

func TestHandler_outlivesABrokenFace(t *testing.T) {
	t.Parallel()
	var log lines
	registry := prometheus.NewRegistry()
	faces := allFaces()
	faces.HealthLake = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("John Doe, born 1970") })
	faces.S3 = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("half")); panic("later") })
	h := edge.New(edge.Config{Log: log.logger(), Registry: registry}).Handler(faces)
	w := serve(h, request("", "POST", "/", "{}", "X-Amz-Target", "HealthLake.X"))
	if w.Code != 500 || !strings.Contains(w.Body.String(), "InternalServerException") || strings.Contains(w.Body.String(), "John") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "edge_test.go") && !strings.Contains(log.String(), "TestHandler_outlivesABrokenFace") || strings.Contains(log.String(), "John") {
		t.Errorf("log %s", log.String())
	}
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("half an answer is left to look whole")
			}
		}()
		serve(h, request("s3", "GET", "/b/k", ""))
	}()
	if n := metric(t, registry, "tarn_http_panics_total"); n != 2 {
		t.Errorf("%v panics counted", n)
	}
	if n := metric(t, registry, "tarn_http_requests_in_flight"); n != 0 {
		t.Errorf("%v in flight", n)
	}
}

// metric is the sum of a metric's values over its labels.
func metric(t *testing.T, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

func TestHandler_logsWhatItMayAndCounts(t *testing.T) {
	t.Parallel()
	var log lines
	registry := prometheus.NewRegistry()
	e := edge.New(edge.Config{Log: log.logger(), Registry: registry, Directory: policy(t, allowAll)})
	faces := allFaces()
	faces.FHIR = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		edge.SetRoute(r.Context(), "fhir.read")
		if _, err := e.Authenticate(w, r, "healthlake"); err != nil {
			edge.WriteOutcome(w, r, err)
			return
		}
		edge.WriteOutcome(w, r, fmt.Errorf("disk: %w", errors.New("bad sector")))
	})
	h := e.Handler(faces)
	w := serve(h, signed("healthlake", "GET", datastore+"Patient/p-77?name=Doe", "", emptyHash))
	serve(h, request("", "GET", "/bucket", ""))
	serve(h, httptest.NewRequest("SECRETMETHOD", "http://tarn.test/", nil))
	records := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(records) != 3 {
		t.Fatalf("log %s", log.String())
	}
	allowed := []string{"access_key", "bytes", "error", "level", "method", "ms", "msg", "request_id", "route", "status", "time"}
	for _, line := range records {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		for _, key := range slices.Sorted(maps.Keys(record)) {
			if !slices.Contains(allowed, key) {
				t.Errorf("attribute %s in %s", key, line)
			}
		}
	}
	for _, secretWord := range []string{"p-77", "Doe", "SECRETMETHOD", "Signature", secret} {
		if strings.Contains(log.String(), secretWord) {
			t.Errorf("%s in the log: %s", secretWord, log.String())
		}
	}
	var first map[string]any
	_ = json.Unmarshal([]byte(records[0]), &first)
	if first["route"] != "fhir.read" || first["status"] != 500.0 || first["access_key"] != keyID || first["request_id"] != w.Header().Get("x-amzn-requestid") ||
		first["level"] != "ERROR" || !strings.Contains(fmt.Sprint(first["error"]), "bad sector") {
		t.Errorf("first line %s", records[0])
	}
	if strings.Contains(w.Body.String(), "sector") {
		t.Errorf("an internal text left: %s", w.Body)
	}
	if n := metric(t, registry, "tarn_http_requests_total"); n != 3 {
		t.Errorf("%v requests counted", n)
	}
	if n := metric(t, registry, "tarn_http_request_seconds"); n != 3 {
		t.Errorf("%v requests timed", n)
	}
}

func TestEdge_drainsAndTellsWhyItIsNotReady(t *testing.T) {
	t.Parallel()
	e := edge.New(edge.Config{})
	faces := allFaces()
	var notYet error
	faces.Ready = func(context.Context) error { return notYet }
	h := e.Handler(faces)
	ready := func(status int, text string) {
		t.Helper()
		if w := serve(h, request("", "GET", "/readyz", "")); w.Code != status || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%d %s, want %d %s", w.Code, w.Body, status, text)
		}
	}
	ready(200, "ready")
	notYet = fault.Errorf(fault.Unavailable, "store", "the clock is off by 3 s")
	ready(503, "the clock is off")
	for _, foreign := range []error{errors.New("pq: password of tarn"), fault.Errorf(fault.Unavailable, "kv", "the database does not answer: %w", errors.New("dial 10.0.0.5"))} {
		notYet = foreign
		ready(503, "the server's log tells more")
		if w := serve(h, request("", "GET", "/readyz", "")); strings.Contains(w.Body.String(), "password") || strings.Contains(w.Body.String(), "10.0.0.5") {
			t.Errorf("everybody is told %s", w.Body)
		}
	}
	notYet = nil
	e.Drain()
	ready(503, "draining")
	if w := serve(h, request("", "GET", "/healthz", "")); w.Code != 200 {
		t.Errorf("healthz while draining: %d", w.Code)
	}
}

func TestServer_speaksHTTP(t *testing.T) {
	t.Parallel()
	e := edge.New(edge.Config{Directory: policy(t, allowAll)})
	faces := allFaces()
	faces.S3 = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		edge.WriteS3Error(w, r, fault.Errorf(fault.NotFound, "x", "gone"))
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = e.Server(e.Handler(faces))
	server.Start()
	t.Cleanup(server.Close)
	for _, c := range []struct {
		method, path string
		status       int
		empty        bool
	}{{"HEAD", "/bucket/key", 404, true}, {"GET", "/bucket/key", 404, false}, {"GET", "/healthz", 200, false}} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != c.status || (len(body) == 0) != c.empty {
			t.Errorf("%s %s: %d %q", c.method, c.path, response.StatusCode, body)
		}
	}
}

// FuzzHandler throws foreign headers and paths at the edge: every request gets an answer, and none breaks it.
func FuzzHandler(f *testing.F) {
	f.Add("GET", "/b/k?X-Amz-Credential=A%2fB%2fs3%2Faws4_request", "AWS4-HMAC-SHA256 Credential=A/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=0", "HealthLake.X", "text/html")
	f.Add("POST", "/datastore/0123456789abcdef0123456789abcdef/", "Credential=", "", "")
	f.Add("PUT", "//", "Credential=//", "TrentService.", "")
	e := edge.New(edge.Config{Directory: policy(f, allowAll)})
	authenticate := func(service string, write func(http.ResponseWriter, *http.Request, error)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := e.Authenticate(w, r, service); err != nil {
				write(w, r, err)
			}
		})
	}
	h := e.Handler(edge.Faces{HealthLake: authenticate("healthlake", edge.WriteJSONError), KMS: authenticate("kms", edge.WriteKMSError),
		S3: authenticate("s3", edge.WriteS3Error), FHIR: authenticate("healthlake", edge.WriteOutcome), Console: say("console")})
	f.Fuzz(func(t *testing.T, method, target, authorization, amzTarget, accept string) {
		r, err := http.NewRequest(method, "http://tarn.test", nil)
		if err != nil {
			t.Skip()
		}
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
		r.RequestURI, r.Body = target, http.NoBody
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Target", amzTarget)
		r.Header.Set("Accept", accept)
		if w := serve(h, r); w.Code == 500 {
			t.Fatalf("%s", w.Body)
		}
	})
}

// A signer resolves dot segments before it signs (botocore does), so a signature for one address could be carried to
// another.
func TestHandler_takesNoDotSegmentsBelowADatastore(t *testing.T) {
	t.Parallel()
	e := edge.New(edge.Config{})
	reached := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) })
	handler := e.Handler(edge.Faces{FHIR: reached, S3: reached})
	const base = "/datastore/0123456789abcdef0123456789abcdef/r4/"
	for path, want := range map[string]int{
		base + "Patient/1":              200,
		base + "Patient/1.2":            200,
		base + "Patient/..a":            200,
		base + "Patient/../Patient/1":   404,
		base + "Patient/.":              404,
		base + "Patient/%2e%2E/x":       404,
		base + "Patient/..%2f1":         404,
		"/datastore/x/../y/r4/Patient":  404,
		"/datastore/../console/Patient": 404,
		"/bucket/../key":                200, // names of objects may be anything
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://tarn.test"+path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
