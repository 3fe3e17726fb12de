package guide_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tarn/test/server"
)

// TestGuide_refusesWhatItForbids breaks each demand that the guide makes of bucket, key and role, one at a time; each
// is refused at once, with an error that names it, and an export runs again when it has been mended.
func TestGuide_refusesWhatItForbids(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	root, ctx := s.As(s.Root(t)), t.Context()
	p := root.Build(t, "refusals")
	start := func(change func(*server.Place)) error {
		q := p
		if change != nil {
			change(&q)
		}
		_, err := root.HealthLake.StartFHIRExportJob(ctx, q.Export(""))
		return err
	}
	block := func(c *s3types.PublicAccessBlockConfiguration) {
		t.Helper()
		got(root.S3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &p.Bucket, PublicAccessBlockConfiguration: c}))(t)
	}

	// "BlockPublicAccess must be turned on for all options."
	for option, flag := range map[string]func(*s3types.PublicAccessBlockConfiguration) **bool{
		"BlockPublicAcls":       func(c *s3types.PublicAccessBlockConfiguration) **bool { return &c.BlockPublicAcls },
		"IgnorePublicAcls":      func(c *s3types.PublicAccessBlockConfiguration) **bool { return &c.IgnorePublicAcls },
		"BlockPublicPolicy":     func(c *s3types.PublicAccessBlockConfiguration) **bool { return &c.BlockPublicPolicy },
		"RestrictPublicBuckets": func(c *s3types.PublicAccessBlockConfiguration) **bool { return &c.RestrictPublicBuckets },
	} {
		open := server.Closed()
		*flag(open) = aws.Bool(false)
		block(open)
		refused[*types.ValidationException](t, start(nil), option, p.Bucket)
	}
	block(server.Closed())

	// "The Amazon S3 bucket must be in the same AWS region as the service."
	const abroad = "bucket-abroad"
	got(root.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(abroad),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintEuCentral1}}))(t)
	got(root.S3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: aws.String(abroad), PublicAccessBlockConfiguration: server.Closed()}))(t)
	got(root.S3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: aws.String(abroad), ServerSideEncryptionConfiguration: server.EncryptedUnder(p.Key)}))(t)
	got(root.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("role-of-refusals"), PolicyName: aws.String("abroad"), PolicyDocument: aws.String(permit(abroad, p.Key))}))(t)
	refused[*types.ValidationException](t, start(func(q *server.Place) { q.Bucket = abroad }), "Region", "eu-central-1")
	refused[*types.ValidationException](t, start(func(q *server.Place) { q.Bucket = "bucket-nowhere" }), "bucket-nowhere")

	// "A customer-owned KMS key is required for encryption of the Amazon S3 bucket for all export jobs."
	got(root.S3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &p.Bucket, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAes256}}}}}))(t)
	refused[*types.ValidationException](t, start(nil), "encryption", "AES256")
	// "An Amazon-owned or customer-owned KMS key must also be used for encryption": the bucket's own may be Amazon's.
	got(root.S3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &p.Bucket, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms}}}}}))(t)
	root.AwaitExport(t, p, root.StartExport(t, p, "bucket-under-amazons-key"))
	got(root.S3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: &p.Bucket, ServerSideEncryptionConfiguration: server.EncryptedUnder(p.Key)}))(t)

	got(root.KMS.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &p.Key}))(t)
	refused[*types.ValidationException](t, start(nil), "Disabled", p.Key)
	got(root.KMS.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &p.Key}))(t)
	missing := strings.Replace(p.Key, p.Key[len(p.Key)-12:], "000000000000", 1)
	if err := start(func(q *server.Place) { q.Key = missing }); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("an export under a key that is not there: %v", err)
	}
	none := p.Export("")
	none.OutputDataConfig = &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: aws.String("s3://" + p.Bucket), KmsKeyId: aws.String("")}}
	_, err := root.HealthLake.StartFHIRExportJob(ctx, none)
	refused[*types.ValidationException](t, err, "kmsKeyId")

	// A role that another service may take, or that may not write.
	got(root.IAM.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("stranger"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))(t)
	refused[*types.AccessDeniedException](t, start(func(q *server.Place) { q.Role = "arn:aws:iam::" + server.Account + ":role/stranger" }), "stranger", "healthlake.amazonaws.com")
	got(root.IAM.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("role-of-refusals"), PolicyName: aws.String("no"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`)}))(t)
	refused[*types.AccessDeniedException](t, start(nil), "s3:PutObject")
	got(root.IAM.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("role-of-refusals"), PolicyName: aws.String("no")}))(t)

	// What is not there; a caller who may not pass the role.
	refused[*types.ResourceNotFoundException](t, start(func(q *server.Place) { q.Datastore = strings.Repeat("0", 32) }))
	_, err = root.HealthLake.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: &p.Datastore, JobId: aws.String(strings.Repeat("0", 32))})
	refused[*types.ResourceNotFoundException](t, err)
	carl := user(t, root, "carl")
	got(root.IAM.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("carl"), PolicyName: aws.String("start"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"healthlake:*","Resource":"*"}]}`)}))(t)
	_, err = s.As(carl).HealthLake.StartFHIRExportJob(ctx, p.Export(""))
	refused[*types.AccessDeniedException](t, err, "iam:PassRole")

	root.AwaitExport(t, p, root.StartExport(t, p, "mended"))
	// A deletion may have ended before the second caller comes: then another data store is tried.
	for n := 0; conflict(t, root, p.Datastore) == 0; n++ {
		if n == 20 {
			t.Fatal("of 20 data stores that many deleted at once, none was seen DELETING")
		}
		made, err := root.HealthLake.CreateFHIRDatastore(ctx, &healthlake.CreateFHIRDatastoreInput{DatastoreTypeVersion: types.FHIRVersionR4})
		if err != nil {
			t.Fatal(err)
		}
		p.Datastore = *made.DatastoreId
	}
}

// conflict deletes a data store by many callers at once: one succeeds; of the others, who come while it is DELETING hear
// ConflictException, and who come behind it that it is gone. It returns how many heard of a conflict.
func conflict(t *testing.T, root *server.Clients, datastore string) int {
	t.Helper()
	const callers = 16
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for i := range callers {
		wg.Go(func() {
			_, errs[i] = root.HealthLake.DeleteFHIRDatastore(t.Context(), &healthlake.DeleteFHIRDatastoreInput{DatastoreId: &datastore})
		})
	}
	wg.Wait()
	deleted, conflicts := 0, 0
	for _, err := range errs {
		switch {
		case err == nil:
			deleted++
		case strings.Contains(err.Error(), "ConflictException"):
			conflicts++
			refused[*types.ConflictException](t, err, "DELETING")
		default:
			refused[*types.ResourceNotFoundException](t, err)
		}
	}
	if deleted != 1 {
		t.Errorf("%d callers deleted it", deleted)
	}
	return conflicts
}
