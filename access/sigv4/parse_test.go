package sigv4_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"tarn/access/sigv4"
	"tarn/fault"
)

const goodHeader = "AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000"

func TestParse_forms(t *testing.T) {
	t.Parallel()
	header := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(goodHeader, from, to, 1))
			if from != "" && !strings.Contains(goodHeader, from) {
				panic("no such part: " + from)
			}
		}
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	query := func(changes ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header = http.Header{}
			q := "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260301%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260301T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" + strings.Repeat("0", 64)
			for i := 0; i < len(changes); i += 2 {
				q = strings.Replace(q, changes[i], changes[i+1], 1)
			}
			r.URL.RawQuery = q
		}
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		code   sigv4.Code
	}{
		"as it should be":       {header("", ""), ""},
		"no blanks after comma": {header(", SignedHeaders", ",SignedHeaders"), ""},
		"key with slashes":      {header("AK/", "a/b/"), ""},
		"nothing signed":        {func(r *http.Request) { r.Header.Del("Authorization") }, sigv4.MissingAuthenticationToken},
		"two headers":           {func(r *http.Request) { r.Header.Add("Authorization", goodHeader) }, sigv4.IncompleteSignature},
		"version 2":             {set("Authorization", "AWS AK:c2ln"), sigv4.UnsupportedSignature},
		"presigned, version 2": {func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "AWSAccessKeyId=AK&Signature=x&Expires=1"
		}, sigv4.UnsupportedSignature},
		"another scheme":       {set("Authorization", "Bearer xyz"), sigv4.IncompleteSignature},
		"another algorithm":    {header("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), sigv4.IncompleteSignature},
		"unknown part":         {header("Signature=", "Sig="), sigv4.IncompleteSignature},
		"part twice":           {header("Signature=0", "Signature=1, Signature=0"), sigv4.IncompleteSignature},
		"no credential":        {header("Credential=AK/20260301/us-east-1/s3/aws4_request, ", ""), sigv4.IncompleteSignature},
		"no signed headers":    {header("SignedHeaders=host;x-amz-date, ", ""), sigv4.IncompleteSignature},
		"no signature":         {header(", Signature="+strings.Repeat("0", 64), ""), sigv4.IncompleteSignature},
		"short signature":      {header("Signature=0", "Signature="), sigv4.SignatureDoesNotMatch},
		"upper-case signature": {header("Signature=0", "Signature=A"), sigv4.SignatureDoesNotMatch},
		"short scope":          {header("AK/", ""), sigv4.IncompleteSignature},
		"empty key":            {header("=AK/", "=/"), sigv4.IncompleteSignature},
		"empty region":         {header("us-east-1", ""), sigv4.IncompleteSignature},
		"empty service":        {header("/s3/", "//"), sigv4.IncompleteSignature},
		"wrong terminal":       {header("aws4_request", "aws5_request"), sigv4.IncompleteSignature},
		"scope of another day": {header("20260301", "20260302"), sigv4.SignatureDoesNotMatch},
		"scope's short date":   {header("20260301", "2026"), sigv4.SignatureDoesNotMatch},
		"host not signed":      {header("host;", ""), sigv4.HeadersNotSigned},
		"unsorted":             {header("host;x-amz-date", "x-amz-date;host"), sigv4.IncompleteSignature},
		"header twice":         {header("host;", "host;host;"), sigv4.IncompleteSignature},
		"upper-case header":    {header("host;", "Host;"), sigv4.IncompleteSignature},
		"no date":              {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, sigv4.IncompleteSignature},
		"malformed date":       {set("X-Amz-Date", "2026-03-01T12:00:00Z"), sigv4.IncompleteSignature},
		"impossible date":      {set("X-Amz-Date", "20260231T120000Z"), sigv4.IncompleteSignature},
		"s3 without hash":      {func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }, sigv4.IncompleteSignature},
		"malformed hash":       {set("X-Amz-Content-Sha256", "abc"), sigv4.IncompleteSignature},
		"upper-case hash":      {set("X-Amz-Content-Sha256", strings.Repeat("A", 64)), sigv4.IncompleteSignature},
		"two hashes":           {func(r *http.Request) { r.Header.Add("X-Amz-Content-Sha256", "x") }, sigv4.IncompleteSignature},
		"unknown streaming":    {set("X-Amz-Content-Sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), sigv4.IncompleteSignature},
		"streaming, no length": {set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), sigv4.MalformedChunk},
		"unsigned":             {set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), ""},
		"unsigned elsewhere": {func(r *http.Request) {
			header("/s3/", "/healthlake/")(r)
			set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")(r)
		}, sigv4.SignatureDoesNotMatch},

		"presigned":                 {query(), ""},
		"presigned, no algorithm":   {query("X-Amz-Algorithm", "x"), sigv4.IncompleteSignature},
		"presigned, other one":      {query("HMAC-SHA256", "X"), sigv4.IncompleteSignature},
		"presigned, no credential":  {query("X-Amz-Credential", "x"), sigv4.IncompleteSignature},
		"presigned, twice":          {query("X-Amz-Expires", "X-Amz-Date=x&X-Amz-Expires"), sigv4.IncompleteSignature},
		"presigned, no date":        {query("X-Amz-Date", "x"), sigv4.IncompleteSignature},
		"presigned, no headers":     {query("X-Amz-SignedHeaders", "x"), sigv4.IncompleteSignature},
		"presigned, empty headers":  {query("SignedHeaders=host", "SignedHeaders="), sigv4.IncompleteSignature},
		"presigned, no expiry":      {query("X-Amz-Expires", "x"), ""},
		"presigned, a week":         {query("Expires=60", "Expires=604800"), ""},
		"presigned, over a week":    {query("Expires=60", "Expires=604801"), sigv4.IncompleteSignature},
		"presigned, zero":           {query("Expires=60", "Expires=0"), sigv4.IncompleteSignature},
		"presigned, negative":       {query("Expires=60", "Expires=-1"), sigv4.IncompleteSignature},
		"presigned, expires twice":  {query("X-Amz-Date", "X-Amz-Expires=70&X-Amz-Date"), sigv4.IncompleteSignature},
		"presigned, unreadable":     {query("X-Amz-Date", "%zz=1&X-Amz-Date"), sigv4.IncompleteSignature},
		"presigned, its own hash":   {query("X-Amz-Date", "X-Amz-Content-Sha256="+sigv4.EmptyPayload+"&X-Amz-Date"), ""},
		"presigned and streaming":   {query("X-Amz-Date", "X-Amz-Content-Sha256=STREAMING-UNSIGNED-PAYLOAD-TRAILER&X-Amz-Date"), sigv4.IncompleteSignature},
		"presigned and header auth": {func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=1" }, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", goodHeader)
		r.Header.Set("X-Amz-Date", "20260301T120000Z")
		r.Header.Set("X-Amz-Content-Sha256", sigv4.EmptyPayload)
		c.change(r)
		_, err := sigv4.Parse(r)
		wantCode(t, name, err, c.code)
		if err != nil {
			kind := fault.Unauthentic
			if c.code == sigv4.MalformedChunk {
				kind = fault.Invalid
			}
			if !fault.Is(err, kind) || fault.Message(err) == "" || strings.Contains(fault.Message(err), string(c.code)+":") {
				t.Errorf("%s: kind %v, message %q", name, fault.KindOf(err), fault.Message(err))
			}
		}
		if sigv4.IsSigned(r) != (c.code != sigv4.MissingAuthenticationToken) && name != "presigned, no algorithm" {
			t.Errorf("%s: IsSigned is %v", name, sigv4.IsSigned(r))
		}
	}
}

func TestCode_asEachProtocolSpellsIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code sigv4.Code
		in   sigv4.Protocol
		want string
	}{
		{sigv4.InvalidClientTokenID, sigv4.Query, "InvalidClientTokenId"},
		{sigv4.InvalidClientTokenID, sigv4.JSON, "UnrecognizedClientException"},
		{sigv4.InvalidClientTokenID, sigv4.S3, "InvalidAccessKeyId"},
		{sigv4.RequestTimeTooSkewed, sigv4.S3, "RequestTimeTooSkewed"},
		{sigv4.RequestTimeTooSkewed, sigv4.JSON, "InvalidSignatureException"},
		{sigv4.ExpiredToken, sigv4.JSON, "ExpiredTokenException"},
		{sigv4.MissingAuthenticationToken, sigv4.S3, "AccessDenied"},
		{"Other", sigv4.S3, "Other"},
		{sigv4.ExpiredToken, 99, "ExpiredToken"},
	} {
		if got := c.code.In(c.in); got != c.want {
			t.Errorf("%s in %d: %s", c.code, c.in, got)
		}
	}
}

// reference signs a canonical request that the test wrote by hand, as signers other than the SDK make it.
func reference(service, canonical string) string {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	scope := "20260301/us-east-1/" + service + "/aws4_request"
	key := mac(mac(mac(mac([]byte("AWS4"+secret), "20260301"), "us-east-1"), service), "aws4_request")
	return hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n20260301T120000Z\n"+scope+"\n"+hashOf(canonical)))
}

// Signers that write path or query in other ways than the SDK are understood.
func TestVerify_otherSigners(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ service, target, path, query string }{
		"dot segments removed":        {"healthlake", "/a/./b/../c/", "/a/c/", ""},
		"slashes joined":              {"healthlake", "//a///b", "/a/b", ""},
		"beyond the root":             {"healthlake", "/../..", "/", ""},
		"joined and escaped twice":    {"healthlake", "/a//%24export", "/a/%2524export", ""},
		"joined with the raw query":   {"healthlake", "/a//b?x=a:b&name:exact=1", "/a/b", "name:exact=1&x=a:b"},
		"query as it was sent":        {"healthlake", "/a?x=a:b,c&name:exact=a+b", "/a", "name:exact=a+b&x=a:b,c"},
		"lower-case escapes, raw":     {"healthlake", "/a?x=%c3%a9", "/a", "x=%c3%a9"},
		"sorted before it is escaped": {"healthlake", "/a?a:b=1&a-b=2", "/a", "a-b=2&a%3Ab=1"},
		"all as it was sent":          {"healthlake", "/r4/Patient/$export?b:c=1&a=x,y", "/r4/Patient/$export", "b:c=1&a=x,y"},
		"S3 path as it was sent":      {"s3", "/b/a:b(c)%e9", "/b/a:b(c)%e9", ""},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		r.Host = "h"
		r.Header.Set("X-Amz-Date", "20260301T120000Z")
		r.Header.Set("X-Amz-Content-Sha256", sigv4.EmptyPayload)
		headers := "host:h\nx-amz-content-sha256:" + sigv4.EmptyPayload + "\nx-amz-date:20260301T120000Z\n"
		const signed = "host;x-amz-content-sha256;x-amz-date"
		canonical := strings.Join([]string{"GET", c.path, c.query, headers, signed, sigv4.EmptyPayload}, "\n")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/20260301/us-east-1/"+c.service+"/aws4_request, SignedHeaders="+signed+", Signature="+reference(c.service, canonical))
		if _, err := verify(r, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.URL.Path += "x"
		r.URL.RawPath = ""
		if _, err := verify(r, now); err == nil {
			t.Errorf("%s: another path is accepted", name)
		}
	}
}

// What a server takes apart from the header map, and spaces and repetitions in headers.
func TestVerify_headers(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "/", strings.NewReader("body"))
	r.Host = "h"
	r.TransferEncoding = []string{"chunked"}
	r.Header["X-Amz-Date"] = []string{"20260301T120000Z"}
	r.Header["X-Amz-Meta-A"] = []string{"  a   b  ", "", "c\td"}
	canonical := "POST\n/\n\ncontent-length:4\nhost:h\nmissing:\ntransfer-encoding:chunked\nx-amz-date:20260301T120000Z\nx-amz-meta-a:a b,,c\td\n\n" +
		"content-length;host;missing;transfer-encoding;x-amz-date;x-amz-meta-a\n" + hashOf("body")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/20260301/us-east-1/kms/aws4_request, SignedHeaders=content-length;host;missing;transfer-encoding;x-amz-date;x-amz-meta-a, Signature="+reference("kms", canonical))
	if _, err := verify(r, now); err != nil {
		t.Error(err)
	}
}

// chunkSignature signs a chunk or a trailer.
func chunkSignature(algorithm, previous, rest string) string {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+secret), "20260301"), "us-east-1"), "s3"), "aws4_request")
	return hex.EncodeToString(mac(key, algorithm+"\n20260301T120000Z\n20260301/us-east-1/s3/aws4_request\n"+previous+"\n"+rest))
}

func hexOf(n int) string { return strconv.FormatInt(int64(n), 16) }

// flip is another hexadecimal digit.
func flip(digit string) string {
	if digit == "0" {
		return "1"
	}
	return "0"
}

// No form of one path is taken for another path: what was signed for "/a b" does not open "/a%20b".
func TestVerify_formsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ service, signed, sent string }{
		{"healthlake", "/a%20b", "/a%2520b"},
		{"healthlake", "/a$b", "/a%24b"},
		{"s3", "/a%20b", "/a%2520b"},
		{"s3", "/a%2520b", "/a%20b"},
		{"s3", "/a%2Fb", "/a/b"},
		{"s3", "/a//b", "/a/b"},
		{"s3", "/a/./b", "/a/b"},
		{"healthlake", "/?a=%2Bb", "/?a=+b"},
		{"healthlake", "/?a=%26b", "/?a=&b"},
		{"healthlake", "/?a=%2525", "/?a=%25"},
	} {
		out := outgoing(t, "GET", c.signed, "")
		sigv4.Sign(out, ours, c.service, "us-east-1", sigv4.EmptyPayload, now)
		in := arrive(t, out)
		if _, err := verify(in, now); err != nil {
			t.Errorf("%s: %v", c.signed, err)
		}
		other := httptest.NewRequest("GET", c.sent, nil)
		other.Host, other.Header = in.Host, in.Header
		_, err := verify(other, now)
		wantCode(t, c.service+" "+c.signed+" as "+c.sent, err, sigv4.SignatureDoesNotMatch)
	}
}
