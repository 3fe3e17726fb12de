package localcloud

import "tarn/cloud/local"

const symmetricAlgorithm = "SYMMETRIC_DEFAULT"

func checkAlgorithm(name string) error {
	if name != "" && name != symmetricAlgorithm {
		return kmsInvalid("InvalidKeyUsageException", "The encryption algorithm %s is not offered; %s is.", name, symmetricAlgorithm)
	}
	return nil
}

// refuseDryRun refuses what would be taken for done.
func refuseDryRun(dry bool) error {
	if dry {
		return kmsInvalid("UnsupportedOperationException", "DryRun is not offered")
	}
	return nil
}

func (c *kmsCall) encrypt() (any, error) {
	var in struct {
		KeyID               string `json:"KeyId"`
		Plaintext           []byte
		EncryptionContext   map[string]string
		EncryptionAlgorithm string
		DryRun              bool
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := checkAlgorithm(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	if err := refuseDryRun(in.DryRun); err != nil {
		return nil, err
	}
	blob, arn, err := c.s.Encrypt(c.r.Context(), in.KeyID, in.Plaintext, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return struct {
		CiphertextBlob      []byte
		KeyID               string `json:"KeyId"`
		EncryptionAlgorithm string
	}{blob, arn, symmetricAlgorithm}, nil
}

func (c *kmsCall) decrypt() (any, error) {
	var in struct {
		KeyID               string `json:"KeyId"`
		CiphertextBlob      []byte
		EncryptionContext   map[string]string
		EncryptionAlgorithm string
		Recipient           any
		DryRun              bool
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if err := checkAlgorithm(in.EncryptionAlgorithm); err != nil {
		return nil, err
	}
	if err := refuseDryRun(in.DryRun); err != nil {
		return nil, err
	}
	if in.Recipient != nil {
		return nil, kmsInvalid("UnsupportedOperationException", "Nitro Enclaves are not offered")
	}
	plain, arn, err := c.s.Decrypt(c.r.Context(), in.KeyID, in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return struct {
		KeyID               string `json:"KeyId"`
		Plaintext           []byte
		EncryptionAlgorithm string
	}{arn, plain, symmetricAlgorithm}, nil
}

func (c *kmsCall) reEncrypt() (any, error) {
	var in struct {
		CiphertextBlob                                            []byte
		SourceKeyID                                               string `json:"SourceKeyId"`
		SourceEncryptionContext                                   map[string]string
		DestinationKeyID                                          string `json:"DestinationKeyId"`
		DestinationEncryptionContext                              map[string]string
		SourceEncryptionAlgorithm, DestinationEncryptionAlgorithm string
		DryRun                                                    bool
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	for _, name := range []string{in.SourceEncryptionAlgorithm, in.DestinationEncryptionAlgorithm} {
		if err := checkAlgorithm(name); err != nil {
			return nil, err
		}
	}
	if err := refuseDryRun(in.DryRun); err != nil {
		return nil, err
	}
	blob, from, to, err := c.s.ReEncrypt(c.r.Context(), local.ReEncryption{Blob: in.CiphertextBlob, SourceKey: in.SourceKeyID,
		SourceContext: in.SourceEncryptionContext, Key: in.DestinationKeyID, Context: in.DestinationEncryptionContext})
	if err != nil {
		return nil, err
	}
	return struct {
		CiphertextBlob                                            []byte
		SourceKeyID                                               string `json:"SourceKeyId"`
		KeyID                                                     string `json:"KeyId"`
		SourceEncryptionAlgorithm, DestinationEncryptionAlgorithm string
	}{blob, from, to, symmetricAlgorithm, symmetricAlgorithm}, nil
}

type dataKeyAnswer struct {
	CiphertextBlob []byte
	Plaintext      []byte `json:",omitempty"`
	KeyID          string `json:"KeyId"`
}

func (c *kmsCall) dataKey(action string) (dataKeyAnswer, error) {
	var in struct {
		KeyID             string `json:"KeyId"`
		KeySpec           string
		NumberOfBytes     *int
		EncryptionContext map[string]string
		Recipient         any
		DryRun            bool
	}
	if err := c.read(&in); err != nil {
		return dataKeyAnswer{}, err
	}
	if err := refuseDryRun(in.DryRun); err != nil {
		return dataKeyAnswer{}, err
	}
	n := 0
	switch {
	case in.Recipient != nil:
		return dataKeyAnswer{}, kmsInvalid("UnsupportedOperationException", "Nitro Enclaves are not offered")
	case (in.KeySpec == "") == (in.NumberOfBytes == nil):
		return dataKeyAnswer{}, kmsInvalid("ValidationException", "Please specify either number of bytes or key spec.")
	case in.KeySpec == "AES_256":
		n = 32
	case in.KeySpec == "AES_128":
		n = 16
	case in.KeySpec != "":
		return dataKeyAnswer{}, kmsInvalid("ValidationException", "KeySpec must be AES_256 or AES_128")
	default:
		n = *in.NumberOfBytes
	}
	k, err := c.s.GenerateDataKey(c.r.Context(), action, in.KeyID, n, in.EncryptionContext)
	if err != nil {
		return dataKeyAnswer{}, err
	}
	return dataKeyAnswer{k.Blob, k.Plain, k.ARN}, nil
}

func (c *kmsCall) generateDataKey() (any, error) {
	return c.dataKey("kms:GenerateDataKey")
}

func (c *kmsCall) generateDataKeyWithoutPlaintext() (any, error) {
	k, err := c.dataKey("kms:GenerateDataKeyWithoutPlaintext")
	k.Plaintext = nil
	return k, err
}

func (c *kmsCall) generateRandom() (any, error) {
	var in struct {
		NumberOfBytes int
		Recipient     any
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Recipient != nil {
		return nil, kmsInvalid("UnsupportedOperationException", "Nitro Enclaves are not offered")
	}
	b, err := c.s.GenerateRandom(in.NumberOfBytes)
	if err != nil {
		return nil, err
	}
	return struct{ Plaintext []byte }{b}, nil
}
