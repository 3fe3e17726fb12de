package export

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tarn/cloud"
	"tarn/fault"
)

const service = "healthlake.amazonaws.com"

// Preflight checks where a request would write: all findings at once. A malformed S3Uri is fault.Invalid.
func (s *Service) Preflight(ctx context.Context, r Request) ([]Finding, error) {
	bucket, prefix, err := ParseS3Uri(r.S3Uri)
	if err != nil {
		return nil, err
	}
	j := Job{Datastore: r.Datastore, DatastoreARN: r.DatastoreARN, RoleARN: r.RoleARN, Bucket: bucket, Prefix: prefix, KMSKeyID: r.KMSKeyID}
	return s.destination(j).Check(ctx, s.cloud)
}

// destination is where a job writes.
func (s *Service) destination(j Job) Destination {
	return Destination{Partition: s.partition, SourceARN: j.DatastoreARN, RoleARN: j.RoleARN, Bucket: j.Bucket,
		Prefix: j.Prefix + j.Datastore + "-FHIR_EXPORT-", KMSKeyID: j.KMSKeyID}
}

// check gathers the findings of one preflight.
type check struct {
	to        Destination
	region    string
	bucketARN string
	findings  []Finding
	err       error // a failure of the looking
}

func (c *check) add(f Finding) {
	for _, g := range c.findings {
		if g.Setting == f.Setting && g.Resource == f.Resource && g.Field == f.Field {
			return // one cause, seen twice
		}
	}
	c.findings = append(c.findings, f)
}

// wrong adds a finding about a setting.
func (c *check) wrong(field, setting, resource, problem, remedy string) {
	c.add(Finding{Field: field, Setting: setting, Resource: resource, Problem: problem, Remedy: remedy})
}

// refused turns an error of the cloud into a finding on field; it reports whether there was one.
func (c *check) refused(field string, err error, remedy string) bool {
	if err == nil {
		return false
	}
	var e *cloud.Error
	if !errors.As(err, &e) || e.Kind == fault.Unavailable || e.Kind == fault.Internal {
		c.err = errors.Join(c.err, fault.Wrap("export.Preflight", err))
		return true
	}
	problem := sentence(e.Msg)
	if e.Kind == fault.Denied && e.Deny != cloud.DenyTrust {
		field, problem = fieldOf(e.Deny), "No statement of "+policyOf(e.Deny)+" allows it."
		if e.Explicit {
			problem = "A statement of " + policyOf(e.Deny) + " denies it."
		}
		if remedy == "" {
			remedy = remedyFor(e)
		}
	}
	c.add(Finding{Field: field, Setting: e.Action, Resource: e.Resource, Problem: problem, Remedy: remedy, Denied: e.Kind == fault.Denied})
	return true
}

// fieldOf is the field whose policy refused; where it is not known, the role's are looked at first.
func fieldOf(d cloud.Deny) string {
	switch d {
	case cloud.DenyBucket, cloud.DenySetting:
		return FieldBucket
	case cloud.DenyKey:
		return FieldKey
	}
	return FieldRole
}

// policyOf names what refused.
func policyOf(d cloud.Deny) string {
	switch d {
	case cloud.DenyBucket:
		return "the bucket policy"
	case cloud.DenyKey:
		return "the key policy"
	case cloud.DenySession:
		return "the session policy"
	case cloud.DenyBoundary:
		return "the permissions boundary of the role"
	case cloud.DenySetting:
		return "the settings of the bucket"
	}
	return "the permission policies of the role"
}

// remedyFor says how a refused action becomes an allowed one.
func remedyFor(e *cloud.Error) string {
	if e.Explicit {
		return fmt.Sprintf("Remove the statement that denies %s.", e.Action)
	}
	return fmt.Sprintf("Allow %s on %s there.", e.Action, e.Resource)
}

// sentence gives a text its full stop.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func (c *check) role(account string, err error) {
	remedy := fmt.Sprintf("Create the role in account %s and let its trust policy allow sts:AssumeRole to the service %s with aws:SourceAccount %s and aws:SourceArn %s.", account, service, account, c.to.SourceARN)
	if !fault.Is(err, fault.NotFound) {
		remedy = strings.Replace(remedy, "Create the role in account "+account+" and let", "Let", 1)
	}
	c.refused(FieldRole, err, remedy)
}

func (c *check) bucket(ctx context.Context, b cloud.Bucket) {
	region, err := b.Region(ctx)
	if c.refused(FieldBucket, err, c.missingBucket(err)) && fault.Is(err, fault.NotFound) {
		return
	}
	if err == nil && region != c.region {
		c.wrong(FieldBucket, "Region", c.bucketARN, fmt.Sprintf("The bucket is in %s, the service in %s.", region, c.region),
			"Use a bucket in "+c.region+".")
	}
	block, err := b.PublicAccessBlock(ctx)
	if !c.refused(FieldBucket, err, "") {
		for _, flag := range []struct {
			name string
			on   bool
		}{
			{"BlockPublicAcls", block.BlockPublicAcls},
			{"IgnorePublicAcls", block.IgnorePublicAcls},
			{"BlockPublicPolicy", block.BlockPublicPolicy},
			{"RestrictPublicBuckets", block.RestrictPublicBuckets},
		} {
			if !flag.on {
				c.wrong(FieldBucket, flag.name, c.bucketARN, "This option of S3 Block Public Access is off.",
					"Turn on all four options (s3api put-public-access-block).")
			}
		}
	}
	enc, err := b.Encryption(ctx)
	if !c.refused(FieldBucket, err, "") && !strings.HasPrefix(enc.Algorithm, "aws:kms") {
		problem := "The bucket has no default encryption."
		if enc.Algorithm != "" {
			problem = fmt.Sprintf("The bucket's default encryption is %s, not a KMS key.", enc.Algorithm)
		}
		c.wrong(FieldBucket, "BucketEncryption", c.bucketARN, problem,
			"Set default encryption to aws:kms with a customer managed key or alias/aws/s3 (s3api put-bucket-encryption).")
	}
}

func (c *check) missingBucket(err error) string {
	if fault.Is(err, fault.NotFound) {
		return "Create it in " + c.region + ", or correct S3Uri."
	}
	return ""
}

func (c *check) key(ctx context.Context, k cloud.Key) {
	info, err := k.Describe(ctx)
	remedy := ""
	if fault.Is(err, fault.NotFound) {
		remedy = "Create a customer managed key in " + c.region + " (kms create-key), or correct KmsKeyId."
	}
	if c.refused(FieldKey, err, remedy) && fault.Is(err, fault.NotFound) {
		return
	}
	if err == nil && !c.usable(info) {
		return // what the role may do with a key that cannot serve is of no interest
	}
	c.refused(FieldKey, k.MayGenerateDataKey(ctx), "")
}

// usable looks at a key's own settings.
func (c *check) usable(k cloud.KeyInfo) bool {
	switch {
	case k.Manager != "CUSTOMER":
		c.wrong(FieldKey, "KeyManager", k.ARN, "The key is managed by AWS.", "Name a customer managed key in KmsKeyId.")
	case k.Spec != "SYMMETRIC_DEFAULT" || k.Usage != "ENCRYPT_DECRYPT":
		c.wrong(FieldKey, "KeySpec", k.ARN, fmt.Sprintf("The key is %s for %s.", k.Spec, k.Usage), "Name a symmetric encryption key (SYMMETRIC_DEFAULT, ENCRYPT_DECRYPT).")
	case k.State != "Enabled":
		remedy := "Enable it (kms enable-key)."
		if k.State == "PendingDeletion" {
			remedy = "Cancel its deletion and enable it (kms cancel-key-deletion, kms enable-key), or name another."
		}
		c.wrong(FieldKey, "KeyState", k.ARN, fmt.Sprintf("The key is in state %s.", k.State), remedy)
	default:
		return true
	}
	return false
}

// put asks for the right to write below the job's folder. What it says of the key has been said already.
func (c *check) put(ctx context.Context, b cloud.Bucket) {
	err := b.MayPut(ctx, c.to.Prefix, cloud.PutOptions{KMSKeyID: c.to.KMSKeyID})
	var e *cloud.Error
	if errors.As(err, &e) && (e.Kind == fault.NotFound || strings.HasPrefix(e.Action, "kms:") && c.hasKeyFinding()) {
		return
	}
	c.refused(FieldBucket, err, "")
}

func (c *check) hasKeyFinding() bool {
	for _, f := range c.findings {
		if f.Field == FieldKey || strings.HasPrefix(f.Setting, "kms:") {
			return true
		}
	}
	return false
}
