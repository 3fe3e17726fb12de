package localcloud_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/access/seal"
	"tarn/account"
	"tarn/api/edge"
	"tarn/api/localcloud"
	"tarn/cloud/local"
	"tarn/kv/pebble"
)

// store is a server with the S3 and KMS of an embedded cloud, behind an edge.
type store struct {
	cloud    *local.Cloud
	accounts *account.Accounts
	url      string
	root     aws.Credentials
}

func newStore(t *testing.T) *store {
	t.Helper()
	engine := got(pebble.InMemory(pebble.Options{}))(t)
	t.Cleanup(func() { _ = engine.Close() })
	space := got(engine.Open(t.Context(), "system"))(t)
	sealer := got(seal.New(bytes.Repeat([]byte{1}, 32)))(t)
	s := &store{}
	s.accounts = got(account.Open(t.Context(), space, account.Options{Account: "123456789012", Sealer: sealer}))(t)
	key, secret, _, err := s.accounts.EnsureRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.root = aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}
	s.cloud = got(local.Open(t.Context(), local.Options{Space: space, Dir: t.TempDir(), Sealer: sealer, Directory: s.accounts, Account: "123456789012"}))(t)
	t.Cleanup(func() { _ = s.cloud.Close() })
	e := edge.New(edge.Config{Directory: s.accounts, Account: "123456789012", Region: "us-east-1"})
	server := httptest.NewServer(e.Handler(edge.Faces{S3: localcloud.NewS3(s.cloud, e), KMS: localcloud.NewKMS(s.cloud, e)}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *store) s3(c aws.Credentials) *s3.Client {
	return s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.url), UsePathStyle: true, RetryMaxAttempts: 1,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials: credentials.StaticCredentialsProvider{Value: c}})
}

func (s *store) kms(c aws.Credentials) *kms.Client {
	return kms.New(kms.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.url), RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: c}})
}

// user makes a user with a key and an inline policy.
func (s *store) user(t *testing.T, name, document string) aws.Credentials {
	t.Helper()
	got(s.accounts.Create(t.Context(), account.NewEntity{Kind: account.User, Name: name}))(t)
	if err := s.accounts.PutInline(t.Context(), account.Holder{Kind: account.User, Name: name}, "own", document); err != nil {
		t.Fatal(err)
	}
	key, secret, err := s.accounts.CreateAccessKey(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: secret}
}

// golden holds text against a file of testdata; TARN_UPDATE_GOLDEN=1 writes it.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("TARN_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != text {
		t.Errorf("%s differs (%v); set TARN_UPDATE_GOLDEN=1 if that is meant. Now:\n%s", name, err, text)
	}
}

func TestS3_actionsAreOnRecord(t *testing.T) {
	t.Parallel()
	golden(t, "s3_actions.txt", localcloud.S3Rows())
	golden(t, "kms_actions.txt", localcloud.KMSRows())
}

// soon is a time that requests of a test end by.
const soon = time.Minute
