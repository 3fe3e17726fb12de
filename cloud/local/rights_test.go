package local_test

import (
	"errors"
	"strings"
	"testing"

	"tarn/cloud"
	"tarn/cloud/local"
)

const (
	allowAll  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	denyPuts  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`
	denyKMS   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:*","Resource":"*"}]}`
	onlyS3    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
	viaS3     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}}]}`
	viaAny    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:ViaAWSService":"true"}}}]}`
	forObject = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringLike":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3:::bucket/a*"}}}]}`
	userU     = "arn:aws:iam::" + account + ":user/u"
	bucketToU = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + userU + `"},"Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}}`
	bucketNoU = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":"` + userU + `"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"}}`
	onlyKMS   = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}}`
	keyToU    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + userU + `"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*KeyPolicy","Resource":"*"}]}`
	keyNoU    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"},{"Effect":"Deny","Principal":{"AWS":"` + userU + `"},"Action":"kms:GenerateDataKey","Resource":"*"}]}`
	keyClosed = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":["kms:*KeyPolicy","kms:DescribeKey"],"Resource":"*"}}`
)

// TestPut_isDecidedByAllPolicies puts bucket/a as the user u under SSE-KMS.
func TestPut_isDecidedByAllPolicies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		user, bucket, key string
		sse               string // empty: KMS; AES256
		action            string // that is refused; empty: none
		deny              cloud.Deny
		explicit          bool
	}{
		{name: "all allowed", user: allowAll},
		{name: "nothing", action: "s3:PutObject", deny: cloud.DenyIdentity},
		{name: "own deny", user: denyPuts, action: "s3:PutObject", deny: cloud.DenyIdentity, explicit: true},
		{name: "bucket deny", user: allowAll, bucket: bucketNoU, action: "s3:PutObject", deny: cloud.DenyBucket, explicit: true},
		{name: "bucket allows, key does not", bucket: bucketToU, action: "kms:GenerateDataKey", deny: cloud.DenyIdentity},
		{name: "bucket and key allow", bucket: bucketToU, key: keyToU},
		{name: "S3 only", user: onlyS3, action: "kms:GenerateDataKey", deny: cloud.DenyIdentity},
		{name: "S3 only, no KMS needed", user: onlyS3, sse: local.SSES3},
		{name: "own deny of the key beats the key's allow", user: denyKMS, key: keyToU, action: "kms:GenerateDataKey", deny: cloud.DenyIdentity, explicit: true},
		{name: "key deny", user: allowAll, key: keyNoU, action: "kms:GenerateDataKey", deny: cloud.DenyKey, explicit: true},
		{name: "key says nothing", user: allowAll, key: keyClosed, action: "kms:GenerateDataKey", deny: cloud.DenyKey},
		{name: "by way of S3", user: viaS3},
		{name: "by way of a service", user: viaAny},
		{name: "for this object", user: forObject},
		{name: "bucket wants KMS, KMS", user: allowAll, bucket: onlyKMS},
		{name: "bucket wants KMS, not KMS", user: allowAll, bucket: onlyKMS, sse: local.SSES3, action: "s3:PutObject", deny: cloud.DenyBucket, explicit: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			c := p.open(t)
			s := root(c)
			must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
			k := must(s.CreateKey(t.Context(), local.KeyRequest{Policy: test.key}))(t)
			if test.bucket != "" {
				check(t, s.PutBucketPolicy(t.Context(), "bucket", test.bucket))
			}
			if test.user != "" {
				p.people.allow(userU, test.user)
			}
			e := local.SSE{Algorithm: local.SSEKMS, KMSKeyID: k.ID}
			if test.sse != "" {
				e = local.SSE{Algorithm: test.sse}
			}
			_, err := p.as(t, c, "u").PutObject(t.Context(), local.PutRequest{Bucket: "bucket", Key: "a", Body: strings.NewReader("x"), Size: 1, SSE: e})
			if test.action == "" {
				check(t, err)
				return
			}
			var refused *cloud.Error
			if !errors.As(err, &refused) || refused.Code != "AccessDenied" || refused.Action != test.action || refused.Deny != test.deny || refused.Explicit != test.explicit {
				t.Errorf("%+v", err)
			}
		})
	}
}

func TestPublicAccess_isBlocked(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := root(p.open(t))
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	statement := func(principal, condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"` + condition + `}}`
	}
	for _, test := range []struct {
		policy string
		public bool
	}{
		{statement(`"*"`, ""), true},
		{statement(`{"AWS":["`+userU+`","*"]}`, ""), true},
		{statement(`{"AWS":"`+userU+`"}`, ""), false},
		{statement(`"*"`, `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), false},
		{statement(`"*"`, `,"Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`), true},
		{statement(`"*"`, `,"Condition":{"StringLike":{"aws:PrincipalArn":"*"}}`), true},
	} {
		err := s.PutBucketPolicy(t.Context(), "bucket", test.policy)
		var e *cloud.Error
		if test.public != (errors.As(err, &e) && e.Deny == cloud.DenySetting) || !test.public && err != nil {
			t.Errorf("%s: %v", test.policy, err)
		}
	}
	if err := s.PutBucketPolicy(t.Context(), "bucket", strings.ReplaceAll(bucketToU, "bucket", "other")); code(err) != "MalformedPolicy" {
		t.Errorf("a policy about another bucket: %v", err)
	}
}

func TestPublicAccess_isRestricted(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	put(t, s, "bucket", "a", "a", local.SSE{})
	check(t, s.PutPublicAccessBlock(t.Context(), "bucket", cloud.PublicAccessBlock{}))
	check(t, s.PutBucketPolicy(t.Context(), "bucket", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}`))
	nobody := c.As(local.Caller{})
	if got, err := get(nobody, t, "bucket", "a"); err != nil || got != "a" {
		t.Errorf("a public object: %q, %v", got, err)
	}
	check(t, s.PutPublicAccessBlock(t.Context(), "bucket", cloud.PublicAccessBlock{RestrictPublicBuckets: true}))
	if _, err := get(nobody, t, "bucket", "a"); code(err) != "AccessDenied" {
		t.Errorf("a public object under RestrictPublicBuckets: %v", err)
	}
}

func TestBuckets_rules(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	s := root(c)
	for name, want := range map[string]string{"ab": "InvalidBucketName", "a_b": "InvalidBucketName", "Abc": "InvalidBucketName", "a..b": "InvalidBucketName", "1.2.3.4": "InvalidBucketName",
		"-abc": "InvalidBucketName", "abc-": "InvalidBucketName", "xn--abc": "InvalidBucketName", "abc-s3alias": "InvalidBucketName", strings.Repeat("a", 64): "InvalidBucketName",
		"a/b": "InvalidBucketName", "abc": "", "a.b-c.1": "", strings.Repeat("a", 63): ""} {
		if _, err := s.CreateBucket(t.Context(), name, "", ""); code(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if _, err := s.CreateBucket(t.Context(), "regional", "nowhere", ""); code(err) != "InvalidLocationConstraint" {
		t.Errorf("a Region that cannot be: %v", err)
	}
	must(s.CreateBucket(t.Context(), "regional", "ap-southeast-2", ""))(t)
	check(t, c.Close())
	again := root(p.open(t))
	if b := must(again.HeadBucket(t.Context(), "regional"))(t); b.Region != "ap-southeast-2" || !b.Created.Equal(p.now()) {
		t.Errorf("after a restart: %+v", b)
	}
	if _, err := again.CreateBucket(t.Context(), "regional", "ap-southeast-2", ""); code(err) != "BucketAlreadyOwnedByYou" {
		t.Errorf("made twice: %v", err)
	}
	if b, err := again.CreateBucket(t.Context(), "abc", "us-east-1", ""); err != nil || b.Name != "abc" {
		t.Errorf("made twice in us-east-1: %+v, %v", b, err)
	}
	check(t, again.DeleteBucket(t.Context(), "regional"))
	must(again.CreateBucket(t.Context(), "regional", "", ""))(t)
	if got := must(again.BucketLocation(t.Context(), "regional"))(t); got != "us-east-1" {
		t.Errorf("made again it lies in %s", got)
	}
}
