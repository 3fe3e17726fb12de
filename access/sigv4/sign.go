package sigv4

import (
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Sign signs r in its Authorization header, as the AWS SDKs do. payloadHash is the SHA-256 of the body in hex,
// EmptyPayload, or, for S3, UnsignedPayload. It sets X-Amz-Date, with a token X-Amz-Security-Token, for S3
// X-Amz-Content-Sha256, and writes the query, and for S3 the path, in AWS's form, so that what is sent is what was
// signed. Headers must have their canonical names, and r.ContentLength the value that will be sent; nothing may be changed afterwards.
func Sign(r *http.Request, c Credentials, service, region, payloadHash string, now time.Time) {
	amzDate := now.UTC().Format(timeForm)
	r.Header.Set("X-Amz-Date", amzDate)
	r.Header.Del("Authorization")
	if c.Token != "" {
		r.Header.Set("X-Amz-Security-Token", c.Token)
	}
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", payloadHash)
	}
	trimPort(r)
	settlePath(r, service)
	r.URL.RawQuery = canonicalQuery(r.URL.RawQuery, escapedFirst)
	signed := toSign(r, r.ContentLength)
	scope := amzDate[:len(dateForm)] + "/" + region + "/" + service + "/" + terminal
	signature := signatureOf(r, c.Secret, service, region, amzDate, scope, signed, payloadHash)
	r.Header.Set("Authorization", algorithm+" Credential="+c.AccessKeyID+"/"+scope+
		", SignedHeaders="+strings.Join(signed, ";")+", Signature="+signature)
}

// Presign is the URL of r, signed in its query and good for that long from now on (MaxExpires at most, which is not
// checked here). Whoever uses it must send the method and all headers that r has, and needs no others. The body is not
// part of the signature for S3, and must be empty for other services. r is not changed.
func Presign(r *http.Request, c Credentials, service, region string, expires time.Duration, now time.Time) string {
	r = r.Clone(r.Context())
	amzDate := now.UTC().Format(timeForm)
	scope := amzDate[:len(dateForm)] + "/" + region + "/" + service + "/" + terminal
	trimPort(r)
	settlePath(r, service)
	signed := toSign(r, 0)
	q := r.URL.Query()
	q.Set("X-Amz-Algorithm", algorithm)
	q.Set("X-Amz-Credential", c.AccessKeyID+"/"+scope)
	q.Set("X-Amz-Date", amzDate)
	q.Set("X-Amz-Expires", strconv.Itoa(int(expires/time.Second)))
	q.Set("X-Amz-SignedHeaders", strings.Join(signed, ";"))
	if c.Token != "" {
		q.Set("X-Amz-Security-Token", c.Token)
	}
	payloadHash := EmptyPayload
	if service == "s3" {
		payloadHash = UnsignedPayload
	}
	r.URL.RawQuery = canonicalQuery(q.Encode(), escapedFirst)
	r.URL.RawQuery += "&X-Amz-Signature=" + signatureOf(r, c.Secret, service, region, amzDate, scope, signed, payloadHash)
	return r.URL.String()
}

func signatureOf(r *http.Request, secret, service, region, amzDate, scope string, signed []string, payloadHash string) string {
	key := derive(secret, amzDate[:len(dateForm)], region, service)
	path := canonicalPath(r.URL.EscapedPath(), service == "s3")
	signature := sign(&key, amzDate, scope, canonical(nil, r, path, canonicalQuery(r.URL.RawQuery, escapedFirst), signed, payloadHash))
	return string(signature[:])
}

// toSign lists the headers to sign: all but those that change on the way.
func toSign(r *http.Request, length int64) []string {
	signed := []string{"host"}
	if length > 0 {
		signed = append(signed, "content-length")
	}
	for name := range r.Header {
		switch name {
		case "Authorization", "User-Agent", "X-Amzn-Trace-Id", "Expect", "Transfer-Encoding", "Content-Length", "Host":
		default:
			signed = append(signed, strings.ToLower(name))
		}
	}
	sort.Strings(signed)
	return signed
}

// trimPort leaves the scheme's own port out of the Host header, as clients do when they send it.
func trimPort(r *http.Request) {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	for _, own := range []struct{ scheme, port string }{{"http", ":80"}, {"https", ":443"}} {
		if r.URL.Scheme == own.scheme && strings.HasSuffix(host, own.port) {
			r.Host = strings.TrimSuffix(host, own.port)
		}
	}
}

// settlePath writes the path as S3 wants it: each byte escaped but unreserved ones and slashes.
func settlePath(r *http.Request, service string) {
	if service == "s3" && r.URL.Path != "" {
		r.URL.RawPath = canonicalPath(r.URL.EscapedPath(), true)
	}
}
