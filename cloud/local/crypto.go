package local

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"tarn/cloud"
	"tarn/fault"
	"tarn/kv"
)

// A ciphertext blob of KMS names its key, so that Decrypt need not be told:
//
//	1 | key id 16 | generation of the material 2 | salt 16 | nonce 12 | AES-256-GCM(plain) | tag 16
//
// The message's key is derived from the material and the salt, so that no number of messages wears a key out. Everything
// before the nonce and the encryption context are authenticated.
const (
	blobFormat  = 1
	blobHead    = 1 + 16 + 2 + 16
	blobNonce   = 12
	maxPlain    = 4096 // bytes that Encrypt takes
	maxBlob     = 6144 // bytes that Decrypt takes
	purposeKey  = "kms key material"
	purposeWrap = "s3 service key"
)

func (c *Cloud) newMaterial(id string) material {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	return material{Sealed: c.sealer.Seal(purposeKey, secret, []byte(id)), Created: c.now().UTC()}
}

// messageAEAD is the cipher of one message.
func (c *Cloud) messageAEAD(k *keyRecord, generation int, salt []byte) (cipher.AEAD, error) {
	if generation >= len(k.Material) {
		return nil, errBlob()
	}
	secret, err := c.sealer.Open(purposeKey, k.Material[generation].Sealed, []byte(k.ID))
	if err != nil {
		return nil, fault.Errorf(fault.Internal, "local.kms", "the material of key %s cannot be opened with this master key: %w", k.ID, err)
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("tarn kms message 1\x00"))
	h.Write(salt)
	return newGCM(h.Sum(nil))
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// encryptUnder makes a blob.
func (c *Cloud) encryptUnder(k *keyRecord, plain []byte, encryptionContext map[string]string) ([]byte, error) {
	if len(k.Material) == 0 {
		return nil, unsupportedKey(c.keyARN(k.ID), k.Spec)
	}
	blob := make([]byte, blobHead+blobNonce, blobHead+blobNonce+len(plain)+16)
	blob[0] = blobFormat
	_, _ = hex.Decode(blob[1:17], []byte(strings.ReplaceAll(k.ID, "-", "")))
	generation := len(k.Material) - 1
	binary.BigEndian.PutUint16(blob[17:], uint16(generation))
	_, _ = rand.Read(blob[19:])
	aead, err := c.messageAEAD(k, generation, blob[19:blobHead])
	if err != nil {
		return nil, err
	}
	return aead.Seal(blob, blob[blobHead:], plain, authenticated(blob[:blobHead], encryptionContext)), nil
}

// blobKey is the id of the key that made a blob.
func blobKey(blob []byte) (string, error) {
	if len(blob) < blobHead+blobNonce+16 || len(blob) > maxBlob || blob[0] != blobFormat {
		return "", errBlob()
	}
	h := hex.EncodeToString(blob[1:17])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

// decryptUnder opens a blob of the key.
func (c *Cloud) decryptUnder(k *keyRecord, blob []byte, encryptionContext map[string]string) ([]byte, error) {
	if id, err := blobKey(blob); err != nil || id != k.ID {
		return nil, errBlob()
	}
	aead, err := c.messageAEAD(k, int(binary.BigEndian.Uint16(blob[17:])), blob[19:blobHead])
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, blob[blobHead:blobHead+blobNonce], blob[blobHead+blobNonce:], authenticated(blob[:blobHead], encryptionContext))
	if err != nil {
		return nil, errBlob()
	}
	return plain, nil
}

func errBlob() error {
	return kmsError(fault.Invalid, "InvalidCiphertextException", "the ciphertext, or the encryption context, is not what Encrypt gave out")
}

// authenticated joins the head and the encryption context so that no two contexts look alike.
func authenticated(head []byte, encryptionContext map[string]string) []byte {
	out := slices.Clone(head)
	for _, k := range slices.Sorted(maps.Keys(encryptionContext)) {
		for _, text := range []string{k, encryptionContext[k]} {
			out = binary.BigEndian.AppendUint32(out, uint32(len(text)))
			out = append(out, text...)
		}
	}
	return out
}

// contextConditions are the condition keys that an encryption context makes.
func contextConditions(encryptionContext map[string]string) conditions {
	var list conditions
	for k, v := range encryptionContext {
		list = append(list, encryptionContextKey+k, v)
	}
	return list
}

// keyFor finds a key, decides on the action with the encryption context, and checks that the key can do it.
func (s *Session) keyFor(ctx context.Context, name, action string, encryptionContext map[string]string) (*keyRecord, error) {
	if err := checkContext(encryptionContext); err != nil {
		return nil, err
	}
	k, err := s.key(ctx, name, action, contextConditions(encryptionContext))
	if err != nil {
		return nil, err
	}
	if err := s.c.ready(k); err != nil {
		return nil, named(err, action, "")
	}
	if k.Spec != SymmetricKey {
		return nil, named(unsupportedKey(s.c.keyARN(k.ID), k.Spec), action, "")
	}
	return k, nil
}

// checkContext bounds an encryption context, and refuses keys that differ only in case: the condition keys of policies
// (kms:EncryptionContext:KEY) are compared without regard to case, and must mean one value.
func checkContext(encryptionContext map[string]string) error {
	size := 0
	seen := make(map[string]bool, len(encryptionContext))
	for k, v := range encryptionContext {
		size += len(k) + len(v)
		lower := strings.ToLower(k)
		if seen[lower] {
			return kmsError(fault.Invalid, "ValidationException", "the encryption context has keys that differ only in case")
		}
		seen[lower] = true
	}
	if size > 8192 {
		return kmsError(fault.Invalid, "ValidationException", "the encryption context is larger than 8192 bytes")
	}
	return nil
}

// Encrypt encrypts up to 4,096 bytes. It returns the blob and the key's ARN. (kms:Encrypt)
func (s *Session) Encrypt(ctx context.Context, key string, plain []byte, encryptionContext map[string]string) (blob []byte, arn string, err error) {
	if len(plain) == 0 || len(plain) > maxPlain {
		return nil, "", kmsError(fault.Invalid, "ValidationException", "Plaintext must have 1 to %d bytes", maxPlain)
	}
	k, err := s.keyFor(ctx, key, "kms:Encrypt", encryptionContext)
	if err != nil {
		return nil, "", err
	}
	blob, err = s.c.encryptUnder(k, plain, encryptionContext)
	return blob, s.c.keyARN(k.ID), err
}

// Decrypt opens a blob under the same encryption context. key may be empty; where it is given, the blob must be of that
// key. (kms:Decrypt)
func (s *Session) Decrypt(ctx context.Context, key string, blob []byte, encryptionContext map[string]string) (plain []byte, arn string, err error) {
	k, err := s.keyOfBlob(ctx, key, "kms:Decrypt", blob, encryptionContext)
	if err != nil {
		return nil, "", err
	}
	plain, err = s.c.decryptUnder(k, blob, encryptionContext)
	return plain, s.c.keyARN(k.ID), err
}

func (s *Session) keyOfBlob(ctx context.Context, key, action string, blob []byte, encryptionContext map[string]string) (*keyRecord, error) {
	id, err := blobKey(blob)
	if err != nil {
		return nil, err
	}
	if key != "" {
		var given *keyRecord
		err := s.c.read(ctx, func(r kv.Reader) (err error) {
			given, err = s.c.find(ctx, r, key)
			return err
		})
		if err != nil {
			return nil, err
		}
		if given.ID != id {
			return nil, kmsError(fault.Invalid, "IncorrectKeyException", "The key ID in the request does not identify a key that can perform this operation.")
		}
	}
	k, err := s.keyFor(ctx, id, action, encryptionContext)
	if fault.Is(err, fault.NotFound) {
		return nil, &cloud.Error{Kind: fault.Denied, Code: "AccessDeniedException", Action: action, Resource: s.c.keyARN(id), Msg: "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."}
	}
	return k, err
}

// ReEncrypt opens a blob and encrypts its plain text anew, which never leaves the service. (kms:ReEncryptFrom,
// kms:ReEncryptTo)
func (s *Session) ReEncrypt(ctx context.Context, r ReEncryption) (blob []byte, from, to string, err error) {
	source, err := s.keyOfBlob(ctx, r.SourceKey, "kms:ReEncryptFrom", r.Blob, r.SourceContext)
	if err != nil {
		return nil, "", "", err
	}
	plain, err := s.c.decryptUnder(source, r.Blob, r.SourceContext)
	if err != nil {
		return nil, "", "", err
	}
	target, err := s.keyFor(ctx, r.Key, "kms:ReEncryptTo", r.Context)
	if err != nil {
		return nil, "", "", err
	}
	blob, err = s.c.encryptUnder(target, plain, r.Context)
	return blob, s.c.keyARN(source.ID), s.c.keyARN(target.ID), err
}

// ReEncryption is what ReEncrypt is told.
type ReEncryption struct {
	Blob          []byte
	SourceKey     string // may be empty
	SourceContext map[string]string
	Key           string
	Context       map[string]string
}

// DataKey is fresh random bytes, plain and wrapped by a key.
type DataKey struct {
	Plain, Blob []byte
	ARN         string // of the key that wrapped it
}

// GenerateDataKey makes n random bytes (1 to 1,024) and wraps them. action is kms:GenerateDataKey, or
// kms:GenerateDataKeyWithoutPlaintext for a caller that will not be shown Plain.
func (s *Session) GenerateDataKey(ctx context.Context, action, key string, n int, encryptionContext map[string]string) (DataKey, error) {
	if n < 1 || n > 1024 {
		return DataKey{}, kmsError(fault.Invalid, "ValidationException", "NumberOfBytes must be from 1 to 1024")
	}
	k, err := s.keyFor(ctx, key, action, encryptionContext)
	if err != nil {
		return DataKey{}, err
	}
	plain := make([]byte, n)
	_, _ = rand.Read(plain)
	blob, err := s.c.encryptUnder(k, plain, encryptionContext)
	return DataKey{Plain: plain, Blob: blob, ARN: s.c.keyARN(k.ID)}, err
}

// GenerateRandom is n random bytes, 1 to 1,024. (kms:GenerateRandom)
func (s *Session) GenerateRandom(n int) ([]byte, error) {
	if err := s.decideOwn("kms:GenerateRandom", "*", nil); err != nil {
		return nil, err
	}
	if n < 1 || n > 1024 {
		return nil, kmsError(fault.Invalid, "ValidationException", "NumberOfBytes must be from 1 to 1024")
	}
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b, nil
}

// serviceKey reads, or makes, the key that wraps the data keys of SSE-S3. That it opens proves the master key.
func (c *Cloud) serviceKey(ctx context.Context) (key []byte, err error) {
	row := []byte(rowService)
	err = c.space.Update(ctx, [][]byte{row}, func(tx kv.Locked) (*kv.Batch, error) {
		if sealed := tx.Values[0]; sealed != nil {
			var err error
			if key, err = c.sealer.Open(purposeWrap, sealed, nil); err != nil {
				return nil, fault.WithHint(fault.Errorf(fault.Conflict, "local.Open", "the keys of this data directory were sealed under another master key: %w", err),
					"start with the master key, or the passphrase, with which the data directory was made")
			}
			return nil, nil
		}
		key = make([]byte, 32)
		_, _ = rand.Read(key)
		b := new(kv.Batch)
		b.Set(row, c.sealer.Seal(purposeWrap, key, nil))
		return b, nil
	})
	return key, err
}
