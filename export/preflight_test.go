package export_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"tarn/account"
	"tarn/cloud"
	"tarn/cloud/local"
	"tarn/export"
	"tarn/fault"
)

var allOn = cloud.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}

func TestPreflight_findsNothingWhereTheGuideWasFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	findings, err := w.exports.Preflight(t.Context(), w.request())
	if err != nil || len(findings) > 0 {
		t.Fatalf("%v %v", findings, err)
	}
}

func TestPreflight_namesEachBrokenPrecondition(t *testing.T) {
	t.Parallel()
	block := func(change func(*cloud.PublicAccessBlock)) func(*world, *export.Request) {
		return func(w *world, _ *export.Request) {
			b := allOn
			change(&b)
			must(w.t, w.root().PutPublicAccessBlock(w.t.Context(), bucket, b))
		}
	}
	without := func(action string) func(*world, *export.Request) {
		return func(w *world, _ *export.Request) { w.permit(w.permissions(action)) }
	}
	trust := func(service, accountID, source string) func(*world, *export.Request) {
		return func(w *world, _ *export.Request) {
			if source == "" {
				source = w.data.ARN
			}
			must(w.t, w.accounts.UpdateTrust(w.t.Context(), roleName, w.trust(service, accountID, source)))
		}
	}
	const service = "healthlake.amazonaws.com"
	tests := []struct {
		name  string
		spoil func(*world, *export.Request)
		field string
		set   string // the setting that the finding names
		says  string // in its problem
		kind  fault.Kind
	}{
		{"BlockPublicAcls", block(func(b *cloud.PublicAccessBlock) { b.BlockPublicAcls = false }), export.FieldBucket, "BlockPublicAcls", "is off", fault.Invalid},
		{"IgnorePublicAcls", block(func(b *cloud.PublicAccessBlock) { b.IgnorePublicAcls = false }), export.FieldBucket, "IgnorePublicAcls", "is off", fault.Invalid},
		{"BlockPublicPolicy", block(func(b *cloud.PublicAccessBlock) { b.BlockPublicPolicy = false }), export.FieldBucket, "BlockPublicPolicy", "is off", fault.Invalid},
		{"RestrictPublicBuckets", block(func(b *cloud.PublicAccessBlock) { b.RestrictPublicBuckets = false }), export.FieldBucket, "RestrictPublicBuckets", "is off", fault.Invalid},
		{"SSE-S3", func(w *world, _ *export.Request) {
			must(w.t, w.root().PutBucketEncryption(w.t.Context(), bucket, local.BucketEncryption{Algorithm: local.SSES3}))
		}, export.FieldBucket, "BucketEncryption", "AES256", fault.Invalid},
		{"no bucket", func(_ *world, r *export.Request) { r.S3Uri = "s3://nowhere-to-be-found" }, export.FieldBucket, "s3:ListBucket", "does not exist", fault.Invalid},
		{"other Region", func(w *world, r *export.Request) {
			_, err := w.root().CreateBucket(w.t.Context(), "far-away", "eu-west-1", "")
			must(w.t, err)
			must(w.t, w.root().PutBucketEncryption(w.t.Context(), "far-away", local.BucketEncryption{Algorithm: local.SSEKMS, KMSKeyID: w.key.ARN}))
			w.permit(strings.ReplaceAll(w.permissions(""), bucket, "far-away"))
			r.S3Uri = "s3://far-away/out"
		}, export.FieldBucket, "Region", "eu-west-1", fault.Invalid},
		{"disabled key", func(w *world, _ *export.Request) { must(w.t, w.root().DisableKey(w.t.Context(), w.key.ID)) }, export.FieldKey, "KeyState", "Disabled", fault.Invalid},
		{"key to be deleted", func(w *world, _ *export.Request) {
			_, err := w.root().ScheduleKeyDeletion(w.t.Context(), w.key.ID, 7)
			must(w.t, err)
		}, export.FieldKey, "KeyState", "PendingDeletion", fault.Invalid},
		{"key of AWS", func(w *world, r *export.Request) {
			w.permit(strings.ReplaceAll(w.permissions(""), `"`+w.key.ARN+`"`, `"*"`))
			r.KMSKeyID = "alias/aws/s3"
		}, export.FieldKey, "KeyManager", "managed by AWS", fault.Invalid},
		{"asymmetric key", func(w *world, r *export.Request) {
			k, err := w.root().CreateKey(w.t.Context(), local.KeyRequest{Spec: "RSA_2048", Usage: "ENCRYPT_DECRYPT"})
			must(w.t, err)
			w.permit(strings.ReplaceAll(w.permissions(""), w.key.ARN, k.ARN))
			r.KMSKeyID = k.ARN
		}, export.FieldKey, "KeySpec", "RSA_2048", fault.Invalid},
		{"key policy", func(w *world, _ *export.Request) {
			must(w.t, w.root().PutKeyPolicy(w.t.Context(), w.key.ID, `{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+accountID+`:root"},"Action":"kms:*","Resource":"*"},
				{"Effect":"Deny","Principal":{"AWS":"`+roleARN+`"},"Action":"kms:GenerateDataKey","Resource":"*"}]}`, false))
		}, export.FieldKey, "kms:GenerateDataKey", "denies it", fault.Denied},
		{"bucket policy", func(w *world, _ *export.Request) {
			must(w.t, w.root().PutBucketPolicy(w.t.Context(), bucket, `{"Version":"2012-10-17","Statement":[
				{"Effect":"Deny","Principal":{"AWS":"`+roleARN+`"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::`+bucket+`/*"}]}`))
		}, export.FieldBucket, "s3:PutObject", "denies it", fault.Denied},
		{"no role", func(w *world, r *export.Request) { r.RoleARN = "arn:aws:iam::" + accountID + ":role/nobody" }, export.FieldRole, "sts:AssumeRole", "does not exist", fault.Denied},
		{"wrong principal", trust("lambda.amazonaws.com", accountID, ""), export.FieldRole, "sts:AssumeRole", "trust policy", fault.Denied},
		{"wrong SourceAccount", trust(service, "999999999999", ""), export.FieldRole, "sts:AssumeRole", "trust policy", fault.Denied},
		{"wrong SourceArn", trust(service, accountID, "arn:aws:healthlake:us-east-1:"+accountID+":datastore/fhir/00000000000000000000000000000000"), export.FieldRole, "sts:AssumeRole", "trust policy", fault.Denied},
		{"no s3:ListBucket", without("s3:ListBucket"), export.FieldRole, "s3:ListBucket", "allows it", fault.Denied},
		{"no s3:GetBucketPublicAccessBlock", without("s3:GetBucketPublicAccessBlock"), export.FieldRole, "s3:GetBucketPublicAccessBlock", "allows it", fault.Denied},
		{"no s3:GetEncryptionConfiguration", without("s3:GetEncryptionConfiguration"), export.FieldRole, "s3:GetEncryptionConfiguration", "allows it", fault.Denied},
		{"no s3:PutObject", without("s3:PutObject"), export.FieldRole, "s3:PutObject", "allows it", fault.Denied},
		{"no kms:DescribeKey", without("kms:DescribeKey"), export.FieldRole, "kms:DescribeKey", "allows it", fault.Denied},
		{"no kms:GenerateDataKey", without("kms:GenerateDataKey*"), export.FieldRole, "kms:GenerateDataKey", "allows it", fault.Denied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.request()
			tt.spoil(w, &r)
			_, err := w.exports.Start(t.Context(), r)
			var refused *export.PreflightError
			if !errors.As(err, &refused) {
				t.Fatalf("started: %v", err)
			}
			f := refused.Findings[0]
			if len(refused.Findings) != 1 {
				t.Errorf("%d findings, want one: %v", len(refused.Findings), err)
			}
			if f.Field != tt.field || f.Setting != tt.set || !strings.Contains(f.Problem, tt.says) || f.Remedy == "" || f.Resource == "" {
				t.Errorf("finding %+v, want %s %s %q", f, tt.field, tt.set, tt.says)
			}
			if fault.KindOf(err) != tt.kind {
				t.Errorf("kind %v, want %v: %v", fault.KindOf(err), tt.kind, err)
			}
			if page, err := w.ledger.List(t.Context(), jobsOf(w)); err != nil || len(page.Jobs) > 0 {
				t.Errorf("a job was queued: %v %v", page.Jobs, err)
			}
			if len(w.objects()) > 0 {
				t.Error("something was written")
			}
		})
	}
}

// What a remedy says, put into the role's policy word by word, must let the export start.
func TestPreflight_remediesAreTrueToTheLetter(t *testing.T) {
	t.Parallel()
	remedy := regexp.MustCompile(`^Allow (\S+) on (\S+) there\.$`)
	for _, action := range []string{"s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration", "s3:PutObject", "kms:DescribeKey", "kms:GenerateDataKey*"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.permit(w.permissions(action))
			_, err := w.exports.Start(t.Context(), w.request())
			var refused *export.PreflightError
			if !errors.As(err, &refused) {
				t.Fatalf("started: %v", err)
			}
			m := remedy.FindStringSubmatch(refused.Findings[0].Remedy)
			if m == nil {
				t.Fatalf("the remedy is %q", refused.Findings[0].Remedy)
			}
			w.permit(strings.TrimSuffix(w.permissions(action), "]}") + `,{"Effect":"Allow","Action":"` + m[1] + `","Resource":"` + m[2] + `"}]}`)
			rec, err := w.exports.Start(t.Context(), w.request())
			if err != nil {
				t.Fatalf("after the remedy %q: %v", m[0], err)
			}
			w.run()
			if got := w.describe(rec.ID); got.State != "COMPLETED" {
				t.Errorf("the export is %s: %s", got.State, got.Message)
			}
		})
	}
}

func TestPreflight_tellsAllAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := allOn
	b.IgnorePublicAcls = false
	must(t, w.root().PutPublicAccessBlock(t.Context(), bucket, b))
	must(t, w.root().DisableKey(t.Context(), w.key.ID))
	must(t, w.accounts.UpdateTrust(t.Context(), roleName, w.trust("lambda.amazonaws.com", accountID, w.data.ARN)))
	_, err := w.exports.Start(t.Context(), w.request())
	var refused *export.PreflightError
	if !errors.As(err, &refused) || len(refused.Findings) != 3 {
		t.Fatalf("three faults give %v", err)
	}
	for i, want := range []string{"sts:AssumeRole", "IgnorePublicAcls", "KeyState"} {
		if refused.Findings[i].Setting != want {
			t.Errorf("finding %d is %s, want %s", i, refused.Findings[i].Setting, want)
		}
	}
	if !fault.Is(err, fault.Denied) || !strings.Contains(fault.Message(err), "(3)") {
		t.Errorf("%v: %s", fault.KindOf(err), fault.Message(err))
	}
}

func TestPreflight_seesRightsTakenAwayLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 10, "en")
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	must(t, w.accounts.DeleteInline(t.Context(), account.Holder{Kind: account.Role, Name: roleName}, "export"))
	w.run()
	if got := w.describe(rec.ID); got.State != "FAILED" || !strings.Contains(got.Message, "s3:PutObject") {
		t.Errorf("%s: %s", got.State, got.Message)
	}
	if len(w.objects()) > 0 {
		t.Error("something was written")
	}
}
