// Package cloud is the contract of what an export or an import needs of a cloud: take a role, look at a bucket, put and
// get objects under a KMS key, look at the key. cloud/local is the embedded cloud; cloud/cloudtest proves the contract.
package cloud

import (
	"context"
	"io"
	"iter"
	"time"
)

// Cloud is one account in one Region. It is safe for concurrent use.
type Cloud interface {
	// Account is the twelve digits of the account, Region the Region that jobs must stay in.
	Account() string
	Region() string
	// Assume takes a role as the service healthlake.amazonaws.com. The role's trust policy is evaluated with
	// aws:SourceAccount and aws:SourceArn. A role that is not there is fault.NotFound, one that does not trust the
	// service under these values fault.Denied; both as *Error with the action sts:AssumeRole.
	// Where a cloud can tell what an untrusted role might do, it returns that Role along with the error: good for looking
	// (everything but Put, Get and List), so that all that is wrong can be told at once.
	// What the Role then does is evaluated anew at each call, so that rights taken away meanwhile count.
	Assume(ctx context.Context, a Assumption) (Role, error)
	// Own is the service's own bucket: private, encrypted, and out of every principal's reach. What the service keeps for
	// its callers lies there, and they get it through the service alone.
	Own(ctx context.Context) (OwnBucket, error)
}

// OwnBucket is a bucket that the service owns.
type OwnBucket interface {
	Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o PutOptions) error
	Get(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error)
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
	// Delete deletes an object; that it is not there is no error. Whoever reads it already reads it to its end.
	Delete(ctx context.Context, key string) error
}

// Assumption says which role is taken and for whom.
type Assumption struct {
	RoleARN       string
	SessionName   string
	SourceAccount string // aws:SourceAccount
	SourceARN     string // aws:SourceArn: the data store
}

// Role is what a taken role can reach. It is safe for concurrent use.
type Role interface {
	// ARN is the session's: arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION.
	ARN() string
	Bucket(name string) Bucket
	Key(id string) Key // id, ARN, alias/NAME or an alias's ARN
}

// Bucket is one bucket under a role's rights. A call that the role's policies, the bucket's policy or the key's policy
// refuse fails with *Error of kind fault.Denied; a bucket or object that is not there with fault.NotFound; what may
// succeed when repeated with fault.Unavailable.
type Bucket interface {
	// Region is where the bucket lies (HeadBucket; needs s3:ListBucket).
	Region(ctx context.Context) (string, error)
	// PublicAccessBlock needs s3:GetBucketPublicAccessBlock; a bucket without the setting has all four false.
	PublicAccessBlock(ctx context.Context) (PublicAccessBlock, error)
	// Encryption is the bucket's default (s3:GetEncryptionConfiguration); Algorithm is empty where there is none.
	Encryption(ctx context.Context) (Encryption, error)
	// MayPut says whether Put of an object of that name with these options would be allowed now, by every policy that
	// takes part, without writing anything; nil also where the cloud cannot tell.
	MayPut(ctx context.Context, key string, o PutOptions) error
	// MayGet is the same for Get.
	MayGet(ctx context.Context, key string) error
	// Put writes an object whole with one PutObject, replacing what is there; durable when it returns nil. Body is
	// read from its start, more than once where a retry needs it.
	Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o PutOptions) error
	// Get reads n bytes from offset (n < 0: to the end). Whoever gets the reader closes it. (s3:GetObject, kms:Decrypt)
	Get(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error)
	// List yields the objects below prefix in key order. (s3:ListBucket)
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
}

// PutOptions go with an object.
type PutOptions struct {
	KMSKeyID    string // server-side encryption with this key (aws:kms); empty: the bucket's default
	ContentType string
	SHA256      []byte // of the body, where the caller knows it; spares a second pass
}

// Object is one entry of a listing.
type Object struct {
	Key      string
	Size     int64
	ETag     string
	Modified time.Time
}

// PublicAccessBlock is the four settings of S3 Block Public Access.
type PublicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// Encryption is a bucket's default encryption. Algorithm is "AES256", "aws:kms", "aws:kms:dsse" or empty. KMSKeyID is
// empty where the AWS managed key alias/aws/s3 is meant.
type Encryption struct {
	Algorithm, KMSKeyID string
}

// Key is one KMS key under a role's rights.
type Key interface {
	// Describe needs kms:DescribeKey.
	Describe(ctx context.Context) (KeyInfo, error)
	// MayGenerateDataKey says whether kms:GenerateDataKey is allowed (by the role's policies and the key's) and the
	// key's state permits it.
	MayGenerateDataKey(ctx context.Context) error
}

// KeyInfo is what export needs of DescribeKey.
type KeyInfo struct {
	ARN     string
	Manager string // CUSTOMER or AWS
	State   string // Enabled, Disabled, PendingDeletion, ...
	Spec    string // SYMMETRIC_DEFAULT, ...
	Usage   string // ENCRYPT_DECRYPT, ...
}
