package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	hltypes "github.com/aws/aws-sdk-go-v2/service/healthlake/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Place is a data store, and bucket, key and role as the export guide has them. The role may read the bucket too, so
// that it serves imports.
type Place struct {
	Datastore, ARN, Endpoint string // Endpoint ends in a slash
	Bucket, Key, Role        string // Key and Role are ARNs
}

// Build makes a place with the root's clients; name is part of the names of its pieces.
func (c *Clients) Build(t testing.TB, name string) Place {
	t.Helper()
	p := c.Create(t, name, "")
	c.AwaitActive(t, p)
	c.Furnish(t, &p, name)
	return p
}

// Create makes a data store and does not wait until it is ACTIVE; preload is SYNTHEA or empty.
func (c *Clients) Create(t testing.TB, name string, preload hltypes.PreloadDataType) (p Place) {
	t.Helper()
	in := &healthlake.CreateFHIRDatastoreInput{DatastoreTypeVersion: hltypes.FHIRVersionR4, DatastoreName: &name}
	if preload != "" {
		in.PreloadDataConfig = &hltypes.PreloadDataConfig{PreloadDataType: preload}
	}
	made, err := c.HealthLake.CreateFHIRDatastore(context.Background(), in)
	must(t, err)
	p.Datastore, p.ARN, p.Endpoint = *made.DatastoreId, *made.DatastoreArn, *made.DatastoreEndpoint
	return p
}

// AwaitActive waits with the SDK's waiter until a place's data store is ACTIVE.
func (c *Clients) AwaitActive(t testing.TB, p Place) {
	t.Helper()
	must(t, healthlake.NewFHIRDatastoreActiveWaiter(c.HealthLake).Wait(context.Background(), &healthlake.DescribeFHIRDatastoreInput{DatastoreId: &p.Datastore}, patience, soon))
}

// Furnish makes the bucket, the key and the role of a place that has its data store.
func (c *Clients) Furnish(t testing.TB, p *Place, name string) {
	t.Helper()
	ctx := context.Background()
	p.Bucket = "bucket-of-" + name
	key, err := c.KMS.CreateKey(ctx, &kms.CreateKeyInput{})
	must(t, err)
	p.Key = *key.KeyMetadata.Arn
	_, err = c.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &p.Bucket})
	must(t, err)
	_, err = c.S3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &p.Bucket, PublicAccessBlockConfiguration: Closed()})
	must(t, err)
	_, err = c.S3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &p.Bucket, ServerSideEncryptionConfiguration: EncryptedUnder(p.Key)})
	must(t, err)
	role, err := c.IAM.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("role-of-" + name), AssumeRolePolicyDocument: aws.String(fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["healthlake.amazonaws.com"]},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"aws:SourceAccount":%q},"ArnEquals":{"aws:SourceArn":%q}}}]}`, Account, p.ARN))})
	must(t, err)
	p.Role = *role.Role.Arn
	_, err = c.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role.Role.RoleName, PolicyName: aws.String("both-ways"), PolicyDocument: aws.String(fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:ListBucket","s3:GetBucketPublicAccessBlock","s3:GetEncryptionConfiguration"],"Resource":["arn:aws:s3:::%[1]s"]},
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::%[1]s/*"]},
		{"Effect":"Allow","Action":["kms:DescribeKey","kms:GenerateDataKey*","kms:Decrypt"],"Resource":[%[2]q]}]}`, p.Bucket, p.Key))})
	must(t, err)
}

// Closed is Block Public Access with all four options on.
func Closed() *s3types.PublicAccessBlockConfiguration {
	on := aws.Bool(true)
	return &s3types.PublicAccessBlockConfiguration{BlockPublicAcls: on, BlockPublicPolicy: on, IgnorePublicAcls: on, RestrictPublicBuckets: on}
}

// EncryptedUnder is default encryption under a KMS key.
func EncryptedUnder(key string) *s3types.ServerSideEncryptionConfiguration {
	return &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &key}}}}
}

// soon makes the waiters of the SDK, which wait for minutes, look again at once.
func soon(o *healthlake.FHIRDatastoreActiveWaiterOptions) {
	o.MinDelay, o.MaxDelay = 10*time.Millisecond, 100*time.Millisecond
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
