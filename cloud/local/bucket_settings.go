package local

import (
	"context"

	"tarn/access/iam"
	"tarn/cloud"
	"tarn/fault"
)

// The algorithms of server-side encryption.
const (
	SSES3  = "AES256"
	SSEKMS = "aws:kms"
)

// BucketEncryption is what a bucket does with objects whose put does not say.
type BucketEncryption struct {
	Algorithm string // SSES3 or SSEKMS
	KMSKeyID  string `json:",omitempty"` // as it was given; empty under SSEKMS: ManagedS3Alias
	BucketKey bool   `json:",omitempty"` // kept and shown; data keys are made per object all the same
}

// PublicAccessBlock is a bucket's Block Public Access. (s3:GetBucketPublicAccessBlock)
func (s *Session) PublicAccessBlock(ctx context.Context, bucket string) (cloud.PublicAccessBlock, error) {
	rec, err := s.open(ctx, bucket, "s3:GetBucketPublicAccessBlock", nil)
	if err != nil {
		return cloud.PublicAccessBlock{}, err
	}
	return rec.Block, nil
}

// PutPublicAccessBlock sets all four settings; the zero value is what deleting the setting leaves.
// (s3:PutBucketPublicAccessBlock)
func (s *Session) PutPublicAccessBlock(ctx context.Context, bucket string, p cloud.PublicAccessBlock) error {
	return s.changeBucket(ctx, bucket, "s3:PutBucketPublicAccessBlock", nil, func(rec *bucketRecord) error {
		rec.Block = p
		return nil
	})
}

// BucketEncryption is a bucket's default encryption; every bucket has one. (s3:GetEncryptionConfiguration)
func (s *Session) BucketEncryption(ctx context.Context, bucket string) (BucketEncryption, error) {
	rec, err := s.open(ctx, bucket, "s3:GetEncryptionConfiguration", nil)
	if err != nil {
		return BucketEncryption{}, err
	}
	return rec.Encryption, nil
}

// PutBucketEncryption sets the default encryption; the key need not exist yet. The zero value goes back to SSE-S3.
// (s3:PutEncryptionConfiguration)
func (s *Session) PutBucketEncryption(ctx context.Context, bucket string, e BucketEncryption) error {
	if e == (BucketEncryption{}) {
		e.Algorithm = SSES3
	}
	switch {
	case e.Algorithm == "aws:kms:dsse":
		return s3Error(fault.Unsupported, "NotImplemented", "Dual-layer encryption (aws:kms:dsse) is not offered; aws:kms is.")
	case e.Algorithm != SSES3 && e.Algorithm != SSEKMS:
		return s3Error(fault.Invalid, "MalformedXML", "The SSEAlgorithm must be AES256 or aws:kms")
	case e.Algorithm == SSES3 && e.KMSKeyID != "":
		return s3Error(fault.Invalid, "InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms")
	}
	return s.changeBucket(ctx, bucket, "s3:PutEncryptionConfiguration", nil, func(rec *bucketRecord) error {
		rec.Encryption = e
		return nil
	})
}

// BucketPolicy is the text of a bucket's policy; NoSuchBucketPolicy where there is none. (s3:GetBucketPolicy)
func (s *Session) BucketPolicy(ctx context.Context, bucket string) (string, error) {
	rec, err := s.open(ctx, bucket, "s3:GetBucketPolicy", nil)
	if err != nil {
		return "", err
	}
	if rec.Policy == "" {
		return "", named(s3Error(fault.NotFound, "NoSuchBucketPolicy", "The bucket policy does not exist"), "s3:GetBucketPolicy", s.c.bucketARN(bucket))
	}
	return rec.Policy, nil
}

// BucketPolicyIsPublic tells what Block Public Access thinks of the policy. (s3:GetBucketPolicyStatus)
func (s *Session) BucketPolicyIsPublic(ctx context.Context, bucket string) (bool, error) {
	rec, err := s.open(ctx, bucket, "s3:GetBucketPolicyStatus", nil)
	if err != nil {
		return false, err
	}
	if rec.Policy == "" {
		return false, s3Error(fault.NotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return isPublic(rec.Policy), nil
}

// PutBucketPolicy replaces the policy; an empty text removes it. A public policy is refused while BlockPublicPolicy is
// on. (s3:PutBucketPolicy, s3:DeleteBucketPolicy)
func (s *Session) PutBucketPolicy(ctx context.Context, bucket, policy string) error {
	action := "s3:PutBucketPolicy"
	if policy == "" {
		action = "s3:DeleteBucketPolicy"
	}
	if _, err := s.open(ctx, bucket, action, nil); err != nil {
		return err
	}
	if policy != "" {
		if _, err := iam.ParseBucket(bucket, []byte(policy)); err != nil {
			return malformed("MalformedPolicy", err)
		}
	}
	return s.changeBucket(ctx, bucket, action, nil, func(rec *bucketRecord) error {
		if rec.Block.BlockPublicPolicy && isPublic(policy) {
			return &cloud.Error{Kind: fault.Denied, Code: "AccessDenied", Deny: cloud.DenySetting, Msg: "User: " + s.caller.Principal.ARN +
				" is not authorized to perform: s3:PutBucketPolicy on resource: " + s.c.bucketARN(bucket) +
				" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."}
		}
		rec.Policy = policy
		return nil
	})
}

// BucketTags are a bucket's tags; NoSuchTagSet where there are none. (s3:GetBucketTagging)
func (s *Session) BucketTags(ctx context.Context, bucket string) ([]Tag, error) {
	rec, err := s.open(ctx, bucket, "s3:GetBucketTagging", nil)
	if err != nil {
		return nil, err
	}
	if len(rec.Tags) == 0 {
		return nil, s3Error(fault.NotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	return rec.Tags, nil
}

// PutBucketTags replaces a bucket's tags; none removes them. (s3:PutBucketTagging)
func (s *Session) PutBucketTags(ctx context.Context, bucket string, tags []Tag) error {
	tags, err := mergeTags(nil, tags)
	if err != nil {
		return s3Error(fault.Invalid, "InvalidTag", "%s", fault.Message(err))
	}
	return s.changeBucket(ctx, bucket, "s3:PutBucketTagging", nil, func(rec *bucketRecord) error {
		rec.Tags = tags
		return nil
	})
}

const ownerEnforced = "BucketOwnerEnforced"

func checkOwnership(o string) error {
	switch o {
	case ownerEnforced, "BucketOwnerPreferred", "ObjectWriter":
		return nil
	}
	return s3Error(fault.Invalid, "MalformedXML", "ObjectOwnership must be BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter")
}

// Ownership is a bucket's setting for ACLs. (s3:GetBucketOwnershipControls)
func (s *Session) Ownership(ctx context.Context, bucket string) (string, error) {
	rec, err := s.open(ctx, bucket, "s3:GetBucketOwnershipControls", nil)
	if err != nil {
		return "", err
	}
	if rec.Ownership == "" {
		return "", s3Error(fault.NotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	return rec.Ownership, nil
}

// PutOwnership sets it; empty removes it. One account owns everything, so that no setting changes who may do what.
// (s3:PutBucketOwnershipControls)
func (s *Session) PutOwnership(ctx context.Context, bucket, ownership string) error {
	if ownership != "" {
		if err := checkOwnership(ownership); err != nil {
			return err
		}
	}
	return s.changeBucket(ctx, bucket, "s3:PutBucketOwnershipControls", nil, func(rec *bucketRecord) error {
		rec.Ownership = ownership
		return nil
	})
}

// BucketSetting decides on reading or writing a setting that has but one value here, such as s3:GetBucketVersioning or
// s3:GetBucketAcl.
func (s *Session) BucketSetting(ctx context.Context, bucket, action string) error {
	_, err := s.open(ctx, bucket, action, nil)
	return err
}

// checkACL holds the rules for a canned ACL that comes with a request.
func checkACL(rec *bucketRecord, acl string) error {
	switch acl {
	case "", "private", "bucket-owner-full-control", "bucket-owner-read":
		return nil
	}
	if rec.Block.BlockPublicAcls && acl != "aws-exec-read" {
		return &cloud.Error{Kind: fault.Denied, Code: "AccessDenied", Deny: cloud.DenySetting, Msg: "Public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access."}
	}
	if rec.Ownership == ownerEnforced {
		return s3Error(fault.Invalid, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	return s3Error(fault.Unsupported, "NotImplemented", "ACLs other than private are not offered; use a bucket policy.")
}
