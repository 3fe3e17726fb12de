package localcloud_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"tarn/access/seal"
	"tarn/account"
	"tarn/api/edge"
	"tarn/api/localcloud"
	"tarn/kv"
	"tarn/kv/pebble"
)

// rights is a server with IAM and STS for tests: an account in memory behind an edge.
type rights struct {
	t        *testing.T
	space    kv.Space
	accounts *account.Accounts
	url      string
	root     aws.Credentials
	ahead    atomic.Int64 // by how much the server's clock is ahead
}

func (s *rights) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func newRights(t *testing.T) *rights {
	t.Helper()
	engine, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	space, err := engine.Open(t.Context(), "system")
	if err != nil {
		t.Fatal(err)
	}
	s := &rights{t: t, space: space}
	s.start()
	return s
}

// start opens the account anew on what is stored, as a restart does.
func (s *rights) start() {
	s.t.Helper()
	sealer, err := seal.New([]byte(strings.Repeat("k", seal.MasterSize)))
	if err != nil {
		s.t.Fatal(err)
	}
	s.accounts, err = account.Open(s.t.Context(), s.space, account.Options{Account: "012345678910", Sealer: sealer, Now: s.now})
	if err != nil {
		s.t.Fatal(err)
	}
	id, secret, _, err := s.accounts.EnsureRoot(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	s.root = aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	e := edge.New(edge.Config{Directory: s.accounts, Account: "012345678910", Region: "us-east-1", Now: s.now})
	server := httptest.NewServer(e.Handler(edge.Faces{IAM: localcloud.NewIAM(e, s.accounts), STS: localcloud.NewSTS(e, s.accounts)}))
	s.t.Cleanup(server.Close)
	s.url = server.URL
}

func (s *rights) iam(c aws.Credentials) *iam.Client {
	return iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.url), RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: c}})
}

func (s *rights) sts(c aws.Credentials) *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.url), RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: c}})
}

// user makes a user with a key and, where document is not empty, an inline policy.
func (s *rights) user(name, document string) aws.Credentials {
	s.t.Helper()
	root := s.iam(s.root)
	got(root.CreateUser(s.t.Context(), &iam.CreateUserInput{UserName: &name}))(s.t)
	if document != "" {
		got(root.PutUserPolicy(s.t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("own"), PolicyDocument: &document}))(s.t)
	}
	key := got(root.CreateAccessKey(s.t.Context(), &iam.CreateAccessKeyInput{UserName: &name}))(s.t).AccessKey
	return aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey}
}

// got fails the test at an error and passes the result on.
func got[T any](result T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
}

// refused wants an error with a code, a status, and all the texts.
func refused(t *testing.T, err error, status int, code string, texts ...string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("want %s, got %v", code, err)
	}
	var response *smithyhttp.ResponseError
	errors.As(err, &response)
	if api.ErrorCode() != code || response.HTTPStatusCode() != status {
		t.Errorf("got %d %s %q, want %d %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), status, code)
	}
	for _, text := range texts {
		if !strings.Contains(api.ErrorMessage(), text) {
			t.Errorf("message %q lacks %q", api.ErrorMessage(), text)
		}
	}
}
