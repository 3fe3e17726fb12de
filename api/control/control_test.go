package control_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"

	"tarn/access"
	"tarn/access/iam"
	"tarn/api/control"
	"tarn/api/edge"
	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv/pebble"
)

const (
	account = "000000000000"
	region  = "us-east-1"
	roleARN = "arn:aws:iam::000000000000:role/Export"
	keyARN  = "arn:aws:kms:us-east-1:000000000000:key/d330e7fc-b56c-4216-a250-f4c43ef46e83"
	missing = "ffffffffffffffffffffffffffffffff"
)

// house is a whole control plane over an engine in memory. Jobs are queued for real and started by nobody.
type house struct {
	t       testing.TB
	url     string
	catalog *catalog.Catalog
	ledger  *job.Ledger
	face    *control.Face
	people  *people

	mu      sync.Mutex
	refuse  error // what Exports and Imports answer
	asked   int   // how often they were asked
	exports []export.Request
	tasks   []catalog.Task
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, people: &people{policies: map[string][]access.Policy{}}}
	engine, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	system, err := engine.Open(context.Background(), "system")
	must(t, err)
	h.ledger, err = job.Open(context.Background(), system, job.Options{})
	must(t, err)
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	h.catalog, err = catalog.Open(context.Background(), engine, system, catalog.Options{Account: account, Region: region, PublicURL: h.url,
		Enqueue: func(_ context.Context, task catalog.Task) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.tasks = append(h.tasks, task)
			return nil
		}})
	must(t, err)
	front := edge.New(edge.Config{Directory: h.people, Account: account, Region: region})
	h.face, err = control.New(control.Config{Edge: front, Datastores: h.catalog, Jobs: h.ledger, Exports: exports{h}, Imports: imports{h},
		TokenKey: []byte("key")})
	must(t, err)
	server.Config.Handler = front.Handler(edge.Faces{HealthLake: h.face})
	server.Start()
	t.Cleanup(func() {
		server.Close()
		must(t, h.catalog.Close())
		must(t, engine.Close())
	})
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exports and imports queue what they are asked for, or refuse.
type exports struct{ *house }

func (e exports) Start(ctx context.Context, r export.Request) (job.Record, error) {
	e.mu.Lock()
	e.asked++
	e.exports = append(e.exports, r)
	err := e.refuse
	e.mu.Unlock()
	if err != nil {
		return job.Record{}, err
	}
	params, err := json.Marshal(export.Job{Format: 1, S3Uri: r.S3Uri, KMSKeyID: r.KMSKeyID, RoleARN: r.RoleARN})
	if err != nil {
		return job.Record{}, err
	}
	rec, _, err := e.ledger.Enqueue(ctx, job.New{Kind: export.Kind, Datastore: r.Datastore, Name: r.JobName, Params: params, ClientToken: r.ClientToken})
	return rec, err
}

type imports struct{ *house }

func (i imports) Start(ctx context.Context, r ingest.Request) (job.Record, error) {
	i.mu.Lock()
	i.asked++
	err := i.refuse
	i.mu.Unlock()
	if err != nil {
		return job.Record{}, err
	}
	params, err := json.Marshal(ingest.Job{Format: 1, InputS3Uri: r.InputS3Uri, OutputS3Uri: r.OutputS3Uri, KMSKeyID: r.KMSKeyID, RoleARN: r.RoleARN,
		ValidationLevel: r.ValidationLevel})
	if err != nil {
		return job.Record{}, err
	}
	rec, _, err := i.ledger.Enqueue(ctx, job.New{Kind: ingest.Import, Datastore: r.Datastore, Name: r.JobName, Params: params, ClientToken: r.ClientToken})
	return rec, err
}

// people is a directory of a root user (access key ROOT...) and of users whose name is in their key.
type people struct {
	mu       sync.Mutex
	policies map[string][]access.Policy
}

const secret = "0123456789012345678901234567890123456789"

func keyOf(user string) string { return fmt.Sprintf("AKIA%016X", []byte(user))[:20] }

func (p *people) Credential(_ context.Context, key string) (access.Credential, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key == keyOf("root") {
		return access.Credential{Secret: secret, Principal: access.RootOf(account), Active: true}, nil
	}
	for user := range p.policies {
		if keyOf(user) == key {
			return access.Credential{Secret: secret, Active: true, Principal: access.Principal{Kind: access.User, Account: account, UserName: user,
				UserID: "AIDA" + user, ARN: "arn:aws:iam::" + account + ":user/" + user}}, nil
		}
	}
	return access.Credential{}, fault.Errorf(fault.NotFound, "people", "no such key")
}

func (p *people) Grant(_ context.Context, who access.Principal) (access.Grant, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return access.Grant{Identity: p.policies[who.UserName]}, nil
}

func (p *people) Role(context.Context, string) (access.Role, error) {
	return access.Role{}, fault.Errorf(fault.NotFound, "people", "no such role")
}

// user makes a user with a policy and returns its client.
func (h *house) user(name, statements string) *healthlake.Client {
	h.t.Helper()
	policy, err := iam.Parse(iam.Managed, []byte(`{"Version":"2012-10-17","Statement":[`+statements+`]}`))
	must(h.t, err)
	h.people.mu.Lock()
	h.people.policies[name] = []access.Policy{policy}
	h.people.mu.Unlock()
	return h.client(name)
}

func (h *house) root() *healthlake.Client { return h.client("root") }

func (h *house) client(user string) *healthlake.Client {
	return healthlake.New(healthlake.Options{Region: region, BaseEndpoint: aws.String(h.url), Retryer: retry.AddWithMaxAttempts(retry.NewStandard(), 1),
		Credentials: credentials.NewStaticCredentialsProvider(keyOf(user), secret, "")})
}

// post sends a body as root and returns status and answer.
func (h *house) post(action, body string) (int, map[string]any) {
	h.t.Helper()
	status, answer, _ := h.send(http.MethodPost, "/", action, body)
	return status, answer
}

func (h *house) send(method, path, action, body string) (int, map[string]any, http.Header) {
	h.t.Helper()
	r, err := http.NewRequest(method, h.url+path, bytes.NewReader([]byte(body)))
	must(h.t, err)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "HealthLake."+action)
	sum := sha256.Sum256([]byte(body))
	must(h.t, v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: keyOf("root"), SecretAccessKey: secret}, r,
		hex.EncodeToString(sum[:]), "healthlake", region, time.Now()))
	resp, err := http.DefaultClient.Do(r)
	must(h.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(h.t, err)
	var answer map[string]any
	must(h.t, json.Unmarshal(data, &answer))
	return resp.StatusCode, answer, resp.Header
}

// datastore makes an ACTIVE data store.
func (h *house) datastore(tags map[string]string) catalog.Datastore {
	h.t.Helper()
	d, err := h.catalog.Create(context.Background(), catalog.CreateRequest{Name: "store", TypeVersion: "R4", Tags: tags})
	must(h.t, err)
	return d
}

// wantError asks for an error of a type of the SDK whose text holds some words.
func wantError[E any](t *testing.T, err error, words string) {
	t.Helper()
	var typed E
	if !errors.As(err, &typed) || !strings.Contains(err.Error(), words) {
		t.Fatalf("got %v, want %T with %q", err, typed, words)
	}
}

var _ access.Directory = (*people)(nil)
