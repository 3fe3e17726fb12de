package account_test

import (
	"testing"

	"tarn/access"
	"tarn/access/iam"
	"tarn/account"
)

func TestManagedPolicies_areAsAWSDocumentsThem(t *testing.T) {
	t.Parallel()
	compiled := map[string]access.Policy{}
	for _, p := range account.ManagedPolicies() {
		c, err := iam.Parse(iam.Managed, []byte(p.Versions[0].Document))
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		compiled[p.Name] = c
	}
	for _, c := range []struct {
		policy, action, passedTo string
		want                     bool
	}{
		{"AdministratorAccess", "iam:CreateUser", "", true},
		{"PowerUserAccess", "healthlake:CreateFHIRDatastore", "", true},
		{"PowerUserAccess", "iam:CreateUser", "", false},
		{"PowerUserAccess", "iam:ListRoles", "", true},
		{"ReadOnlyAccess", "healthlake:ReadResource", "", true},
		{"ReadOnlyAccess", "s3:PutObject", "", false},
		{"IAMFullAccess", "iam:CreateUser", "", true},
		{"IAMFullAccess", "s3:GetObject", "", false},
		{"IAMReadOnlyAccess", "iam:GetUser", "", true},
		{"IAMReadOnlyAccess", "iam:CreateUser", "", false},
		{"AmazonS3FullAccess", "s3:PutObject", "", true},
		{"AmazonS3ReadOnlyAccess", "s3:GetObject", "", true},
		{"AmazonS3ReadOnlyAccess", "s3:PutObject", "", false},
		{"AmazonHealthLakeFullAccess", "healthlake:StartFHIRExportJob", "", true},
		{"AmazonHealthLakeFullAccess", "s3:ListAllMyBuckets", "", true},
		{"AmazonHealthLakeFullAccess", "s3:GetObject", "", false},
		{"AmazonHealthLakeFullAccess", "iam:ListRoles", "", true},
		{"AmazonHealthLakeFullAccess", "iam:PassRole", "healthlake.amazonaws.com", true},
		{"AmazonHealthLakeFullAccess", "iam:PassRole", "ec2.amazonaws.com", false},
		{"AmazonHealthLakeReadOnlyAccess", "healthlake:DescribeFHIRExportJob", "", true},
		{"AmazonHealthLakeReadOnlyAccess", "healthlake:CreateResource", "", false},
		{"AWSKeyManagementServicePowerUser", "kms:CreateKey", "", true},
		{"AWSKeyManagementServicePowerUser", "kms:ScheduleKeyDeletion", "", false},
	} {
		r := &access.Request{Principal: access.Principal{Kind: access.User, Account: number}, Action: c.action, Resource: "*"}
		if c.passedTo != "" {
			r.Context.Set(access.KeyPassedToService, c.passedTo)
		}
		if got := compiled[c.policy].Evaluate(r).Allowed(); got != c.want {
			t.Errorf("%s, %s to %q: %v", c.policy, c.action, c.passedTo, got)
		}
	}
}
