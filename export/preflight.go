package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tarn/cloud"
	"tarn/fault"
)

const service = "healthlake.amazonaws.com"

// Preflight checks where a request would write: all findings at once. A malformed S3Uri is fault.Invalid.
func (s *Service) Preflight(ctx context.Context, r Request) ([]Finding, error) {
	j, err := r.job()
	if err != nil {
		return nil, err
	}
	checked, err := s.destination(j).Check(ctx, s.cloud)
	return checked.Findings, err
}

// destination is where a job writes.
func (s *Service) destination(j Job) Destination {
	d := Destination{Partition: s.partition, SourceARN: j.DatastoreARN, RoleARN: j.RoleARN, Bucket: j.Bucket,
		Folder: j.Prefix + j.Datastore + "-FHIR_EXPORT-", KMSKeyID: j.KMSKeyID}
	if j.KeyARN != "" {
		d.KMSKeyID = j.KeyARN
	}
	return d
}

// check gathers the findings of one preflight.
type check struct {
	to       Destination
	region   string
	keyARN   string
	findings []Finding
	err      error // a failure of the looking
}

func (c *check) arn(bucket string) string { return "arn:" + c.to.Partition + ":s3:::" + bucket }

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
	if !c.reach(ctx, FieldBucket, b, c.to.Bucket, "S3Uri") {
		return
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
				c.wrong(FieldBucket, flag.name, c.arn(c.to.Bucket), "This option of S3 Block Public Access is off.",
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
		c.wrong(FieldBucket, "BucketEncryption", c.arn(c.to.Bucket), problem,
			"Set default encryption to aws:kms with a customer managed key or alias/aws/s3 (s3api put-bucket-encryption).")
	}
}

// reach looks whether a bucket is there and in the Region; false where there is no more to look at.
func (c *check) reach(ctx context.Context, field string, b cloud.Bucket, name, member string) bool {
	region, err := b.Region(ctx)
	remedy := ""
	if fault.Is(err, fault.NotFound) {
		remedy = "Create it in " + c.region + ", or correct " + member + "."
	}
	if c.refused(field, err, remedy) && fault.Is(err, fault.NotFound) {
		return false
	}
	if err == nil && region != c.region {
		c.wrong(field, "Region", c.arn(name), fmt.Sprintf("The bucket is in %s, the service in %s.", region, c.region),
			"Use a bucket in "+c.region+".")
	}
	return true
}

// input asks for the right to list and read what an import reads. The name stands for those of the files; whether there
// are any is no matter of rights.
func (c *check) input(ctx context.Context, b cloud.Bucket) {
	if !c.reach(ctx, FieldInput, b, c.to.Input.Bucket, "InputDataConfig.S3Uri") {
		return
	}
	err := b.MayGet(ctx, c.to.Input.Prefix+"input.ndjson")
	if !fault.Is(err, fault.NotFound) {
		c.refused(FieldInput, err, "")
	}
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
	if err == nil {
		c.keyARN = info.ARN
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

// put asks for the right to write below the job's folder, and whether its names would not be too long. What it says of
// the key has been said already.
func (c *check) put(ctx context.Context, b cloud.Bucket) {
	key := cmp.Or(c.keyARN, c.to.KMSKeyID)
	err := b.MayPut(ctx, c.to.Folder, cloud.PutOptions{KMSKeyID: key})
	remedy := ""
	if err == nil {
		err = b.MayPut(ctx, c.to.Folder+longest, cloud.PutOptions{KMSKeyID: key})
		if fault.Is(err, fault.Invalid) {
			remedy = "Shorten the prefix in S3Uri: files have names of up to " + strconv.Itoa(len(longest)) + " bytes below the folder."
		}
	}
	var e *cloud.Error
	if errors.As(err, &e) && (e.Kind == fault.NotFound || strings.HasPrefix(e.Action, "kms:") && c.hasKeyFinding()) {
		return
	}
	if remedy != "" && e != nil && e.Action == "" {
		c.wrong(FieldBucket, "S3Uri", c.arn(c.to.Bucket), sentence(e.Msg), remedy)
		return
	}
	if e != nil && e.Kind == fault.Denied && !e.Explicit && e.Action == "s3:PutObject" {
		remedy = fmt.Sprintf("Allow s3:PutObject on %s/%s* there.", c.arn(c.to.Bucket), c.to.Folder) // as a policy says it
	}
	c.refused(FieldBucket, err, remedy)
}

func (c *check) hasKeyFinding() bool {
	for _, f := range c.findings {
		if f.Field == FieldKey || strings.HasPrefix(f.Setting, "kms:") {
			return true
		}
	}
	return false
}
