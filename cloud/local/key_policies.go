package local

import (
	"context"

	"tarn/access/iam"
	"tarn/cloud"
	"tarn/fault"
	"tarn/kv"
)

// checkKeyPolicy compiles a key policy, and refuses one that would lock its own author out.
func (s *Session) checkKeyPolicy(k *keyRecord, text string, bypass bool) error {
	if _, err := s.c.policies.of(iam.Key, text); err != nil {
		return malformed("MalformedPolicyDocumentException", err)
	}
	if bypass {
		return nil
	}
	probe := *k
	probe.Policy = text
	if err := s.decideKey(&probe, "kms:PutKeyPolicy", nil); err != nil {
		return kmsError(fault.Invalid, "MalformedPolicyDocumentException",
			"The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

// malformed is an error of iam in a service's word.
func malformed(code string, err error) error {
	if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.TooLarge {
		return err
	}
	return &cloud.Error{Kind: fault.Invalid, Code: code, Msg: fault.Message(err)}
}

// defaultKeyPolicy leaves the key to the account's own policies, as CreateKey of KMS does.
func (c *Cloud) defaultKeyPolicy() string {
	return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:` + c.partition + `:iam::` + c.account + `:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`
}

// managedKeyPolicy lets everybody in the account use the key through S3, and look at it.
func (c *Cloud) managedKeyPolicy() string {
	return `{
  "Version" : "2012-10-17",
  "Id" : "auto-s3-2",
  "Statement" : [ {
    "Sid" : "Allow access through S3 for all principals in the account that are authorized to use S3",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:ViaService" : "s3.` + c.region + `.amazonaws.com",
        "kms:CallerAccount" : "` + c.account + `"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:` + c.partition + `:iam::` + c.account + `:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`
}

// managedKey makes the AWS managed key of S3 and its alias where they are not there.
func (c *Cloud) managedKey(ctx context.Context) error {
	row := []byte(rowAlias + ManagedS3Alias)
	return c.space.Update(ctx, [][]byte{row}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] != nil {
			return nil, nil
		}
		now := c.now().UTC()
		k := keyRecord{ID: newKeyID(), Created: now, State: KeyEnabled, Manager: ManagerAWS, Spec: SymmetricKey,
			Usage: "ENCRYPT_DECRYPT", Description: "Default key that protects my S3 objects when no other key is defined",
			Policy: c.managedKeyPolicy(), Rotation: true, RotateDays: 365}
		k.Material = []material{c.newMaterial(k.ID)}
		b := new(kv.Batch)
		b.Set([]byte(rowKey+k.ID), encode(k))
		b.Set(row, encode(aliasRecord{Target: k.ID, Created: now, Updated: now}))
		return b, nil
	})
}
