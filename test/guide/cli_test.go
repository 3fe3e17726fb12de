package guide_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tarn/test/server"
)

// awsCLI runs `aws` as one caller. Every call passes --endpoint-url, as versions before 2.13 need it.
type awsCLI struct {
	t    *testing.T
	path string
	url  string
	env  []string
}

// newCLI is the AWS CLI with the profile that the server wrote for the root.
func newCLI(t *testing.T, s *server.Server) *awsCLI {
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("there is no AWS CLI on PATH: the guide's commands are left out (the SDK's trip is the same)")
	}
	aws := filepath.Join(s.Dir, "aws")
	return &awsCLI{t, path, s.URL, append(server.Environment(), "AWS_CONFIG_FILE="+filepath.Join(aws, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(aws, "credentials"), "AWS_PROFILE=tarn")}
}

// with is the CLI with another caller's keys.
func (c awsCLI) with(keyID, secret string) *awsCLI {
	c.env = append(server.Environment(), "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_ACCESS_KEY_ID="+keyID, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_DEFAULT_REGION="+server.Region)
	return &c
}

func (c *awsCLI) exec(args ...string) (string, error) {
	ctx, stop := context.WithTimeout(c.t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, c.path, append(args, "--endpoint-url", c.url)...)
	cmd.Env = c.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs a command that must succeed and decodes its answer, where it has one, into v.
func (c *awsCLI) run(v any, args ...string) string {
	c.t.Helper()
	out, err := c.exec(args...)
	if err != nil {
		c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(out), v); err != nil {
			c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return out
}

// refused runs a command that must fail with an error code, and whose message must hold some words.
func (c *awsCLI) refused(code string, words []string, args ...string) {
	c.t.Helper()
	out, err := c.exec(args...)
	if err == nil || !strings.Contains(out, "("+code+")") {
		c.t.Errorf("aws %s: want %s, got %v\n%s", strings.Join(args, " "), code, err, out)
		return
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			c.t.Errorf("aws %s: the message lacks %q:\n%s", strings.Join(args, " "), w, out)
		}
	}
}

// cliJob is ExportJobProperties as the CLI prints it: times are numbers in version 1 and text in version 2.
type cliJob struct {
	JobId, JobName, JobStatus, DataAccessRoleArn, DatastoreId, Message string
	SubmitTime, EndTime                                                any
	OutputDataConfig                                                   struct {
		S3Configuration struct{ S3Uri, KmsKeyId string }
	}
}

// TestGuide_withTheAWSCLI is the guide in its own order, command by command.
func TestGuide_withTheAWSCLI(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	root := newCLI(t, s)
	dir := t.TempDir()
	const bucket = "guide-output"

	// Before the guide begins: an account with a data store, and resources in it.
	sdk := s.As(s.Root(t))
	store := sdk.Build(t, "source")
	sdk.Put(t, store.Bucket, "in/input.ndjson", []byte(strings.Join(imported, "\n")+"\n"))
	sdk.Import(t, store, "in/")
	loaded := append(createAll(t, sdk.Keys, store.Endpoint), imported...)

	// "Create an S3 bucket": in the Region, all of Block Public Access on, encrypted under a customer-owned key.
	root.run(nil, "s3api", "create-bucket", "--bucket", bucket)
	root.run(nil, "s3api", "put-public-access-block", "--bucket", bucket, "--public-access-block-configuration",
		"BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true")
	var key struct {
		KeyMetadata struct{ Arn, KeyManager string }
	}
	root.run(&key, "kms", "create-key")
	if key.KeyMetadata.KeyManager != "CUSTOMER" {
		t.Errorf("the key's manager is %s", key.KeyMetadata.KeyManager)
	}
	root.run(nil, "s3api", "put-bucket-encryption", "--bucket", bucket, "--server-side-encryption-configuration",
		`{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"`+key.KeyMetadata.Arn+`"}}]}`)

	// "Create and add an IAM policy to allow the user to create and attach roles and policies."
	var policy struct{ Policy struct{ Arn string } }
	root.run(nil, "iam", "create-user", "--user-name", "ana")
	root.run(&policy, "iam", "create-policy", "--policy-name", "guide-administrator", "--policy-document", administrator)
	root.run(nil, "iam", "attach-user-policy", "--user-name", "ana", "--policy-arn", policy.Policy.Arn)
	var keys struct {
		AccessKey struct{ AccessKeyId, SecretAccessKey string }
	}
	root.run(&keys, "iam", "create-access-key", "--user-name", "ana")
	ana := root.with(keys.AccessKey.AccessKeyId, keys.AccessKey.SecretAccessKey)
	ana.refused("AccessDenied", []string{"iam:CreateUser"}, "iam", "create-user", "--user-name", "eve")
	ana.refused("AccessDenied", nil, "s3api", "create-bucket", "--bucket", "anas-own")

	// "Create a data access role" and "Add a trust policy to the data access role."
	ana.refused("MalformedPolicyDocument", []string{missingComma(store.Datastore), "','"},
		"iam", "create-role", "--role-name", "exporter", "--assume-role-policy-document", printedTrust(store.Datastore))
	var role struct{ Role struct{ Arn string } }
	ana.run(&role, "iam", "create-role", "--role-name", "exporter", "--assume-role-policy-document", trust(store.Datastore))

	// "Add a permission policy to the data access role that enables the role to access the S3 bucket."
	ana.run(&policy, "iam", "create-policy", "--policy-name", "export", "--policy-document", permit(bucket, key.KeyMetadata.Arn))
	ana.run(nil, "iam", "attach-role-policy", "--role-name", "exporter", "--policy-arn", policy.Policy.Arn)

	// "Use the start-fhir-export-job operation to begin a bulk export job."
	start := []string{"healthlake", "start-fhir-export-job", "--datastore-id", store.Datastore, "--data-access-role-arn", role.Role.Arn,
		"--output-data-config", `{"S3Configuration":{"S3Uri":"s3://` + bucket + `/files","KmsKeyId":"` + key.KeyMetadata.Arn + `"}}`, "--job-name"}
	ana.refused("AccessDeniedException", []string{"healthlake:StartFHIRExportJob"}, append(start, "too-early")...)
	root.run(nil, "iam", "attach-user-policy", "--user-name", "ana", "--policy-arn", "arn:aws:iam::aws:policy/AmazonHealthLakeFullAccess")
	var nightly, weekly struct{ JobId, JobStatus string }
	ana.run(&nightly, append(start, "nightly")...)
	if nightly.JobStatus != "SUBMITTED" || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(nightly.JobId) {
		t.Errorf("started %+v", nightly)
	}
	ana.run(&weekly, append(start, "weekly")...)

	// "To get the ID, ARN, name, start time, end time, and current status of a FHIR export job, use describe-fhir-export-job."
	job := cliAwait(t, ana, store.Datastore, nightly.JobId)
	folder := "s3://" + bucket + "/files/" + store.Datastore + "-FHIR_EXPORT-" + nightly.JobId + "/"
	to := job.OutputDataConfig.S3Configuration
	if job.JobId != nightly.JobId || job.JobName != "nightly" || job.DataAccessRoleArn != role.Role.Arn || job.DatastoreId != store.Datastore ||
		job.SubmitTime == nil || job.EndTime == nil || to.S3Uri != folder || to.KmsKeyId != key.KeyMetadata.Arn || job.Message != "" {
		t.Errorf("described %+v", job)
	}
	cliAwait(t, ana, store.Datastore, weekly.JobId)

	// "Use list-fhir-export-jobs to list all export jobs and their statuses."
	list := func(want string, filter ...string) (next string) {
		t.Helper()
		var page struct {
			ExportJobPropertiesList []cliJob
			NextToken               string
		}
		ana.run(&page, append([]string{"healthlake", "list-fhir-export-jobs", "--datastore-id", store.Datastore}, filter...)...)
		var got []string
		for _, j := range page.ExportJobPropertiesList {
			got = append(got, j.JobName+" "+j.JobStatus)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("list %v: %q, want %q", filter, got, want)
		}
		return page.NextToken
	}
	const both = "weekly COMPLETED, nightly COMPLETED"
	past, future := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	list(both)
	list("nightly COMPLETED", "--job-name", "nightly")
	list(both, "--job-status", "COMPLETED", "--submitted-after", past, "--submitted-before", future)
	list("", "--job-status", "FAILED")
	list("", "--submitted-before", past)
	list("", "--submitted-after", future)
	next := list("weekly COMPLETED", "--max-results", "1")
	if next = list("nightly COMPLETED", "--max-results", "1", "--next-token", next); next != "" {
		t.Errorf("the last page has a token %q", next)
	}

	// "You can export files from your data store to an S3 bucket": they lie there, one resource a line.
	if out := root.run(nil, "s3", "ls", folder); !strings.Contains(out, "PRE Observation/") || !strings.Contains(out, "PRE Patient/") || !strings.Contains(out, "manifest.json") {
		t.Errorf("s3 ls %s:\n%s", folder, out)
	}
	out := filepath.Join(dir, "out")
	root.run(nil, "s3", "cp", "--recursive", folder, out)
	compare(t, readFolder(t, out), loaded)
	if out, err := ana.exec("s3", "cp", folder+"manifest.json", filepath.Join(dir, "stolen")); err == nil {
		t.Errorf("ana, who may not read the bucket, reads it:\n%s", out)
	}
}

// cliAwait describes an export until it has ended, and it must end COMPLETED.
func cliAwait(t *testing.T, c *awsCLI, datastore, job string) cliJob {
	t.Helper()
	for {
		var d struct{ ExportJobProperties cliJob }
		c.run(&d, "healthlake", "describe-fhir-export-job", "--datastore-id", datastore, "--job-id", job)
		switch j := d.ExportJobProperties; j.JobStatus {
		case "SUBMITTED", "QUEUED", "IN_PROGRESS":
			if j.EndTime != nil {
				t.Errorf("a job that is %s has an end time %v", j.JobStatus, j.EndTime)
			}
		case "COMPLETED":
			return j
		default:
			t.Fatalf("the export is %s: %s", j.JobStatus, j.Message)
		}
	}
}

// readFolder reads a local folder: name below it, with slashes -> bytes.
func readFolder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, p)
		files[filepath.ToSlash(name)], err = os.ReadFile(p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
