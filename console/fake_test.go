package console_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tarn/console"
)

const (
	theKey    = "AKIAEXAMPLE000000001"
	theSecret = "a-secret-that-must-not-be-shown"
	dsID      = "0123456789abcdef0123456789abcdef"
	dsARN     = "arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/" + dsID
	jobID     = "fedcba9876543210fedcba9876543210"
	keyARN    = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
	roleARN   = "arn:aws:iam::123456789012:role/exporter"
	hostile   = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`
)

// fake is an API that answers by rote and remembers what it was asked.
type fake struct {
	mu      sync.Mutex
	calls   []string          // operations in their order, and what matters of their arguments
	answers map[string]string // by operation: what to answer instead of the usual
	broken  map[string]string // by operation: the code of an error to answer
	bodies  map[string]string // by operation: the last request's body
	name    string            // of everything that has one
}

func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fake) body(operation string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bodies[operation]
}

// usual are the answers of an account with one of everything.
func (f *fake) usual(operation string) string {
	name, _ := json.Marshal(f.name)
	x := html.EscapeString(f.name)
	store := fmt.Sprintf(`{"DatastoreId":%q,"DatastoreArn":%q,"DatastoreName":%s,"DatastoreStatus":"ACTIVE","DatastoreTypeVersion":"R4","DatastoreEndpoint":%s,"CreatedAt":1700000000.5,
		"SseConfiguration":{"KmsEncryptionConfig":{"CmkType":%s}},"IdentityProviderConfiguration":{"AuthorizationStrategy":%s,"Metadata":%s}}`, dsID, dsARN, name, name, name, name, name)
	out := fmt.Sprintf(`{"S3Configuration":{"S3Uri":"s3://bucket-one/in/%s-FHIR_EXPORT-%s/","KmsKeyId":%q}}`, dsID, jobID, keyARN)
	export := fmt.Sprintf(`{"JobId":%q,"JobName":%s,"JobStatus":"COMPLETED","DatastoreId":%q,"DataAccessRoleArn":%q,"Message":%s,"SubmitTime":1700000000,"EndTime":1700000009,"OutputDataConfig":%s}`,
		jobID, name, dsID, roleARN, name, out)
	imported := fmt.Sprintf(`{"JobId":%q,"JobName":%s,"JobStatus":"IN_PROGRESS","DatastoreId":%q,"Message":%s,"SubmitTime":1700000001,"InputDataConfig":{"S3Uri":%s},"JobOutputDataConfig":%s}`, jobID, name, dsID, name, name, out)
	switch operation {
	case "GetSessionToken":
		return `<R><GetSessionTokenResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T12:00:00Z</Expiration></Credentials></GetSessionTokenResult></R>`
	case "GetCallerIdentity":
		return `<R><GetCallerIdentityResult><Account>123456789012</Account><Arn>` + x + `</Arn></GetCallerIdentityResult></R>`
	case "ListRoles":
		return `<R><ListRolesResult><Roles><member><RoleName>` + x + `</RoleName><Arn>` + roleARN + `</Arn></member></Roles></ListRolesResult></R>`
	case "CreateRole":
		return `<R><CreateRoleResult><Role><Arn>arn:aws:iam::123456789012:role/NewRole</Arn></Role></CreateRoleResult></R>`
	case "CreatePolicy":
		return `<R><CreatePolicyResult><Policy><Arn>arn:aws:iam::123456789012:policy/p</Arn></Policy></CreatePolicyResult></R>`
	case "AttachRolePolicy", "DeletePolicy":
		return `<R/>`
	case "ListFHIRDatastores":
		return `{"DatastorePropertiesList":[` + store + `]}`
	case "DescribeFHIRDatastore":
		return `{"DatastoreProperties":` + store + `}`
	case "CreateFHIRDatastore", "DeleteFHIRDatastore":
		return store
	case "ListFHIRExportJobs":
		return `{"ExportJobPropertiesList":[` + export + `]}`
	case "ListFHIRImportJobs":
		return `{"ImportJobPropertiesList":[` + imported + `]}`
	case "DescribeFHIRExportJob":
		return `{"ExportJobProperties":` + export + `}`
	case "DescribeFHIRImportJob":
		return `{"ImportJobProperties":` + imported + `}`
	case "StartFHIRExportJob":
		return fmt.Sprintf(`{"JobId":%q,"JobStatus":"SUBMITTED"}`, jobID)
	case "ListKeys":
		return `{"Keys":[{"KeyId":"11111111-2222-3333-4444-555555555555"}]}`
	case "DescribeKey":
		return fmt.Sprintf(`{"KeyMetadata":{"KeyId":"11111111-2222-3333-4444-555555555555","Arn":%q,"KeyState":"Enabled","KeyManager":"CUSTOMER","Description":%s}}`, keyARN, name)
	case "CreateKey":
		return `{"KeyMetadata":{"KeyId":"new","Arn":"arn:aws:kms:us-east-1:123456789012:key/new"}}`
	case "ListAliases":
		return fmt.Sprintf(`{"Aliases":[{"AliasName":%s,"TargetKeyId":"11111111-2222-3333-4444-555555555555"}]}`, name)
	case "CreateAlias":
		return `{}`
	case "ListBuckets":
		return `<R><Buckets><Bucket><Name>bucket-one</Name></Bucket></Buckets></R>`
	case "ListObjects":
		return `<R><Contents><Key>in/` + dsID + `-FHIR_EXPORT-` + jobID + `/` + x + `</Key><Size>12</Size></Contents>` +
			`<Contents><Key>in/` + dsID + `-FHIR_EXPORT-` + jobID + `/manifest.json</Key><Size>500</Size></Contents></R>`
	case "GetObject":
		return fmt.Sprintf(`{"count":7,"types":[{"type":%s,"files":1,"count":7,"bytes":12}],"output":[]}`, name)
	case "preflight":
		return `{"findings":[]}`
	case "progress":
		return fmt.Sprintf(`{"jobId":%q,"transactionTime":%s,"progress":{"PartsDone":1,"PartsTotal":2}}`, jobID, name)
	}
	return ""
}

// operation names a request.
func operation(r *http.Request, body string) string {
	if _, op, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return op
	}
	if form, err := url.ParseQuery(body); err == nil && form.Get("Action") != "" {
		return form.Get("Action")
	}
	path := strings.Trim(r.URL.Path, "/")
	switch {
	case strings.HasPrefix(path, "datastore/") && strings.HasSuffix(path, "/preflight"):
		return "preflight"
	case strings.HasPrefix(path, "datastore/"):
		return "progress"
	case path == "":
		return "ListBuckets"
	case r.Method == http.MethodHead:
		return "HeadBucket"
	case r.Method == http.MethodPut && r.URL.Query().Has("publicAccessBlock"):
		return "PutPublicAccessBlock"
	case r.Method == http.MethodPut && r.URL.Query().Has("encryption"):
		return "PutBucketEncryption"
	case r.Method == http.MethodPut:
		return "CreateBucket"
	case strings.Contains(path, "/"):
		return "GetObject"
	}
	return "ListObjects"
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	op := operation(r, string(raw))
	f.mu.Lock()
	f.calls = append(f.calls, op)
	f.bodies[op] = string(raw)
	answer, given := f.answers[op]
	code := f.broken[op]
	f.mu.Unlock()
	w.Header().Set("X-Amzn-Requestid", "request-1")
	switch {
	case strings.Contains(r.Header.Get("Authorization"), "AKIAWRONG"):
		code = "SignatureDoesNotMatch"
	case code == "" && !given && (op == "HeadBucket" || op == "GetRole" || op == "DescribeKey" && strings.Contains(string(raw), "alias/")):
		code = "NotFoundException"
	}
	if code != "" {
		status := http.StatusBadRequest
		if code == "SignatureDoesNotMatch" {
			status = http.StatusForbidden
		}
		if strings.Contains(code, "NotFound") {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, "The API says: "+f.name)
		return
	}
	if !given {
		answer = f.usual(op)
	}
	_, _ = io.WriteString(w, answer)
}

// site is a console before a fake API, and a browser at it.
type site struct {
	t   *testing.T
	api *fake
	c   *console.Console
	web *httptest.Server
	now *clock
	*http.Client
}

type clock struct {
	mu   sync.Mutex
	when time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.when }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.when = c.when.Add(d)
}

func newSite(t *testing.T, name string) *site {
	t.Helper()
	f := &fake{answers: map[string]string{}, broken: map[string]string{}, bodies: map[string]string{}, name: name}
	api := httptest.NewServer(f)
	now := &clock{when: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	c, err := console.New(console.Options{Endpoint: api.URL, Region: "us-east-1", Now: now.now})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(c)
	t.Cleanup(func() { web.Close(); api.Close() })
	s := &site{t: t, api: f, c: c, web: web, now: now}
	s.Client = s.browser()
	return s
}

// browser is a new one, with no cookies, that does not follow redirects.
func (s *site) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type page struct {
	*http.Response
	text string
}

func (s *site) send(method, path string, form url.Values, headers ...string) page {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.web.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return page{resp, string(b)}
}

func (s *site) get(path string, headers ...string) page {
	s.t.Helper()
	return s.send(http.MethodGet, path, nil, headers...)
}

var hidden = regexp.MustCompile(`name="(csrf|nonce|seen|token)" value="([^"]*)"`)

// post fills in the form of a page, hidden fields and all, and sends it.
func (s *site) post(path string, form url.Values, headers ...string) page {
	s.t.Helper()
	for _, m := range hidden.FindAllStringSubmatch(s.get(path).text, -1) {
		if !form.Has(m[1]) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
	}
	return s.send(http.MethodPost, path, form, headers...)
}

func (s *site) signIn() page {
	s.t.Helper()
	p := s.post("/console/signin", url.Values{"access-key": {theKey}, "secret": {theSecret}})
	if p.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("sign in: %s\n%s", p.Status, p.text)
	}
	return p
}

func (p page) cookie(name string) *http.Cookie {
	for _, c := range p.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}
