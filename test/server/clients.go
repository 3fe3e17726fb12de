package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Region and Account are the server's, by default.
const (
	Region  = "us-east-1"
	Account = "000000000000"
)

var profileKey = regexp.MustCompile(`aws_access_key_id = (\S+)\naws_secret_access_key = (\S+)\n`)

// Root is the root's access key, as the profile has it that the server writes at its first start.
func (s *Server) Root(t testing.TB) aws.Credentials {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir, "aws", "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	m := profileKey.FindSubmatch(b)
	if m == nil {
		t.Fatalf("aws/credentials holds no key (%d bytes)", len(b))
	}
	return aws.Credentials{AccessKeyID: string(m[1]), SecretAccessKey: string(m[2])}
}

// Clients are those of aws-sdk-go-v2 for one caller.
type Clients struct {
	HealthLake *healthlake.Client
	S3         *s3.Client
	KMS        *kms.Client
	IAM        *iam.Client
	STS        *sts.Client
	Keys       aws.Credentials
}

// whole is a transport that gives an answer when all of it is there. The SDK closes the body of a request as soon as it
// has the header of the answer; where the answer came faster than the transport finished sending, that breaks the
// connection under the rest of the answer. (The SDK's own retries cover it up, at the price of their pauses.)
type whole struct{}

func (whole) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp, nil
}

// As gives the clients of a caller. They do not retry, so that a test sees every answer.
func (s *Server) As(keys aws.Credentials) *Clients {
	c := aws.Config{Region: Region, BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: 1, HTTPClient: &http.Client{Transport: whole{}},
		Credentials: credentials.StaticCredentialsProvider{Value: keys}}
	return &Clients{HealthLake: healthlake.NewFromConfig(c), S3: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
		KMS: kms.NewFromConfig(c), IAM: iam.NewFromConfig(c), STS: sts.NewFromConfig(c), Keys: keys}
}

// Answer is what an HTTP request got.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Signed sends a request signed by the SDK's signer for HealthLake, as any client of the FHIR endpoint does.
func Signed(ctx context.Context, keys aws.Credentials, method, url string, body []byte) (Answer, error) {
	header := map[string]string{}
	if body != nil {
		header["Content-Type"] = "application/fhir+json"
	}
	return SignedWith(ctx, keys, method, url, header, body)
}

// SignedWith is Signed with headers.
func SignedWith(ctx context.Context, keys aws.Credentials, method, url string, header map[string]string, body []byte) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "healthlake", Region, time.Now()); err != nil {
		return Answer{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, b}, err
}
