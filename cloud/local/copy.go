package local

import (
	"context"
	"io"

	"tarn/fault"
)

// CopyRequest is a copy of an object within the cloud.
type CopyRequest struct {
	Source  *Object // from CopySource
	Target  PutRequest
	Replace bool // Target.Headers take the place of the source's
}

// CopySource finds an object to copy; the caller closes it. (s3:GetObject)
func (s *Session) CopySource(ctx context.Context, bucket, key string) (*Object, error) {
	return s.GetObject(ctx, bucket, key)
}

// CopyObject writes a copy: decrypted, and encrypted anew under a data key of the target. (s3:PutObject, kms:Decrypt of
// the source's key, kms:GenerateDataKey of the target's)
func (s *Session) CopyObject(ctx context.Context, r CopyRequest) (ObjectInfo, error) {
	src, put := r.Source, r.Target
	if src.Size > MaxPut {
		return ObjectInfo{}, s3Error(fault.Invalid, "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: %d", MaxPut)
	}
	if src.Bucket == put.Bucket && src.Key == put.Key && !r.Replace && put.SSE.Algorithm == "" {
		return ObjectInfo{}, s3Error(fault.Invalid, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if !r.Replace {
		put.Headers = src.Headers
	}
	if put.Checksum.Algorithm == "" && src.SumType == fullObject {
		for algorithm, value := range src.Sums {
			put.Checksum = Checksum{Algorithm: algorithm, Value: value}
		}
	}
	body, err := src.Open(ctx, 0, src.Size)
	if err != nil {
		return ObjectInfo{}, err
	}
	put.Body, put.Size = body, src.Size
	info, err := s.PutObject(ctx, put)
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	return info, err
}

// CopyPart makes a part of a range of an object. (As UploadPart, and kms:Decrypt of the source's key.)
func (s *Session) CopyPart(ctx context.Context, src *Object, offset, n int64, r PartRequest) (Part, error) {
	body, err := src.Open(ctx, offset, n)
	if err != nil {
		return Part{}, err
	}
	defer func() { _ = body.Close() }()
	r.Body, r.Size = io.Reader(body), n
	return s.UploadPart(ctx, r)
}
