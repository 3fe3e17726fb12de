package sigv4_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"tarn/access"
	"tarn/access/sigv4"
	"tarn/fault"
)

// directory knows the credentials by their access key.
type directory map[string]access.Credential

var errBroken = fault.Errorf(fault.Unavailable, "test", "the directory is down")

func (d directory) Credential(_ context.Context, id string) (access.Credential, error) {
	if id == "BROKEN" {
		return access.Credential{}, errBroken
	}
	c, ok := d[id]
	if !ok {
		return c, fault.Errorf(fault.NotFound, "test", "no such key")
	}
	return c, nil
}

func (directory) Grant(context.Context, access.Principal) (access.Grant, error) {
	return access.Grant{}, nil
}

func (directory) Role(context.Context, string) (access.Role, error) {
	return access.Role{}, fault.Errorf(fault.NotFound, "test", "no such role")
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	alice := access.Principal{Kind: access.User, UserName: "alice"}
	dir := directory{
		keyID:     {Secret: secret, Principal: alice, Active: true},
		"OFF":     {Secret: secret},
		"SESSION": {Secret: secret, SessionToken: "token", Active: true, Expires: now.Add(time.Hour)},
		"OVER":    {Secret: secret, SessionToken: "token", Active: true, Expires: now},
	}
	v := sigv4.New("us-east-1", "healthlake")
	for _, c := range []struct {
		name   string
		creds  sigv4.Credentials
		code   sigv4.Code
		change func(*http.Request)
		max    int64
	}{
		{name: "known", creds: ours, max: 4},
		{name: "session", creds: sigv4.Credentials{AccessKeyID: "SESSION", Secret: secret, Token: "token"}, max: 4},
		{name: "unknown", creds: sigv4.Credentials{AccessKeyID: "NOBODY", Secret: secret}, code: sigv4.InvalidClientTokenID, max: 4},
		{name: "inactive", creds: sigv4.Credentials{AccessKeyID: "OFF", Secret: secret}, code: sigv4.InvalidClientTokenID, max: 4},
		{name: "session without its token", creds: sigv4.Credentials{AccessKeyID: "SESSION", Secret: secret}, code: sigv4.InvalidClientTokenID, max: 4},
		{name: "session with another token", creds: sigv4.Credentials{AccessKeyID: "SESSION", Secret: secret, Token: "tokem"}, code: sigv4.InvalidClientTokenID, max: 4},
		{name: "token with a long-term key", creds: sigv4.Credentials{AccessKeyID: keyID, Secret: secret, Token: "token"}, code: sigv4.InvalidClientTokenID, max: 4},
		{name: "session that is over", creds: sigv4.Credentials{AccessKeyID: "OVER", Secret: secret, Token: "token"}, code: sigv4.ExpiredToken, max: 4},
		{name: "session that is over, wrong secret", creds: sigv4.Credentials{AccessKeyID: "OVER", Secret: "x", Token: "token"}, code: sigv4.SignatureDoesNotMatch, max: 4},
		{name: "wrong secret", creds: sigv4.Credentials{AccessKeyID: keyID, Secret: "x"}, code: sigv4.SignatureDoesNotMatch, max: 4},
		{name: "not signed", creds: ours, code: sigv4.MissingAuthenticationToken, change: func(r *http.Request) { r.Header.Del("Authorization") }, max: 4},
		{name: "too old", creds: ours, code: sigv4.RequestTimeTooSkewed, change: func(r *http.Request) {
			r.Header.Set("X-Amz-Date", "20260301T110000Z")
			r.Body = io.NopCloser(failReader{t})
		}, max: 4},
	} {
		out := outgoing(t, "POST", "/", "body")
		sigv4.Sign(out, c.creds, "healthlake", "us-east-1", hashOf("body"), now)
		in := arrive(t, out)
		if c.change != nil {
			c.change(in)
		}
		a, cred, err := v.Authenticate(context.Background(), in, dir, c.max, now)
		wantCode(t, c.name, err, c.code)
		if err != nil {
			if a != nil || cred.Secret != "" || !fault.Is(err, fault.Unauthentic) {
				t.Errorf("%s: got %+v with an error of kind %v", c.name, a, fault.KindOf(err))
			}
			continue
		}
		if got, err := io.ReadAll(in.Body); string(got) != "body" || err != nil {
			t.Errorf("%s: body %q, %v", c.name, got, err)
		}
		if a.AccessKeyID == keyID && cred.Principal.UserName != "alice" {
			t.Errorf("%s: principal %+v", c.name, cred.Principal)
		}
	}

	out := outgoing(t, "POST", "/", "body")
	sigv4.Sign(out, ours, "healthlake", "us-east-1", hashOf("body"), now)
	if _, _, err := v.Authenticate(context.Background(), arrive(t, out), dir, 3, now); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a body over the limit: %v", err)
	}
	out = outgoing(t, "POST", "/", "body")
	sigv4.Sign(out, sigv4.Credentials{AccessKeyID: "BROKEN", Secret: secret}, "healthlake", "us-east-1", hashOf("body"), now)
	if _, _, err := v.Authenticate(context.Background(), arrive(t, out), dir, 4, now); !errors.Is(err, errBroken) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("a directory that is down: %v", err)
	}
}

// failReader must not be read.
type failReader struct{ t *testing.T }

func (f failReader) Read([]byte) (int, error) {
	f.t.Error("the body of a request that is refused anyway was read")
	return 0, io.EOF
}

// seen is what the test server made of a request.
type seen struct {
	auth    *sigv4.Authorization
	body    string
	trailer http.Header
	err     error
}

// serve verifies whatever comes, at the real time, since the SDK's clients sign with it.
func serve(t *testing.T, start func(http.Handler) *httptest.Server) (*httptest.Server, chan seen) {
	t.Helper()
	requests := make(chan seen, 8)
	dir := directory{keyID: {Secret: secret, SessionToken: "token", Active: true}}
	v := sigv4.New("us-east-1")
	server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var s seen
		s.auth, _, s.err = v.Authenticate(r.Context(), r, dir, 1<<20, time.Now())
		if s.err == nil {
			var b []byte
			b, s.err = io.ReadAll(r.Body)
			s.body = string(b)
			if c, ok := r.Body.(*sigv4.Chunks); ok {
				s.trailer = c.Trailer()
			}
		}
		requests <- s
		if s.err != nil {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	return server, requests
}

func config(server *httptest.Server) aws.Config {
	return aws.Config{
		Region:                     "us-east-1",
		Credentials:                credentials.NewStaticCredentialsProvider(keyID, secret, "token"),
		BaseEndpoint:               aws.String(server.URL),
		HTTPClient:                 server.Client(),
		RetryMaxAttempts:           1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
	}
}

// stream is a body that cannot seek, which makes the S3 client send it in aws-chunked encoding.
type stream struct{ io.Reader }

func TestAuthenticate_clientsOfTheSDK(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	long := strings.Repeat("tarn ", 50_000)
	plain, plainSeen := serve(t, httptest.NewServer)
	secure, secureSeen := serve(t, httptest.NewTLSServer)
	byPath := func(o *s3.Options) { o.UsePathStyle = true }
	overHTTP, overTLS := s3.NewFromConfig(config(plain), byPath), s3.NewFromConfig(config(secure), byPath)
	bucket, key := aws.String("bucket"), aws.String("a b/c+d/é~(1)!*'/$export:x=y&z@,;")
	for _, c := range []struct {
		name    string
		from    chan seen
		service string
		mode    sigv4.Mode
		body    string
		trailer string
		call    func() error
	}{
		{"put over http", plainSeen, "s3", sigv4.Hashed, long, "", func() error {
			_, err := overHTTP.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(long), ServerSideEncryption: types.ServerSideEncryptionAwsKms,
				Metadata: map[string]string{"A": "  x  y "}})
			return err
		}},
		{"put over TLS", secureSeen, "s3", sigv4.UnsignedTrailer, long, "X-Amz-Checksum-Crc32", func() error {
			_, err := overTLS.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader(long)})
			return err
		}},
		{"put of a stream over TLS", secureSeen, "s3", sigv4.UnsignedTrailer, long, "X-Amz-Checksum-Sha256", func() error {
			_, err := overTLS.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: stream{strings.NewReader(long)}, ContentLength: aws.Int64(int64(len(long))),
				ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
			return err
		}},
		{"put of nothing over TLS", secureSeen, "s3", sigv4.Unsigned, "", "", func() error {
			_, err := overTLS.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(nil)})
			return err
		}},
		{"get", plainSeen, "s3", sigv4.Hashed, "", "", func() error {
			_, err := overHTTP.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=0-9")})
			return err
		}},
		{"list", plainSeen, "s3", sigv4.Hashed, "", "", func() error {
			_, err := overHTTP.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("a b+c/é"), Delimiter: aws.String("/")})
			return noXML(err)
		}},
		{"healthlake", plainSeen, "healthlake", sigv4.Buffered, "{}", "", func() error {
			_, err := healthlake.NewFromConfig(config(plain)).ListFHIRDatastores(ctx, &healthlake.ListFHIRDatastoresInput{})
			return err
		}},
		{"kms", plainSeen, "kms", sigv4.Buffered, `{"KeyId":"k"}`, "", func() error {
			_, err := kms.NewFromConfig(config(plain)).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("k")})
			return err
		}},
		{"iam", plainSeen, "iam", sigv4.Buffered, "Action=GetUser&Version=2010-05-08", "", func() error {
			_, err := iam.NewFromConfig(config(plain)).GetUser(ctx, &iam.GetUserInput{})
			return noXML(err)
		}},
		{"sts", plainSeen, "sts", sigv4.Buffered, "Action=GetCallerIdentity&Version=2011-06-15", "", func() error {
			_, err := sts.NewFromConfig(config(plain)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return noXML(err)
		}},
	} {
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := <-c.from
		if got.err != nil {
			t.Errorf("%s: %v", c.name, got.err)
			continue
		}
		if got.auth.Service != c.service || got.auth.Mode != c.mode || got.body != c.body {
			t.Errorf("%s: service %s, mode %d, %d bytes: %.80s", c.name, got.auth.Service, got.auth.Mode, len(got.body), got.body)
		}
		if c.trailer != "" && got.trailer.Get(c.trailer) == "" {
			t.Errorf("%s: trailer %v", c.name, got.trailer)
		}
	}

	presigned, err := s3.NewPresignClient(overHTTP).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, ResponseContentType: aws.String("text/x y")})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := plain.Client().Get(presigned.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if got := <-plainSeen; got.err != nil || !got.auth.Presigned || got.auth.Mode != sigv4.Unsigned {
		t.Errorf("presigned: %+v", got)
	}
}

// noXML forgives that the test server answers nothing: only the request matters here.
func noXML(err error) error {
	if err != nil && (strings.Contains(err.Error(), "deserialization failed") || errors.Is(err, io.EOF)) {
		return nil
	}
	return err
}

func BenchmarkVerify(b *testing.B) {
	out := outgoing(b, "GET", "/datastore/0123456789abcdef0123456789abcdef/r4/Observation?code=http://loinc.org|1234-5&date=ge2026-01-01&subject=Patient/1", "")
	signSDK(b, out, aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: strings.Repeat("t", 300)}, "healthlake", sigv4.EmptyPayload, now)
	in := arrive(b, out)
	v := sigv4.New("us-east-1", "healthlake")
	b.ReportAllocs()
	for b.Loop() {
		a, err := sigv4.Parse(in)
		if err != nil {
			b.Fatal(err)
		}
		a.PayloadHash = sigv4.EmptyPayload
		if err := v.Verify(in, a, secret, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	out := outgoing(b, "GET", "/datastore/0123456789abcdef0123456789abcdef/r4/Observation?code=1234-5", "")
	b.ReportAllocs()
	for b.Loop() {
		sigv4.Sign(out, ours, "healthlake", "us-east-1", sigv4.EmptyPayload, now)
	}
}
