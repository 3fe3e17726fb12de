package localcloud_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Each look at an object has an action of its own; the right to its bytes is not the right to all of them.
func TestS3_eachLookAtAnObjectHasItsAction(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx, root := t.Context(), s.s3(s.root)
	bucket, key := aws.String("bucket"), aws.String("a")
	got(root.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	got(root.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("a")}))(t)
	for action, call := range map[string]func(c *s3.Client) error{
		"s3:GetObjectAcl": func(c *s3.Client) error {
			_, err := c.GetObjectAcl(ctx, &s3.GetObjectAclInput{Bucket: bucket, Key: key})
			return err
		},
		"s3:GetObjectTagging": func(c *s3.Client) error {
			_, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key})
			return err
		},
		"s3:PutObjectAcl": func(c *s3.Client) error {
			_, err := c.PutObjectAcl(ctx, &s3.PutObjectAclInput{Bucket: bucket, Key: key, ACL: types.ObjectCannedACLPrivate})
			return err
		},
		"s3:GetObjectAttributes": func(c *s3.Client) error {
			_, err := c.GetObjectAttributes(ctx, &s3.GetObjectAttributesInput{Bucket: bucket, Key: key, ObjectAttributes: []types.ObjectAttributes{types.ObjectAttributesEtag}})
			return err
		},
		"s3:PutBucketAcl": func(c *s3.Client) error {
			_, err := c.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPrivate})
			return err
		},
	} {
		name := strings.TrimPrefix(action, "s3:")
		document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":%q,"Resource":"*"}]}`
		refused(t, call(s.s3(s.user(t, "not"+name, fmt.Sprintf(document, action)))), 403, "AccessDenied", action)
		document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject",%q],"Resource":"*"}}`
		if err := call(s.s3(s.user(t, "only"+name, fmt.Sprintf(document, action)))); err != nil {
			t.Errorf("%s: %v", action, err)
		}
	}
}

// An object has one version, called null. A wish to delete another one must leave it alone, one by one or in a batch.
func TestS3_deletesNoOtherVersionThanTheOneThereIs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx, c := t.Context(), s.s3(s.root)
	bucket := aws.String("bucket")
	got(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	var names []types.ObjectIdentifier
	for key, version := range map[string]string{"old": "3sL4kqtJlcpXroDTDmJ", "null": "null", "none": ""} {
		got(c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("a")}))(t)
		name := types.ObjectIdentifier{Key: &key}
		if version != "" {
			name.VersionId = &version
		}
		names = append(names, name)
	}
	out := got(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: names}}))(t)
	if len(out.Deleted) != 2 || len(out.Errors) != 1 || *out.Errors[0].Key != "old" || *out.Errors[0].Code != "InvalidArgument" {
		t.Errorf("deleted %+v, errors %+v", out.Deleted, out.Errors)
	}
	if list := got(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket}))(t).Contents; len(list) != 1 || *list[0].Key != "old" {
		t.Errorf("left are %+v", list)
	}
}
