package local_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/iam"
	"tarn/access/seal"
	"tarn/cloud"
	"tarn/cloud/cloudtest"
	"tarn/cloud/local"
	"tarn/fault"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

const (
	account = "123456789012"
	roleARN = "arn:aws:iam::" + account + ":role/export"
)

// people is a directory of roles whose policies tests set.
type people struct {
	mu     sync.Mutex
	trust  map[string]string   // role ARN -> trust policy
	rights map[string][]string // role or user ARN -> policies
}

func (d *people) Credential(context.Context, string) (access.Credential, error) {
	return access.Credential{}, fault.Errorf(fault.NotFound, "test", "no such key")
}

func (d *people) Grant(_ context.Context, p access.Principal) (access.Grant, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := p.ARN
	if p.Kind == access.AssumedRole {
		name = p.RoleARN
	}
	var g access.Grant
	for _, text := range d.rights[name] {
		p, err := iam.Parse(iam.Managed, []byte(text))
		if err != nil {
			return g, err
		}
		g.Identity = append(g.Identity, p)
	}
	return g, nil
}

func (d *people) Role(_ context.Context, arn string) (access.Role, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, ok := d.trust[arn]
	if !ok {
		return access.Role{}, fault.Errorf(fault.NotFound, "test", "no such role")
	}
	p, err := iam.Parse(iam.Trust, []byte(text))
	return access.Role{ARN: arn, Name: arn[strings.LastIndex(arn, "/")+1:], ID: "AROATEST", Account: account, Trust: p}, err
}

func (d *people) allow(arn string, policies ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rights[arn] = policies
}

// place is where a cloud lives, so that tests can open it again.
type place struct {
	dir    string
	engine *kvtest.Faulty
	space  kv.Space
	sealer *seal.Sealer
	people *people
	mu     sync.Mutex
	clock  time.Time
}

func newPlace(t testing.TB) *place {
	t.Helper()
	inner, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	engine := kvtest.NewFaulty(inner)
	t.Cleanup(func() { _ = engine.Close() })
	space, err := engine.Open(t.Context(), "system")
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &place{dir: t.TempDir(), engine: engine, space: space, sealer: sealer, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		people: &people{trust: map[string]string{}, rights: map[string][]string{}}}
}

func (p *place) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clock
}

func (p *place) wait(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock = p.clock.Add(d)
}

func (p *place) open(t testing.TB) *local.Cloud {
	t.Helper()
	c, err := local.Open(t.Context(), local.Options{Space: p.space, Dir: p.dir, Sealer: p.sealer, Directory: p.people, Account: account, Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// root is the root user's session.
func root(c *local.Cloud) *local.Session {
	return c.As(local.Caller{Principal: access.RootOf(account)})
}

// as is a user's session, with the policies that the place knows.
func (p *place) as(t testing.TB, c *local.Cloud, user string) *local.Session {
	t.Helper()
	arn := "arn:aws:iam::" + account + ":user/" + user
	who := access.Principal{Kind: access.User, Account: account, ARN: arn, UserID: "AIDA" + user, UserName: user}
	g, err := p.people.Grant(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	return c.As(local.Caller{Principal: who, Grant: g})
}

func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *local.Session, bucket, key, body string, e local.SSE) local.ObjectInfo {
	t.Helper()
	return must(s.PutObject(t.Context(), local.PutRequest{Bucket: bucket, Key: key, Body: strings.NewReader(body), Size: int64(len(body)), SSE: e}))(t)
}

func get(s *local.Session, t testing.TB, bucket, key string) (string, error) {
	t.Helper()
	o, err := s.GetObject(t.Context(), bucket, key)
	if err != nil {
		return "", err
	}
	defer func() { _ = o.Close() }()
	r, err := o.Open(t.Context(), 0, o.Size)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(r)
	return string(body), errors.Join(err, r.Close())
}

// code is the service's word for an error.
func code(err error) string {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return "no cloud.Error: " + err.Error()
	}
	return ""
}

const trustHealthLake = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"healthlake.amazonaws.com"},"Action":"sts:AssumeRole",
 "Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnEquals":{"aws:SourceArn":"arn:aws:healthlake:us-east-1:` + account + `:datastore/fhir/0123"}}}}`

func trusting() cloud.Assumption {
	return cloud.Assumption{RoleARN: roleARN, SessionName: "job", SourceAccount: account, SourceARN: "arn:aws:healthlake:us-east-1:" + account + ":datastore/fhir/0123"}
}

func TestCloud_keepsTheContract(t *testing.T) {
	t.Parallel()
	cloudtest.Run(t, func(t *testing.T) cloudtest.Stage {
		p := newPlace(t)
		c := p.open(t)
		s := root(c)
		key := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t).ARN
		forbidden := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t).ARN
		must(s.CreateBucket(t.Context(), "exports", "", ""))(t)
		check(t, s.PutBucketEncryption(t.Context(), "exports", local.BucketEncryption{Algorithm: local.SSEKMS, KMSKeyID: key}))
		p.people.trust[roleARN] = trustHealthLake
		p.people.trust[roleARN+"2"] = strings.Replace(trustHealthLake, "healthlake", "ec2", 1)
		p.people.allow(roleARN, `{"Version":"2012-10-17","Statement":[
		 {"Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketPublicAccessBlock","s3:GetEncryptionConfiguration"],"Resource":"arn:aws:s3:::exports*"},
		 {"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::exports/allowed/*"},
		 {"Effect":"Allow","Action":["kms:DescribeKey","kms:GenerateDataKey*","kms:Decrypt"],"Resource":"`+key+`"}]}`)
		return cloudtest.Stage{Cloud: c, Trust: trusting(), Untrusting: roleARN + "2", Bucket: "exports", Key: key, Forbidden: forbidden}
	})
}

func TestRole_rightsThatGoCountAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	must(root(c).CreateBucket(t.Context(), "exports", "", ""))(t)
	p.people.trust[roleARN] = trustHealthLake
	p.people.allow(roleARN, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}`)
	r := must(c.Assume(t.Context(), trusting()))(t)
	b := r.Bucket("exports")
	check(t, b.Put(t.Context(), "a", strings.NewReader("a"), 1, cloud.PutOptions{}))
	p.people.allow(roleARN)
	err := b.Put(t.Context(), "a", strings.NewReader("b"), 1, cloud.PutOptions{})
	var e *cloud.Error
	if !errors.As(err, &e) || e.Deny != cloud.DenyIdentity || e.Explicit || e.Action != "s3:PutObject" || e.Resource != "arn:aws:s3:::exports/a" {
		t.Errorf("Put without rights: %+v", err)
	}
	if want := "because no identity-based policy allows the s3:PutObject action"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
	p.people.allow(roleARN, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:Put*","Resource":"*"}]}`)
	if err := b.MayPut(t.Context(), "a", cloud.PutOptions{}); !errors.As(err, &e) || e.Deny != cloud.DenyIdentity || !e.Explicit {
		t.Errorf("MayPut under a Deny: %+v", err)
	}
}

func TestRole_equalBytesOfKnownSumHaveEqualTags(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	must(s.CreateBucket(t.Context(), "exports", "", ""))(t)
	sum := sha256.Sum256([]byte("body"))
	var tags [2]string
	for i := range tags {
		o := must(s.PutObject(t.Context(), local.PutRequest{Bucket: "exports", Key: fmt.Sprint(i), Body: strings.NewReader("body"), Size: 4, SHA256: sum[:],
			SSE: local.SSE{Algorithm: local.SSEKMS}}))(t)
		tags[i] = o.ETag
		if !strings.HasSuffix(o.KMSKeyARN, must(s.DescribeKey(t.Context(), local.ManagedS3Alias))(t).ID) {
			t.Errorf("without a key id the AWS managed key encrypts, not %s", o.KMSKeyARN)
		}
	}
	if tags[0] != tags[1] || tags[0] == "" {
		t.Errorf("tags %v", tags)
	}
}
