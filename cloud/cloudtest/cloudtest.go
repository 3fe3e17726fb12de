// Package cloudtest proves that a cloud keeps the contract of package cloud, and has a wrapper whose puts fail on demand.
// Every implementation runs Run.
package cloudtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"tarn/cloud"
	"tarn/fault"
)

// Stage is a cloud with what Run needs set up in it. Whoever makes it takes it down by t.Cleanup.
type Stage struct {
	Cloud cloud.Cloud
	// Trust is an assumption that the role's trust policy allows. The role may do all that a Role offers with the
	// bucket's objects below the prefix "allowed/" and with Key, may list the whole bucket, and may do nothing else.
	Trust cloud.Assumption
	// Untrusting is a role that does not trust the service.
	Untrusting string
	// Bucket exists in the cloud's Region with all of Block Public Access on and Key as its default encryption; it is
	// empty below "allowed/".
	Bucket string
	Key    string // ARN of an enabled, symmetric, customer managed key
	// Forbidden is the ARN of a key that the role may not use.
	Forbidden string
}

// Run runs the suite, each test on a stage of its own.
func Run(t *testing.T, open func(t *testing.T) Stage) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s Stage, role cloud.Role)
	}{
		{"AssumeRefusesRolesThatDoNotTrust", assume},
		{"BucketTellsItsSettings", settings},
		{"PutReplacesWholeAndIsReadBack", roundTrip},
		{"GetReadsRanges", ranges},
		{"ListIsInKeyOrderAndComplete", list},
		{"RefusalsNameActionAndResource", refusals},
		{"MayPutAsksWithoutWriting", mayPut},
		{"WhatIsNotThereIsNotFound", missing},
		{"KeyTellsItself", key},
		{"PutsSideBySideStayApart", concurrent},
		{"OwnBucketKeepsWhatTheServicePuts", own},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			role, err := s.Cloud.Assume(t.Context(), s.Trust)
			if err != nil {
				t.Fatalf("Assume: %v", err)
			}
			test.run(t, s, role)
		})
	}
}

// Bytes are n bytes that depend on seed and do not repeat themselves at any power of two.
func Bytes(seed string, n int) []byte {
	out := make([]byte, 0, n+sha256.Size)
	block := sha256.Sum256([]byte(seed))
	for len(out) < n {
		out = append(out, block[:]...)
		block = sha256.Sum256(block[:])
	}
	return out[:n]
}

func put(t *testing.T, b cloud.Bucket, name string, body []byte, o cloud.PutOptions) {
	t.Helper()
	if err := b.Put(t.Context(), name, bytes.NewReader(body), int64(len(body)), o); err != nil {
		t.Fatalf("Put %s: %v", name, err)
	}
}

// Read is the whole of an object's range.
func Read(ctx context.Context, b cloud.Bucket, name string, offset, n int64) ([]byte, error) {
	r, err := b.Get(ctx, name, offset, n)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r)
	return body, errors.Join(err, r.Close())
}

// wantError checks the kind of an error and that it is a *cloud.Error about an action.
func wantError(t *testing.T, what string, err error, kind fault.Kind, action string) {
	t.Helper()
	var e *cloud.Error
	switch {
	case err == nil:
		t.Errorf("%s: no error, want %s", what, kind)
	case !errors.As(err, &e):
		t.Errorf("%s: %v is no *cloud.Error", what, err)
	case fault.KindOf(err) != kind:
		t.Errorf("%s: kind %s, want %s (%v)", what, fault.KindOf(err), kind, err)
	case e.Action != action:
		t.Errorf("%s: action %q, want %q (%v)", what, e.Action, action, err)
	case e.Resource == "" || e.Code == "" || e.Msg == "":
		t.Errorf("%s: resource, code and sentence must be told: %+v", what, e)
	}
}

func assume(t *testing.T, s Stage, role cloud.Role) {
	if want := "assumed-role/"; !bytes.Contains([]byte(role.ARN()), []byte(want)) {
		t.Errorf("ARN %q is not a session's", role.ARN())
	}
	a := s.Trust
	a.RoleARN = s.Untrusting
	_, err := s.Cloud.Assume(t.Context(), a)
	wantError(t, "a role that does not trust", err, fault.Denied, "sts:AssumeRole")
	a.RoleARN = s.Trust.RoleARN + "-that-is-not-there"
	_, err = s.Cloud.Assume(t.Context(), a)
	wantError(t, "a role that is not there", err, fault.NotFound, "sts:AssumeRole")
	a = s.Trust
	a.SourceARN += "0"
	_, err = s.Cloud.Assume(t.Context(), a)
	wantError(t, "another aws:SourceArn", err, fault.Denied, "sts:AssumeRole")
	a = s.Trust
	a.SourceAccount = "999999999999"
	_, err = s.Cloud.Assume(t.Context(), a)
	wantError(t, "another aws:SourceAccount", err, fault.Denied, "sts:AssumeRole")
}

func settings(t *testing.T, s Stage, role cloud.Role) {
	b := role.Bucket(s.Bucket)
	if region, err := b.Region(t.Context()); err != nil || region != s.Cloud.Region() {
		t.Errorf("Region = %q, %v; want %q", region, err, s.Cloud.Region())
	}
	all := cloud.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}
	if p, err := b.PublicAccessBlock(t.Context()); err != nil || p != all {
		t.Errorf("PublicAccessBlock = %+v, %v; want all on", p, err)
	}
	if e, err := b.Encryption(t.Context()); err != nil || e.Algorithm != "aws:kms" || e.KMSKeyID != s.Key {
		t.Errorf("Encryption = %+v, %v; want aws:kms with %s", e, err, s.Key)
	}
}

func roundTrip(t *testing.T, s Stage, role cloud.Role) {
	b := role.Bucket(s.Bucket)
	for _, size := range []int{0, 1, 65535, 65536, 65537, 3<<20 + 7} {
		for _, o := range []cloud.PutOptions{{}, {KMSKeyID: s.Key, ContentType: "application/fhir+ndjson"}} {
			name := fmt.Sprintf("allowed/body %d+ü.ndjson", size)
			body := Bytes(name+o.KMSKeyID, size)
			sum := sha256.Sum256(body)
			if o.ContentType != "" {
				o.SHA256 = sum[:]
			}
			put(t, b, name, body, o)
			got, err := Read(t.Context(), b, name, 0, -1)
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%s: read %d bytes, %v; want the %d that were put", name, len(got), err, size)
			}
		}
	}
}

func ranges(t *testing.T, s Stage, role cloud.Role) {
	b := role.Bucket(s.Bucket)
	body := Bytes("ranges", 200_000)
	put(t, b, "allowed/r", body, cloud.PutOptions{KMSKeyID: s.Key})
	for _, from := range []int64{0, 1, 65535, 65536, 65537, 131071, 131072, 199_999, 200_000} {
		for _, n := range []int64{-1, 1, 2, 65536, 65537, 200_000} {
			if from == 200_000 && n > 0 {
				continue // what lies wholly behind the end may be refused
			}
			want := body[from:]
			if n >= 0 && n < int64(len(want)) {
				want = want[:n]
			}
			if len(want) == 0 {
				continue
			}
			got, err := Read(t.Context(), b, "allowed/r", from, n)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("[%d,+%d): %d bytes, %v; want %d", from, n, len(got), err, len(want))
			}
		}
	}
}

func list(t *testing.T, s Stage, role cloud.Role) {
	b := role.Bucket(s.Bucket)
	var want []string
	for i := range 25 {
		name := fmt.Sprintf("allowed/%c/%d", 'a'+i%3, i)
		put(t, b, name, []byte(name), cloud.PutOptions{})
		want = append(want, name)
	}
	slices.Sort(want)
	var got []string
	for o, err := range b.List(t.Context(), "allowed/") {
		if err != nil {
			t.Fatal(err)
		}
		if o.Size != int64(len(o.Key)) || o.ETag == "" || o.Modified.IsZero() {
			t.Errorf("entry %+v", o)
		}
		got = append(got, o.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	for o, err := range b.List(t.Context(), "allowed/b/") {
		if err != nil || !bytes.HasPrefix([]byte(o.Key), []byte("allowed/b/")) {
			t.Errorf("below allowed/b/: %+v, %v", o, err)
		}
	}
}

func refusals(t *testing.T, s Stage, role cloud.Role) {
	b := role.Bucket(s.Bucket)
	body := []byte("x")
	err := b.Put(t.Context(), "elsewhere/x", bytes.NewReader(body), 1, cloud.PutOptions{KMSKeyID: s.Key})
	wantError(t, "Put outside", err, fault.Denied, "s3:PutObject")
	err = b.Put(t.Context(), "allowed/x", bytes.NewReader(body), 1, cloud.PutOptions{KMSKeyID: s.Forbidden})
	wantError(t, "Put under another key", err, fault.Denied, "kms:GenerateDataKey")
	_, err = b.Get(t.Context(), "elsewhere/x", 0, -1)
	wantError(t, "Get outside", err, fault.Denied, "s3:GetObject")
	_, err = role.Key(s.Forbidden).Describe(t.Context())
	wantError(t, "Describe of another key", err, fault.Denied, "kms:DescribeKey")
	wantError(t, "MayGenerateDataKey of another key", role.Key(s.Forbidden).MayGenerateDataKey(t.Context()), fault.Denied, "kms:GenerateDataKey")
}

func mayPut(t *testing.T, s Stage, role cloud.Role) {
	b := role.Bucket(s.Bucket)
	o := cloud.PutOptions{KMSKeyID: s.Key}
	if err := b.MayPut(t.Context(), "allowed/p", o); err != nil {
		t.Errorf("MayPut: %v", err)
	}
	if err := b.MayGet(t.Context(), "allowed/p"); err != nil {
		t.Errorf("MayGet: %v", err)
	}
	for o, err := range b.List(t.Context(), "allowed/p") {
		t.Errorf("MayPut wrote %+v, %v", o, err)
	}
	// A cloud that cannot tell answers nil; one that refuses must refuse for the right reason.
	if err := b.MayPut(t.Context(), "elsewhere/p", o); err != nil {
		wantError(t, "MayPut outside", err, fault.Denied, "s3:PutObject")
	}
	if err := b.MayPut(t.Context(), "allowed/p", cloud.PutOptions{KMSKeyID: s.Forbidden}); err != nil {
		wantError(t, "MayPut under another key", err, fault.Denied, "kms:GenerateDataKey")
	}
}

func missing(t *testing.T, s Stage, role cloud.Role) {
	_, err := role.Bucket(s.Bucket).Get(t.Context(), "allowed/nothing", 0, -1)
	wantError(t, "an object", err, fault.NotFound, "s3:GetObject")
	_, err = role.Bucket(s.Bucket + "-that-is-not-there").Region(t.Context())
	wantError(t, "a bucket", err, fault.NotFound, "s3:ListBucket")
	_, err = role.Key(s.Key[:len(s.Key)-12] + "000000000000").Describe(t.Context())
	wantError(t, "a key", err, fault.NotFound, "kms:DescribeKey")
}

func key(t *testing.T, s Stage, role cloud.Role) {
	k, err := role.Key(s.Key).Describe(t.Context())
	want := cloud.KeyInfo{ARN: s.Key, Manager: "CUSTOMER", State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT"}
	if err != nil || k != want {
		t.Errorf("Describe = %+v, %v; want %+v", k, err, want)
	}
	if err := role.Key(s.Key).MayGenerateDataKey(t.Context()); err != nil {
		t.Errorf("MayGenerateDataKey: %v", err)
	}
}

func concurrent(t *testing.T, s Stage, role cloud.Role) {
	b := role.Bucket(s.Bucket)
	errs := make(chan error)
	const n = 16
	for i := range n {
		go func() {
			name := fmt.Sprintf("allowed/same-%d", i%4)
			body := Bytes(fmt.Sprint(name, i), 100_000+i)
			errs <- b.Put(t.Context(), name, bytes.NewReader(body), int64(len(body)), cloud.PutOptions{KMSKeyID: s.Key})
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for i := range 4 {
		name := fmt.Sprintf("allowed/same-%d", i)
		got, err := Read(t.Context(), b, name, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		whole := false
		for j := i; j < n; j += 4 {
			whole = whole || bytes.Equal(got, Bytes(fmt.Sprint(name, j), 100_000+j))
		}
		if !whole {
			t.Errorf("%s holds none of the bodies that were put", name)
		}
	}
}
