package edge_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/sigv4"
	"tarn/api/edge"
	"tarn/fault"
)

const emptyHash = sigv4.EmptyPayload

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func call(t *testing.T, e *edge.Edge, r *http.Request, service string) (*edge.Call, error) {
	t.Helper()
	return e.Authenticate(httptest.NewRecorder(), r, service)
}

func code(err error) sigv4.Code {
	var refused *sigv4.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func TestAuthenticate_bodiesAreWhatWasSigned(t *testing.T) {
	t.Parallel()
	e := edge.New(edge.Config{Directory: policy(t, allowAll), Region: "us-east-1", MaxBody: 100})
	body := `{"resourceType":"Patient"}`
	c, err := call(t, e, signed("healthlake", "POST", "/", body, hashOf(body)), "healthlake")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Bytes(); err != nil || string(got) != body {
		t.Errorf("body %q, %v", got, err)
	}
	for what, r := range map[string]*http.Request{
		"another body":  signed("healthlake", "POST", "/", body, hashOf("something else")),
		"body for none": signed("healthlake", "POST", "/", body, emptyHash),
		"none for body": signed("healthlake", "POST", "/", "", hashOf(body)),
		"unknown length": func() *http.Request {
			r := signed("healthlake", "POST", "/", body, hashOf("x"))
			r.ContentLength = -1
			return r
		}(),
	} {
		c, err := call(t, e, r, "healthlake")
		if err == nil {
			_, err = c.Bytes()
		}
		if fault.KindOf(err) != fault.Unauthentic {
			t.Errorf("%s: %v", what, err)
		}
	}
	long := strings.Repeat("x", 101)
	r := signed("healthlake", "POST", "/", long, hashOf(long))
	r.ContentLength = -1
	c, err = call(t, e, r, "healthlake")
	if err == nil {
		_, err = c.Bytes()
	}
	if fault.KindOf(err) != fault.TooLarge {
		t.Errorf("long body: %v", err)
	}
	c, err = call(t, e, signed("healthlake", "GET", "/", "", emptyHash), "healthlake")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Bytes(); err != nil || len(got) != 0 {
		t.Errorf("empty body %q, %v", got, err)
	}
}

func TestAuthenticate_refusals(t *testing.T) {
	t.Parallel()
	e := edge.New(edge.Config{Directory: policy(t, allowAll), Region: "us-east-1"})
	sign := func(c sigv4.Credentials, service, region string, when time.Time) *http.Request {
		r := httptest.NewRequest("GET", "http://tarn.test/", nil)
		sigv4.Sign(r, c, service, region, emptyHash, when)
		return r
	}
	good := sigv4.Credentials{AccessKeyID: keyID, Secret: secret}
	for what, c := range map[string]struct {
		r    *http.Request
		want sigv4.Code
	}{
		"unsigned":      {httptest.NewRequest("GET", "http://tarn.test/", nil), sigv4.MissingAuthenticationToken},
		"unknown key":   {sign(sigv4.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLF", Secret: secret}, "healthlake", "us-east-1", time.Now()), sigv4.InvalidClientTokenID},
		"wrong secret":  {sign(sigv4.Credentials{AccessKeyID: keyID, Secret: "x"}, "healthlake", "us-east-1", time.Now()), sigv4.SignatureDoesNotMatch},
		"a token more":  {sign(sigv4.Credentials{AccessKeyID: keyID, Secret: secret, Token: "t"}, "healthlake", "us-east-1", time.Now()), sigv4.InvalidClientTokenID},
		"other service": {sign(good, "s3", "us-east-1", time.Now()), sigv4.WrongScope},
		"other region":  {sign(good, "healthlake", "eu-west-1", time.Now()), sigv4.WrongScope},
		"long ago":      {sign(good, "healthlake", "us-east-1", time.Now().Add(-time.Hour)), sigv4.RequestTimeTooSkewed},
	} {
		if _, err := call(t, e, c.r, "healthlake"); fault.KindOf(err) != fault.Unauthentic || code(err) != c.want {
			t.Errorf("%s: %v (%s), want %s", what, err, code(err), c.want)
		}
	}
}

// sessions is a directory of sessions that carry themselves: the token is the user's name.
type sessions struct{ directory }

func (s sessions) Session(_ context.Context, id, token string) (access.Credential, error) {
	if id != "ASIAIOSFODNN7EXAMPLE" || token != "ana's" {
		return access.Credential{}, fault.Errorf(fault.NotFound, "test", "no such session")
	}
	p := ana()
	p.TokenIssued = time.Unix(1e9, 0)
	return access.Credential{Secret: secret, SessionToken: token, Principal: p, Expires: time.Now().Add(time.Hour), Active: true}, nil
}

func TestAuthenticate_sessionsBringTheirToken(t *testing.T) {
	t.Parallel()
	e := edge.New(edge.Config{Directory: sessions{policy(t, allowAll)}})
	for token, ok := range map[string]bool{"ana's": true, "bob's": false, "": false} {
		c := sigv4.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", Secret: secret, Token: token}
		r := httptest.NewRequest("GET", "http://tarn.test/b/k", nil)
		sigv4.Sign(r, c, "s3", "us-east-1", emptyHash, time.Now())
		if _, err := call(t, e, r, "s3"); (err == nil) != ok || err != nil && code(err) != sigv4.InvalidClientTokenID {
			t.Errorf("header, token %q: %v", token, err)
		}
		r = httptest.NewRequest("GET", "http://tarn.test/b/k", nil)
		link := sigv4.Presign(r, c, "s3", "us-east-1", time.Minute, time.Now())
		if !strings.HasPrefix(link, "http") {
			link = "http://tarn.test" + link
		}
		if _, err := call(t, e, httptest.NewRequest("GET", link, nil), "s3"); (err == nil) != ok {
			t.Errorf("presigned, token %q: %v", token, err)
		}
	}
}

func TestCall_authorizes(t *testing.T) {
	t.Parallel()
	dir := policy(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"healthlake:Describe*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"night"}}},
		{"Effect":"Allow","Action":"healthlake:TagResource","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"StringEquals":{"aws:RequestTag/team":"night"}}},
		{"Effect":"Allow","Action":"healthlake:List*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"Bool":{"aws:SecureTransport":"false"},"StringEquals":{"aws:username":"ana"}}},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::012345678910:role/exporter","Condition":{"StringEquals":{"iam:PassedToService":"healthlake.amazonaws.com"}}},
		{"Effect":"Deny","Action":"healthlake:DescribeSecret","Resource":"*"}]}`)
	authorize := func(e *edge.Edge, change func(*http.Request), ask func(*edge.Call) error) error {
		r := signed("healthlake", "POST", "/", "", emptyHash)
		if change != nil {
			change(r)
		}
		c, err := call(t, e, r, "healthlake")
		if err != nil {
			t.Fatal(err)
		}
		return ask(c)
	}
	plain := edge.New(edge.Config{Directory: dir, Account: accountID})
	proxied := edge.New(edge.Config{Directory: dir, Account: accountID, TrustProxy: true})
	arn := "arn:aws:healthlake:us-east-1:012345678910:datastore/fhir/0123456789abcdef0123456789abcdef"
	list := func(c *edge.Call) error { return c.Authorize("healthlake:ListFHIRDatastores", "*") }
	from := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for what, c := range map[string]struct {
		err error
		ok  bool
	}{
		"tag on the resource": {authorize(plain, nil, func(c *edge.Call) error {
			return c.Authorize("healthlake:DescribeFHIRDatastore", arn, edge.ResourceTags(map[string]string{"team": "night"})...)
		}), true},
		"no tag on it": {authorize(plain, nil, func(c *edge.Call) error { return c.Authorize("healthlake:DescribeFHIRDatastore", arn) }), false},
		"tag in the request": {authorize(plain, nil, func(c *edge.Call) error {
			return c.Authorize("healthlake:TagResource", arn, edge.RequestTags(map[string]string{"team": "night"})...)
		}), true},
		"a tag too many": {authorize(plain, nil, func(c *edge.Call) error {
			return c.Authorize("healthlake:TagResource", arn, edge.RequestTags(map[string]string{"team": "night", "x": "y"})...)
		}), false},
		"address":        {authorize(plain, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1" }, list), true},
		"other address":  {authorize(plain, func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1" }, list), false},
		"forged address": {authorize(plain, func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1"; from("X-Forwarded-For", "192.0.2.7")(r) }, list), false},
		"address by the proxy": {authorize(proxied, func(r *http.Request) {
			r.RemoteAddr = "127.0.0.1:1"
			from("X-Forwarded-For", "6.6.6.6, 192.0.2.9, 192.0.2.7")(r)
		}, list), true},
		"forged before the proxy": {authorize(proxied, func(r *http.Request) {
			r.RemoteAddr = "127.0.0.1:1"
			from("X-Forwarded-For", "192.0.2.7, 192.0.2.8, 6.6.6.6")(r)
		}, list), false},
		"forged in a line of its own": {authorize(proxied, func(r *http.Request) {
			r.RemoteAddr = "127.0.0.1:1"
			r.Header["X-Forwarded-For"] = []string{"192.0.2.7", "6.6.6.6"}
		}, list), false},
		"https by the proxy": {authorize(proxied, func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1"; from("X-Forwarded-Proto", "https")(r) }, list), false},
		"pass the role": {authorize(plain, nil, func(c *edge.Call) error {
			return c.PassRole("arn:aws:iam::012345678910:role/exporter", "healthlake.amazonaws.com")
		}), true},
		"pass it to another service": {authorize(plain, nil, func(c *edge.Call) error {
			return c.PassRole("arn:aws:iam::012345678910:role/exporter", "ec2.amazonaws.com")
		}), false},
		"pass another role": {authorize(plain, nil, func(c *edge.Call) error {
			return c.PassRole("arn:aws:iam::012345678910:role/other", "healthlake.amazonaws.com")
		}), false},
	} {
		if (c.err == nil) != c.ok || c.err != nil && fault.KindOf(c.err) != fault.Denied {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	err := authorize(plain, nil, func(c *edge.Call) error { return c.Authorize("healthlake:StartFHIRExportJob", arn) })
	want := "User: arn:aws:iam::012345678910:user/ana is not authorized to perform: healthlake:StartFHIRExportJob on resource: " + arn +
		" because no identity-based policy allows the healthlake:StartFHIRExportJob action"
	if fault.Message(err) != want {
		t.Errorf("got  %s\nwant %s", fault.Message(err), want)
	}
	err = authorize(plain, nil, func(c *edge.Call) error {
		return c.Authorize("healthlake:DescribeSecret", arn, edge.ResourceTags(map[string]string{"team": "night"})...)
	})
	if !strings.Contains(fault.Message(err), "with an explicit deny in an identity-based policy") {
		t.Error(err)
	}
}

// BenchmarkSmallGet is what the ground costs a small signed GET: routing, signature, rights, metrics, no log.
func BenchmarkSmallGet(b *testing.B) {
	e := edge.New(edge.Config{Directory: policy(b, allowAll), Account: accountID, Region: "us-east-1"})
	faces := allFaces()
	faces.FHIR = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := e.Authenticate(w, r, "healthlake")
		if err == nil {
			err = c.Authorize("healthlake:ReadResource", "arn:aws:healthlake:us-east-1:012345678910:datastore/fhir/0123456789abcdef0123456789abcdef")
		}
		if err != nil {
			b.Error(err)
		}
	})
	h := e.Handler(faces)
	r := signed("healthlake", "GET", datastore+"Patient/1", "", emptyHash, "User-Agent", "bench")
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		r.Body = http.NoBody
		h.ServeHTTP(w, r)
	}
}
