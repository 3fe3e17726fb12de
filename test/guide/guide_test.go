// Package guide_test walks through the export guide of AWS HealthLake, sentence by sentence, against the real program:
// with the AWS CLI and with aws-sdk-go-v2. README.md maps each sentence to the check that holds it.
package guide_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"tarn/test/server"
)

func TestMain(m *testing.M) { os.Exit(server.Main(m)) }

// The policies of the guide, letter by letter.
const (
	administrator = `{ "Version": "2012-10-17", "Statement": [ { "Action": [ "iam:CreateRole", "iam:CreatePolicy", "iam:AttachRolePolicy" ], "Effect": "Allow", "Resource": "*" }, { "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": { "StringEquals": { "iam:PassedToService": "healthlake.amazonaws.com" } } } ] }`
	// trustAsPrinted lacks a comma behind "sts:AssumeRole".
	trustAsPrinted = `{"Version": "2012-10-17", "Statement": [ {"Effect": "Allow", "Principal": {"Service": [ "healthlake.amazonaws.com" ] }, "Action": "sts:AssumeRole" "Condition": { "StringEquals": { "aws:SourceAccount": "(accountId)" }, "ArnEquals": { "aws:SourceArn": "arn:aws:healthlake:(region):(accountId):datastore/fhir/(datastoreId)" } } } ] }`
	permissions    = `{ "Version": "2012-10-17", "Statement": [ { "Action": [ "s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration" ], "Resource": [ "arn:aws:s3:::outputS3Bucket" ], "Effect": "Allow" }, { "Action": [ "s3:PutObject" ], "Resource": [ "arn:aws:s3:::outputS3Bucket/*" ], "Effect": "Allow" }, { "Action": [ "kms:DescribeKey", "kms:GenerateDataKey*" ], "Resource": [ "arn:aws:kms:us-east-1:012345678910:key/d330e7fc-b56c-4216-a250-f4c43ef46e83" ], "Effect": "Allow" } ] }`
)

// printedTrust is the trust policy as the guide prints it, for one data store; trust has the comma that it lacks.
func printedTrust(datastore string) string {
	return strings.NewReplacer("(accountId)", server.Account, "(region)", server.Region, "(datastoreId)", datastore).Replace(trustAsPrinted)
}

// missingComma names the place in the printed trust policy where the comma is expected: columns count from 1.
func missingComma(datastore string) string {
	const action = `"Action": "sts:AssumeRole"`
	return fmt.Sprintf("line 1, column %d", strings.Index(printedTrust(datastore), action)+len(action)+1)
}

func trust(datastore string) string {
	return strings.Replace(printedTrust(datastore), `"sts:AssumeRole" "Condition"`, `"sts:AssumeRole", "Condition"`, 1)
}

// permit is the permission policy of the guide for a bucket and a key.
func permit(bucket, key string) string {
	return strings.NewReplacer("outputS3Bucket", bucket, "arn:aws:kms:us-east-1:012345678910:key/d330e7fc-b56c-4216-a250-f4c43ef46e83", key).Replace(permissions)
}

// imported are resources as an import brings them: with ids, each line as it shall come back but for meta.
var imported = []string{
	`{"resourceType":"Patient","id":"ana-1","name":[{"family":"Müller","given":["Zoë"]}],"birthDate":"1970-01-01"}`,
	`{"resourceType":"Patient","id":"ben-2","active":true,"birthDate":"1985-12-31"}`,
	`{"resourceType":"Observation","id":"weight","status":"final","code":{"text":"weight \"as told\"\\n"},"valueQuantity":{"value":70.50,"unit":"kg"}}`,
}

// created are resources as FHIR creates bring them: without ids.
var created = []string{
	`{"resourceType":"Patient","name":[{"family":"Okafor"}],"gender":"female"}`,
	`{"resourceType":"Observation","status":"final","code":{"text":"height"},"valueQuantity":{"value":1.75e0,"unit":"m"}}`,
}

var (
	meta = regexp.MustCompile(`,"meta":\{"versionId":"1","lastUpdated":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}`)
	id   = regexp.MustCompile(`,"id":"([A-Za-z0-9.-]{1,64})"`)
)

// createAll sends the created resources as a caller and gives each with the id that it got.
func createAll(t *testing.T, keys aws.Credentials, endpoint string) (all []string) {
	t.Helper()
	for _, r := range created {
		kind := strings.Split(r, `"`)[3]
		a, err := server.Signed(t.Context(), keys, "POST", endpoint+kind, []byte(r))
		if err != nil {
			t.Fatal(err)
		}
		m := id.FindSubmatch(a.Body)
		if a.Status != 201 || m == nil {
			t.Fatalf("create of %s: status %d\n%s", kind, a.Status, a.Body)
		}
		all = append(all, strings.Replace(r, `",`, fmt.Sprintf(`","id":"%s",`, m[1]), 1))
	}
	return all
}

// compare holds the lines of an export, file by file, against what was loaded.
func compare(t *testing.T, files map[string][]byte, loaded []string) {
	t.Helper()
	var got []string
	for name, b := range files {
		if !strings.HasSuffix(name, ".ndjson") {
			continue
		}
		kind, _, _ := strings.Cut(name, "/")
		for line := range strings.Lines(string(b)) {
			if !strings.HasPrefix(line, `{"resourceType":"`+kind+`"`) || !meta.MatchString(line) {
				t.Errorf("%s holds the line %s", name, line)
			}
			got = append(got, strings.TrimSuffix(meta.ReplaceAllString(line, ""), "\n"))
		}
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(loaded))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the export is not what was loaded (-loaded +exported):\n%s", diff)
	}
}
