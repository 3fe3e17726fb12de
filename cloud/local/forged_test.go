package local_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tarn/cloud"
	"tarn/cloud/local"
)

// codeOf is the code of a refusal, or the error's text.
func codeOf(err error) string {
	var e *cloud.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

// A policy that gives a key to some objects only must not be stepped over by an encryption context of the caller's own.
func TestPut_encryptionContextCannotNameAnotherObject(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	must(root(c).CreateBucket(t.Context(), "bucket", "", ""))(t)
	k := must(root(c).CreateKey(t.Context(), local.KeyRequest{}))(t)
	p.people.allow(userU, forObject) // bucket/a* only
	u := p.as(t, c, "u")
	for _, name := range []string{"aws:s3:arn", "AWS:S3:ARN"} {
		e := local.SSE{Algorithm: local.SSEKMS, KMSKeyID: k.ID, Context: map[string]string{name: "arn:aws:s3:::bucket/allowed"}}
		put := local.PutRequest{Bucket: "bucket", Key: "secret", Body: strings.NewReader("x"), Size: 1, SSE: e}
		if _, err := u.PutObject(t.Context(), put); codeOf(err) != "InvalidArgument" {
			t.Errorf("put with %s: %v", name, err)
		}
		if _, err := u.CreateUpload(t.Context(), put, ""); codeOf(err) != "InvalidArgument" {
			t.Errorf("upload with %s: %v", name, err)
		}
	}
	e := local.SSE{Algorithm: local.SSEKMS, KMSKeyID: k.ID, Context: map[string]string{"dept": "a"}}
	must(u.PutObject(t.Context(), local.PutRequest{Bucket: "bucket", Key: "allowed", Body: strings.NewReader("x"), Size: 1, SSE: e}))(t)
}

// Conditions compare keys without regard to case, so what differs only in case could mean the one value to a policy and
// the other to the cipher.
func TestKeys_namesThatDifferOnlyInCaseAreRefused(t *testing.T) {
	t.Parallel()
	c := newPlace(t).open(t)
	s := root(c)
	k := must(s.CreateKey(t.Context(), local.KeyRequest{Tags: []local.Tag{{Key: "Team", Value: "a"}}}))(t)
	if _, _, err := s.Encrypt(t.Context(), k.ID, []byte("x"), map[string]string{"dept": "a", "Dept": "b"}); codeOf(err) != "ValidationException" {
		t.Errorf("encryption context: %v", err)
	}
	for name, tags := range map[string][]local.Tag{
		"together": {{Key: "x", Value: "a"}, {Key: "X", Value: "b"}}, "after another": {{Key: "team", Value: "b"}},
	} {
		if err := s.TagKey(t.Context(), k.ID, tags); codeOf(err) != "TagException" {
			t.Errorf("tags %s: %v", name, err)
		}
	}
	check(t, s.TagKey(t.Context(), k.ID, []local.Tag{{Key: "Team", Value: "b"}}))
}

func TestKeys_tagKeysAreDecidedUpon(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.open(t)
	k := must(root(c).CreateKey(t.Context(), local.KeyRequest{}))(t)
	p.people.allow(userU, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}}}}`)
	u := p.as(t, c, "u")
	check(t, u.TagKey(t.Context(), k.ID, []local.Tag{{Key: "team", Value: "a"}, {Key: "cost", Value: "1"}}))
	admin := []local.Tag{{Key: "admin", Value: "yes"}, {Key: "team", Value: "a"}}
	if err := u.TagKey(t.Context(), k.ID, admin); codeOf(err) != "AccessDeniedException" {
		t.Errorf("TagKey: %v", err)
	}
	if _, err := u.CreateKey(t.Context(), local.KeyRequest{Tags: admin}); codeOf(err) != "AccessDeniedException" {
		t.Errorf("CreateKey: %v", err)
	}
	if err := u.UntagKey(t.Context(), k.ID, []string{"admin"}); codeOf(err) != "AccessDeniedException" {
		t.Errorf("UntagKey: %v", err)
	}
}

// Work that grows with the square of a list must not be done for a list of any length, least of all before it is decided
// whether the caller may ask.
func TestTags_longListsAreRefusedUnread(t *testing.T) {
	t.Parallel()
	c := newPlace(t).open(t)
	s := root(c)
	must(s.CreateBucket(t.Context(), "bucket", "", ""))(t)
	k := must(s.CreateKey(t.Context(), local.KeyRequest{}))(t)
	tags := make([]local.Tag, 200_000)
	names := make([]string, len(tags))
	for i := range tags {
		names[i] = fmt.Sprint("k", i)
		tags[i].Key = names[i]
	}
	if err := s.TagKey(t.Context(), k.ID, tags); codeOf(err) != "LimitExceededException" {
		t.Errorf("TagKey: %v", err)
	}
	if _, err := s.CreateKey(t.Context(), local.KeyRequest{Tags: tags}); codeOf(err) != "LimitExceededException" {
		t.Errorf("CreateKey: %v", err)
	}
	if err := s.UntagKey(t.Context(), k.ID, names); codeOf(err) != "LimitExceededException" {
		t.Errorf("UntagKey: %v", err)
	}
	if err := s.PutBucketTags(t.Context(), "bucket", tags); codeOf(err) != "InvalidTag" {
		t.Errorf("PutBucketTags: %v", err)
	}
}
