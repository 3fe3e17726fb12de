package localcloud

import (
	"tarn/cloud/local"
)

type jsonTag struct{ TagKey, TagValue string }

func tagsIn(in []jsonTag) []local.Tag {
	var out []local.Tag
	for _, t := range in {
		out = append(out, local.Tag{Key: t.TagKey, Value: t.TagValue})
	}
	return out
}

// jsonKey is KeyMetadata.
type jsonKey struct {
	AWSAccountID          string `json:"AWSAccountId"`
	KeyID                 string `json:"KeyId"`
	Arn                   string
	CreationDate          kmsTime
	Enabled               bool
	Description           string
	KeyUsage              string
	KeyState              string
	DeletionDate          *kmsTime `json:",omitempty"`
	Origin                string
	KeyManager            string
	CustomerMasterKeySpec string
	KeySpec               string
	EncryptionAlgorithms  []string `json:",omitempty"`
	SigningAlgorithms     []string `json:",omitempty"`
	MacAlgorithms         []string `json:",omitempty"`
	KeyAgreement          []string `json:"KeyAgreementAlgorithms,omitempty"`
	MultiRegion           bool
}

// algorithms of the key specs and usages that can be described.
var algorithms = map[[2]string][]string{
	{local.SymmetricKey, "ENCRYPT_DECRYPT"}: {"SYMMETRIC_DEFAULT"},
	{"RSA_2048", "ENCRYPT_DECRYPT"}:         {"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"},
	{"RSA_2048", "SIGN_VERIFY"}: {"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
		"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"},
	{"ECC_NIST_P256", "SIGN_VERIFY"}:    {"ECDSA_SHA_256"},
	{"ECC_NIST_P256", "KEY_AGREEMENT"}:  {"ECDH"},
	{"HMAC_256", "GENERATE_VERIFY_MAC"}: {"HMAC_SHA_256"},
}

func (c *kmsCall) metadata(k local.KeyMetadata) jsonKey {
	out := jsonKey{AWSAccountID: c.s.Account(), KeyID: k.ID, Arn: k.ARN, CreationDate: kmsTime(k.Created), Enabled: k.State == local.KeyEnabled,
		Description: k.Description, KeyUsage: k.Usage, KeyState: k.State, Origin: "AWS_KMS", KeyManager: k.Manager, CustomerMasterKeySpec: k.Spec, KeySpec: k.Spec}
	if k.Deletion != nil {
		out.DeletionDate = timeOrNone(*k.Deletion)
	}
	list := algorithms[[2]string{k.Spec, k.Usage}]
	switch k.Usage {
	case "ENCRYPT_DECRYPT":
		out.EncryptionAlgorithms = list
	case "SIGN_VERIFY":
		out.SigningAlgorithms = list
	case "GENERATE_VERIFY_MAC":
		out.MacAlgorithms = list
	case "KEY_AGREEMENT":
		out.KeyAgreement = list
	}
	return out
}

type keyAnswer struct{ KeyMetadata jsonKey }

func (c *kmsCall) createKey() (any, error) {
	var in struct {
		Policy, Description, KeyUsage, KeySpec, CustomerMasterKeySpec, Origin string
		MultiRegion, BypassPolicyLockoutSafetyCheck                           bool
		Tags                                                                  []jsonTag
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Origin != "" && in.Origin != "AWS_KMS" {
		return nil, kmsInvalid("UnsupportedOperationException", "Only keys of the origin AWS_KMS are offered, not %s", in.Origin)
	}
	if in.MultiRegion {
		return nil, kmsInvalid("UnsupportedOperationException", "Multi-Region keys are not offered")
	}
	if in.KeySpec == "" {
		in.KeySpec = in.CustomerMasterKeySpec
	}
	k, err := c.s.CreateKey(c.r.Context(), local.KeyRequest{Description: in.Description, Policy: in.Policy, Spec: in.KeySpec, Usage: in.KeyUsage,
		Tags: tagsIn(in.Tags), BypassSafety: in.BypassPolicyLockoutSafetyCheck})
	if err != nil {
		return nil, err
	}
	return keyAnswer{c.metadata(k)}, nil
}

func (c *kmsCall) keyID() (string, error) {
	var in struct {
		KeyID string `json:"KeyId"`
	}
	err := c.read(&in)
	return in.KeyID, err
}

func (c *kmsCall) describeKey() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	k, err := c.s.DescribeKey(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	return keyAnswer{c.metadata(k)}, nil
}

func (c *kmsCall) listKeys() (any, error) {
	var in kmsPage
	if err := c.read(&in); err != nil {
		return nil, err
	}
	limit, err := in.limit(100, 1000)
	if err != nil {
		return nil, err
	}
	keys, next, err := c.s.ListKeys(c.r.Context(), in.Marker, limit)
	if err != nil {
		return nil, err
	}
	type entry struct {
		KeyID  string `json:"KeyId"`
		KeyArn string
	}
	out := struct {
		Keys       []entry
		NextMarker string `json:",omitempty"`
		Truncated  bool
	}{[]entry{}, next, next != ""}
	for _, k := range keys {
		out.Keys = append(out.Keys, entry{k.ID, k.ARN})
	}
	return out, nil
}

func (c *kmsCall) enableKey() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	return nil, c.s.EnableKey(c.r.Context(), id)
}

func (c *kmsCall) disableKey() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	return nil, c.s.DisableKey(c.r.Context(), id)
}

func (c *kmsCall) updateKeyDescription() (any, error) {
	var in struct {
		KeyID       string `json:"KeyId"`
		Description string
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return nil, c.s.UpdateKeyDescription(c.r.Context(), in.KeyID, in.Description)
}

func (c *kmsCall) scheduleKeyDeletion() (any, error) {
	var in struct {
		KeyID               string `json:"KeyId"`
		PendingWindowInDays *int
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	days := 30
	if in.PendingWindowInDays != nil {
		if days = *in.PendingWindowInDays; days == 0 {
			days = -1
		}
	}
	k, err := c.s.ScheduleKeyDeletion(c.r.Context(), in.KeyID, days)
	if err != nil {
		return nil, err
	}
	return struct {
		KeyID               string `json:"KeyId"`
		DeletionDate        *kmsTime
		KeyState            string
		PendingWindowInDays int
	}{k.ARN, timeOrNone(*k.Deletion), k.State, days}, nil
}

func (c *kmsCall) cancelKeyDeletion() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	k, err := c.s.CancelKeyDeletion(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	return struct {
		KeyID string `json:"KeyId"`
	}{k.ARN}, nil
}

func (c *kmsCall) getKeyRotationStatus() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	r, err := c.s.KeyRotation(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	return struct {
		KeyID                string `json:"KeyId"`
		KeyRotationEnabled   bool
		RotationPeriodInDays int      `json:",omitempty"`
		NextRotationDate     *kmsTime `json:",omitempty"`
	}{id, r.Enabled, r.Days, timeOrNone(r.Next)}, nil
}

func (c *kmsCall) enableKeyRotation() (any, error) {
	var in struct {
		KeyID                string `json:"KeyId"`
		RotationPeriodInDays int
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return nil, c.s.SetKeyRotation(c.r.Context(), in.KeyID, true, in.RotationPeriodInDays)
}

func (c *kmsCall) disableKeyRotation() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	return nil, c.s.SetKeyRotation(c.r.Context(), id, false, 0)
}
