package localcloud_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func TestKMS_livesOfAKey(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c, ctx := s.kms(s.root), t.Context()
	k := got(c.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String("exports"), Tags: []types.Tag{{TagKey: aws.String("a"), TagValue: aws.String("b")}}}))(t).KeyMetadata
	if !k.Enabled || k.KeyState != "Enabled" || k.KeyManager != "CUSTOMER" || k.KeySpec != "SYMMETRIC_DEFAULT" || k.KeyUsage != "ENCRYPT_DECRYPT" ||
		*k.AWSAccountId != "123456789012" || *k.Arn != "arn:aws:kms:us-east-1:123456789012:key/"+*k.KeyId || time.Since(*k.CreationDate).Abs() > soon {
		t.Errorf("key %+v", k)
	}
	alias := aws.String("alias/exports")
	got(c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: k.KeyId}))(t)
	if d := got(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias}))(t).KeyMetadata; *d.KeyId != *k.KeyId || *d.Description != "exports" {
		t.Errorf("by alias: %+v", d)
	}
	if l := got(c.ListAliases(ctx, &kms.ListAliasesInput{}))(t); len(l.Aliases) != 2 || *l.Aliases[0].AliasName != "alias/aws/s3" || *l.Aliases[1].TargetKeyId != *k.KeyId {
		t.Errorf("aliases %+v", l.Aliases)
	}
	if l := got(c.ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(1)}))(t); len(l.Keys) != 1 || !l.Truncated || l.NextMarker == nil {
		t.Errorf("keys %+v", l)
	}
	if p := got(c.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: k.KeyId}))(t); *p.PolicyName != "default" || len(*p.Policy) < 100 {
		t.Errorf("policy %+v", p)
	}
	if p := got(c.ListKeyPolicies(ctx, &kms.ListKeyPoliciesInput{KeyId: k.KeyId}))(t); len(p.PolicyNames) != 1 {
		t.Errorf("policies %+v", p.PolicyNames)
	}
	got(c.TagResource(ctx, &kms.TagResourceInput{KeyId: k.KeyId, Tags: []types.Tag{{TagKey: aws.String("c"), TagValue: aws.String("d")}}}))(t)
	got(c.UntagResource(ctx, &kms.UntagResourceInput{KeyId: k.KeyId, TagKeys: []string{"a"}}))(t)
	if l := got(c.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: k.KeyId}))(t); len(l.Tags) != 1 || *l.Tags[0].TagKey != "c" {
		t.Errorf("tags %+v", l.Tags)
	}
	got(c.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: k.KeyId}))(t)
	if r := got(c.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: k.KeyId}))(t); !r.KeyRotationEnabled || *r.RotationPeriodInDays != 365 {
		t.Errorf("rotation %+v", r)
	}
	got(c.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: k.KeyId, Description: aws.String("other")}))(t)
	got(c.DisableKey(ctx, &kms.DisableKeyInput{KeyId: k.KeyId}))(t)
	_, err := c.Encrypt(ctx, &kms.EncryptInput{KeyId: k.KeyId, Plaintext: []byte("x")})
	refused(t, err, 400, "DisabledException")
	got(c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: k.KeyId}))(t)
	d := got(c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: k.KeyId, PendingWindowInDays: aws.Int32(7)}))(t)
	if d.KeyState != "PendingDeletion" || time.Until(*d.DeletionDate) < 6*24*time.Hour {
		t.Errorf("scheduled %+v", d)
	}
	_, err = c.EnableKey(ctx, &kms.EnableKeyInput{KeyId: k.KeyId})
	refused(t, err, 400, "KMSInvalidStateException")
	got(c.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: k.KeyId}))(t)
	if m := got(c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.Arn}))(t).KeyMetadata; m.KeyState != "Disabled" || m.DeletionDate != nil || *m.Description != "other" {
		t.Errorf("after cancelling %+v", m)
	}
	got(c.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: alias}))(t)
	_, err = c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias})
	refused(t, err, 400, "NotFoundException")
	rsa := got(c.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT"}))(t).KeyMetadata
	if rsa.KeySpec != "RSA_2048" || len(rsa.EncryptionAlgorithms) != 2 {
		t.Errorf("RSA key %+v", rsa)
	}
	_, err = c.GenerateDataKeyPair(ctx, &kms.GenerateDataKeyPairInput{KeyId: k.KeyId, KeyPairSpec: "RSA_2048"})
	refused(t, err, 404, "UnknownOperationException")
}

func TestKMS_encryptsForThoseWhoMay(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c, ctx := s.kms(s.root), t.Context()
	k := got(c.CreateKey(ctx, &kms.CreateKeyInput{}))(t).KeyMetadata.KeyId
	context := map[string]string{"tenant": "one"}
	data := got(c.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: k, KeySpec: "AES_256", EncryptionContext: context}))(t)
	if len(data.Plaintext) != 32 {
		t.Errorf("data key of %d bytes", len(data.Plaintext))
	}
	plain := got(c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: data.CiphertextBlob, EncryptionContext: context}))(t)
	if string(plain.Plaintext) != string(data.Plaintext) {
		t.Error("another data key came back")
	}
	_, err := c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: data.CiphertextBlob})
	refused(t, err, 400, "InvalidCiphertextException")
	if w := got(c.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: k, NumberOfBytes: aws.Int32(64)}))(t); len(w.CiphertextBlob) < 64 {
		t.Error("no data key")
	}
	other := got(c.CreateKey(ctx, &kms.CreateKeyInput{}))(t).KeyMetadata.KeyId
	re := got(c.ReEncrypt(ctx, &kms.ReEncryptInput{CiphertextBlob: data.CiphertextBlob, SourceEncryptionContext: context, DestinationKeyId: other}))(t)
	if p := got(c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: re.CiphertextBlob, KeyId: other}))(t); string(p.Plaintext) != string(data.Plaintext) {
		t.Error("ReEncrypt changed the plain text")
	}
	if r := got(c.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(9)}))(t); len(r.Plaintext) != 9 {
		t.Error("random bytes")
	}
	u := s.kms(s.user(t, "u", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:tenant":"one"}}}}`))
	got(u.Encrypt(ctx, &kms.EncryptInput{KeyId: k, Plaintext: []byte("x"), EncryptionContext: context}))(t)
	_, err = u.Encrypt(ctx, &kms.EncryptInput{KeyId: k, Plaintext: []byte("x"), EncryptionContext: map[string]string{"tenant": "two"}})
	refused(t, err, 400, "AccessDeniedException", "kms:Encrypt")
	closed := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["kms:*KeyPolicy","kms:Describe*"],"Resource":"*"}}`
	got(c.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: k, Policy: &closed}))(t)
	_, err = c.Encrypt(ctx, &kms.EncryptInput{KeyId: k, Plaintext: []byte("x")})
	refused(t, err, 400, "AccessDeniedException", "resource-based policy")
	_, err = c.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: k, Policy: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:Encrypt","Resource":"*"}}`)})
	refused(t, err, 400, "MalformedPolicyDocumentException", "will not allow you to update")
}
