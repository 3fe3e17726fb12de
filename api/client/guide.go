package client

import "encoding/json"

type statement struct {
	Effect    string
	Principal any `json:",omitempty"`
	Action    []string
	Resource  []string `json:",omitempty"`
	Condition any      `json:",omitempty"`
}

func policy(statements ...statement) string {
	b, _ := json.MarshalIndent(struct { // of strings only: it cannot fail
		Version   string
		Statement []statement
	}{"2012-10-17", statements}, "", "  ")
	return string(b)
}

// TrustPolicy lets HealthLake take a data access role for one data store, and nobody else: the trust policy of the
// export guide.
func TrustPolicy(account, datastoreARN string) string {
	return policy(statement{Effect: "Allow", Principal: map[string][]string{"Service": {"healthlake.amazonaws.com"}}, Action: []string{"sts:AssumeRole"},
		Condition: map[string]any{
			"StringEquals": map[string]string{"aws:SourceAccount": account},
			"ArnEquals":    map[string]string{"aws:SourceArn": datastoreARN},
		}})
}

// ExportPolicy is what a data access role may do: the permission policy of the export guide.
func ExportPolicy(bucket, keyARN string) string {
	arn := "arn:aws:s3:::" + bucket
	return policy(
		statement{Effect: "Allow", Action: []string{"s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"}, Resource: []string{arn}},
		statement{Effect: "Allow", Action: []string{"s3:PutObject"}, Resource: []string{arn + "/*"}},
		statement{Effect: "Allow", Action: []string{"kms:DescribeKey", "kms:GenerateDataKey*"}, Resource: []string{keyARN}},
	)
}

// ImportPolicy is what a role may do that reads an import's input and writes its logs, both in one bucket.
func ImportPolicy(bucket, keyARN string) string {
	arn := "arn:aws:s3:::" + bucket
	return policy(
		statement{Effect: "Allow", Action: []string{"s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"}, Resource: []string{arn}},
		statement{Effect: "Allow", Action: []string{"s3:GetObject", "s3:PutObject"}, Resource: []string{arn + "/*"}},
		statement{Effect: "Allow", Action: []string{"kms:DescribeKey", "kms:GenerateDataKey*", "kms:Decrypt"}, Resource: []string{keyARN}},
	)
}
