package guide_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"tarn/test/server"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got is the answer of a call that must succeed.
func got[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// refused holds an error to be of the SDK's type E, with some words in its text.
func refused[E error](t *testing.T, err error, words ...string) {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Errorf("want a %T, got %v", e, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the message lacks %q: %v", w, err)
		}
	}
}

// denied holds an error to have a code, for services whose SDK has no type for it.
func denied(t *testing.T, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("want %s, got %v", code, err)
	}
}

// user makes a user with one access key.
func user(t *testing.T, root *server.Clients, name string, policies ...string) aws.Credentials {
	t.Helper()
	ctx := t.Context()
	got(root.IAM.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))(t)
	for _, arn := range policies {
		got(root.IAM.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: &arn}))(t)
	}
	key := got(root.IAM.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name}))(t).AccessKey
	return aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey}
}

const healthLakeFullAccess = "arn:aws:iam::aws:policy/AmazonHealthLakeFullAccess"

// TestGuide_withTheSDK is the guide in its own order with aws-sdk-go-v2, its waiters, paginators and typed errors.
func TestGuide_withTheSDK(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	root, ctx := s.As(s.Root(t)), t.Context()
	const bucket = "guide-output"
	source := root.Build(t, "source") // the data store, and a bucket and a role for the import

	// "Create an S3 bucket", and the key for it.
	got(root.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}))(t)
	must(t, s3.NewBucketExistsWaiter(root.S3).Wait(ctx, &s3.HeadBucketInput{Bucket: aws.String(bucket)}, time.Minute))
	got(root.S3.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: aws.String(bucket), PublicAccessBlockConfiguration: server.Closed()}))(t)
	key := got(root.KMS.CreateKey(ctx, &kms.CreateKeyInput{}))(t).KeyMetadata.Arn
	got(root.S3.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: aws.String(bucket), ServerSideEncryptionConfiguration: server.EncryptedUnder(*key)}))(t)

	// "Create and add an IAM policy to allow the user to create and attach roles and policies."
	policy := got(root.IAM.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("guide-administrator"), PolicyDocument: aws.String(administrator)}))(t)
	ana := s.As(user(t, root, "ana", *policy.Policy.Arn))
	_, err := ana.IAM.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("eve")})
	denied(t, err, "AccessDenied")
	_, err = ana.S3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("anas-own")})
	denied(t, err, "AccessDenied")

	// "Create a data access role", "Add a trust policy", "Add a permission policy".
	printed := &iam.CreateRoleInput{RoleName: aws.String("exporter"), AssumeRolePolicyDocument: aws.String(printedTrust(source.Datastore))}
	_, err = ana.IAM.CreateRole(ctx, printed)
	refused[*iamtypes.MalformedPolicyDocumentException](t, err, missingComma(source.Datastore))
	printed.AssumeRolePolicyDocument = aws.String(trust(source.Datastore))
	role := got(ana.IAM.CreateRole(ctx, printed))(t).Role.Arn
	policy = got(ana.IAM.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("export"), PolicyDocument: aws.String(permit(bucket, *key))}))(t)
	got(ana.IAM.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("exporter"), PolicyArn: policy.Policy.Arn}))(t)

	// "Use the start-fhir-export-job operation to begin a bulk export job."
	root.Put(t, source.Bucket, "in/a.ndjson", []byte(strings.Join(imported[:2], "\n")+"\n"))
	root.Put(t, source.Bucket, "in/b.ndjson", []byte(imported[2])) // a last line without its newline is one too
	root.Import(t, source, "in/")
	loaded := append(createAll(t, root.Keys, source.Endpoint), imported...)
	to := server.Place{Datastore: source.Datastore, Bucket: bucket, Key: *key, Role: *role}
	_, err = ana.HealthLake.StartFHIRExportJob(ctx, to.Export("too-early"))
	refused[*types.AccessDeniedException](t, err, "healthlake:StartFHIRExportJob")
	got(root.IAM.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("ana"), PolicyArn: aws.String(healthLakeFullAccess)}))(t)
	started := got(ana.HealthLake.StartFHIRExportJob(ctx, to.Export("nightly")))(t)
	if started.JobStatus != types.JobStatusSubmitted || *started.DatastoreId != source.Datastore {
		t.Errorf("started %+v", started)
	}

	// "To get the ID, ARN, name, start time, end time, and current status of a FHIR export job, use describe-fhir-export-job."
	j := ana.AwaitExport(t, to, *started.JobId)
	target := j.OutputDataConfig.(*types.OutputDataConfigMemberS3Configuration).Value
	if *j.JobId != *started.JobId || *j.JobName != "nightly" || *j.DataAccessRoleArn != *role || *j.DatastoreId != source.Datastore || *target.KmsKeyId != *key ||
		*target.S3Uri != "s3://"+bucket+"/out/"+source.Datastore+"-FHIR_EXPORT-"+*j.JobId+"/" || j.Message != nil ||
		j.EndTime.Before(*j.SubmitTime) || time.Since(*j.SubmitTime) > 10*time.Minute {
		t.Errorf("described %+v", j)
	}
	manifest, files := root.Folder(t, *target.S3Uri)
	compare(t, files, loaded)
	if manifest.Count != len(loaded) || manifest.JobID != *j.JobId || manifest.KMSKeyID != *key {
		t.Errorf("manifest %+v", manifest)
	}
	again := got(ana.HealthLake.StartFHIRExportJob(ctx, to.Export("weekly")))(t)
	ana.AwaitExport(t, to, *again.JobId)
	listEach(t, ana, to, "nightly", *started.JobId, *again.JobId)
	stdout, stderr, code := s.Tarn(t, "verify", *target.S3Uri)
	if code != 0 || !strings.Contains(stdout, "verified 5 of 5 resources") {
		t.Errorf("tarn verify: exit %d\n%s%s", code, stdout, stderr)
	}
}

// listEach lists by each filter. older has the name, newer has another.
func listEach(t *testing.T, c *server.Clients, p server.Place, name, older, newer string) {
	t.Helper()
	ctx := t.Context()
	between := c.DescribeExport(t, p, newer).SubmitTime
	first := c.DescribeExport(t, p, older).SubmitTime
	list := func(in healthlake.ListFHIRExportJobsInput, want ...string) {
		t.Helper()
		in.DatastoreId = &p.Datastore
		var ids []string
		pages := healthlake.NewListFHIRExportJobsPaginator(c.HealthLake, &in)
		for pages.HasMorePages() {
			page := got(pages.NextPage(ctx))(t)
			if in.MaxResults != nil && len(page.ExportJobPropertiesList) > int(*in.MaxResults) {
				t.Errorf("a page of %d", len(page.ExportJobPropertiesList))
			}
			for _, j := range page.ExportJobPropertiesList {
				ids = append(ids, *j.JobId)
			}
		}
		if !slices.Equal(ids, want) {
			t.Errorf("list %+v: %v, want %v", in, ids, want)
		}
	}
	list(healthlake.ListFHIRExportJobsInput{}, newer, older)
	list(healthlake.ListFHIRExportJobsInput{MaxResults: aws.Int32(1)}, newer, older)
	list(healthlake.ListFHIRExportJobsInput{JobName: &name}, older)
	list(healthlake.ListFHIRExportJobsInput{JobName: aws.String("none")})
	list(healthlake.ListFHIRExportJobsInput{JobStatus: types.JobStatusCompleted}, newer, older)
	list(healthlake.ListFHIRExportJobsInput{JobStatus: types.JobStatusInProgress})
	list(healthlake.ListFHIRExportJobsInput{SubmittedBefore: between}, older)
	list(healthlake.ListFHIRExportJobsInput{SubmittedAfter: first}, newer)
	list(healthlake.ListFHIRExportJobsInput{SubmittedAfter: first, SubmittedBefore: between})
	list(healthlake.ListFHIRExportJobsInput{SubmittedAfter: first, JobName: &name})
}

// TestGuide_fromASession starts an export from a session of a role: access key, secret and token.
func TestGuide_fromASession(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	root, ctx := s.As(s.Root(t)), t.Context()
	p := root.Build(t, "session")
	bob := s.As(user(t, root, "bob"))
	_, err := bob.HealthLake.StartFHIRExportJob(ctx, p.Export("own"))
	refused[*types.AccessDeniedException](t, err, "user/bob", "healthlake:StartFHIRExportJob")

	role := got(root.IAM.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("nightly"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + server.Account + `:user/bob"},"Action":"sts:AssumeRole"}]}`)}))(t).Role
	got(root.IAM.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role.RoleName, PolicyArn: aws.String(healthLakeFullAccess)}))(t)
	in := &sts.AssumeRoleInput{RoleArn: role.Arn, RoleSessionName: aws.String("cron"), DurationSeconds: aws.Int32(900)}
	given := got(bob.STS.AssumeRole(ctx, in))(t).Credentials
	if left := time.Until(*given.Expiration); left > 900*time.Second || left < 800*time.Second {
		t.Errorf("the session of 900 s ends in %v", left)
	}
	keys := aws.Credentials{AccessKeyID: *given.AccessKeyId, SecretAccessKey: *given.SecretAccessKey, SessionToken: *given.SessionToken}
	session := s.As(keys)
	if who := got(session.STS.GetCallerIdentity(ctx, nil))(t); *who.Arn != "arn:aws:sts::"+server.Account+":assumed-role/nightly/cron" {
		t.Errorf("the session is %s", *who.Arn)
	}
	session.AwaitExport(t, p, session.StartExport(t, p, "from-a-session"))

	for what, broken := range map[string]func(k *aws.Credentials){
		"no token":      func(k *aws.Credentials) { k.SessionToken = "" },
		"another token": func(k *aws.Credentials) { k.SessionToken += "x" },
		"wrong secret":  func(k *aws.Credentials) { k.SecretAccessKey += "x" },
	} {
		k := keys
		broken(&k)
		if _, err := s.As(k).HealthLake.StartFHIRExportJob(ctx, p.Export("")); err == nil {
			t.Errorf("a session with %s starts an export", what)
		} else if e := smithy.APIError(nil); !errors.As(err, &e) || !slices.Contains([]string{"UnrecognizedClientException", "InvalidSignatureException"}, e.ErrorCode()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	in.DurationSeconds = aws.Int32(899)
	_, err = bob.STS.AssumeRole(ctx, in)
	denied(t, err, "ValidationError")
}
