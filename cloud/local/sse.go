package local

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"strings"

	"tarn/cloud"
	"tarn/fault"
)

// SSE is what a request says about server-side encryption.
type SSE struct {
	Algorithm string            // SSES3, SSEKMS, or empty: the bucket's default
	KMSKeyID  string            // under SSEKMS: id, ARN or alias; empty: ManagedS3Alias
	Context   map[string]string // added to the encryption context of the data key
	BucketKey bool
}

// sealing is how the bodies of one object are encrypted, as it lies in the object's record.
type sealing struct {
	Algorithm string
	KeyID     string            `json:",omitempty"` // of the KMS key; empty under SSES3
	Wrapped   []byte            // the object's data key
	Context   map[string]string `json:",omitempty"`
	BucketKey bool              `json:",omitempty"`
}

// objectContext is the key of the encryption context that names the object. It is S3's own: policies of keys rely on it.
const objectContext = "aws:s3:arn"

// encryptionContext is what KMS is told about an object's data key.
func (z *sealing) encryptionContext(arn string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, z.Context)
	all[objectContext] = arn
	return all
}

// settle fills in what the request left to the bucket.
func (e SSE) settle(rec *bucketRecord) (SSE, error) {
	switch e.Algorithm {
	case "":
		if e.KMSKeyID != "" {
			return e, s3Error(fault.Invalid, "InvalidArgument", "Server Side Encryption with KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		e.Algorithm, e.KMSKeyID, e.BucketKey = rec.Encryption.Algorithm, rec.Encryption.KMSKeyID, rec.Encryption.BucketKey
	case SSES3:
		if e.KMSKeyID != "" {
			return e, s3Error(fault.Invalid, "InvalidArgument", "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
	case SSEKMS:
	case "aws:kms:dsse":
		return e, s3Error(fault.Unsupported, "NotImplemented", "Dual-layer encryption (aws:kms:dsse) is not offered; aws:kms is.")
	default:
		return e, s3Error(fault.Invalid, "InvalidEncryptionAlgorithmError", "The encryption request that you specified is not valid. The valid values are AES256 and aws:kms.")
	}
	if e.Algorithm == SSEKMS && e.KMSKeyID == "" {
		e.KMSKeyID = ManagedS3Alias
	}
	return e, nil
}

// throughS3 is the caller as KMS sees it when S3 passes its request on.
func (s *Session) throughS3() *Session {
	return &Session{c: s.c, caller: s.caller, via: "s3." + s.c.region + ".amazonaws.com"}
}

// newDataKey makes and wraps the data key of an object, by the bucket's rules and the request's.
func (s *Session) newDataKey(ctx context.Context, rec *bucketRecord, arn string, e SSE) (sealing, []byte, error) {
	e, err := e.settle(rec)
	if err != nil {
		return sealing{}, nil, err
	}
	if e.Algorithm == SSES3 {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		wrapped, err := s.c.wrapService(key, arn)
		return sealing{Algorithm: SSES3, Wrapped: wrapped}, key, err
	}
	for key := range e.Context {
		if strings.EqualFold(key, objectContext) {
			return sealing{}, nil, s3Error(fault.Invalid, "InvalidArgument", "The encryption context must not have the key %s: it names the object.", objectContext)
		}
	}
	z := sealing{Algorithm: SSEKMS, Context: e.Context, BucketKey: e.BucketKey}
	k, err := s.throughS3().keyFor(ctx, e.KMSKeyID, "kms:GenerateDataKey", z.encryptionContext(arn))
	if err != nil {
		return sealing{}, nil, throughS3Error(err)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	z.KeyID = k.ID
	z.Wrapped, err = s.c.encryptUnder(k, key, z.encryptionContext(arn))
	return z, key, err
}

// dataKey unwraps the data key of an object: what a disabled key, or a caller without kms:Decrypt, cannot have.
func (s *Session) dataKey(ctx context.Context, z *sealing, arn string) ([]byte, error) {
	if z.Algorithm == SSES3 {
		return s.c.unwrapService(z.Wrapped, arn)
	}
	k, err := s.throughS3().keyFor(ctx, z.KeyID, "kms:Decrypt", z.encryptionContext(arn))
	if err != nil {
		return nil, throughS3Error(err)
	}
	key, err := s.c.decryptUnder(k, z.Wrapped, z.encryptionContext(arn))
	if err != nil {
		return nil, fault.Errorf(fault.Internal, "local.dataKey", "the data key of an object cannot be opened: %w", err)
	}
	return key, nil
}

func (c *Cloud) wrapService(key []byte, arn string) ([]byte, error) {
	aead, err := newGCM(c.service)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, blobNonce, blobNonce+len(key)+16)
	_, _ = rand.Read(nonce)
	return aead.Seal(nonce, nonce, key, []byte(arn)), nil
}

func (c *Cloud) unwrapService(wrapped []byte, arn string) ([]byte, error) {
	aead, err := newGCM(c.service)
	if err != nil {
		return nil, err
	}
	if len(wrapped) < blobNonce {
		return nil, fault.Errorf(fault.Internal, "local.dataKey", "the data key of an object is cut off")
	}
	key, err := aead.Open(nil, wrapped[:blobNonce], wrapped[blobNonce:], []byte(arn))
	if err != nil {
		return nil, fault.Errorf(fault.Internal, "local.dataKey", "the data key of an object cannot be opened: %w", err)
	}
	return key, nil
}

// throughS3Error tells an error of KMS as S3 does.
func throughS3Error(err error) error {
	var e *cloud.Error
	if !errors.As(err, &e) {
		return err
	}
	told := *e
	if e.Code == "AccessDeniedException" {
		told.Code = "AccessDenied"
	} else {
		told.Code = "KMS." + e.Code
	}
	return &told
}
