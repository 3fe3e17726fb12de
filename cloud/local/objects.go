package local

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"
	"unicode/utf8"

	"tarn/fault"
	"tarn/kv"
)

// MaxPut is the largest body of one put or part, in bytes.
const MaxPut = 5 << 30

// Headers are what a put says about an object and a get repeats.
type Headers struct {
	ContentType        string            `json:",omitempty"`
	CacheControl       string            `json:",omitempty"`
	ContentDisposition string            `json:",omitempty"`
	ContentEncoding    string            `json:",omitempty"`
	ContentLanguage    string            `json:",omitempty"`
	Expires            string            `json:",omitempty"`
	Meta               map[string]string `json:",omitempty"` // x-amz-meta-, names in lower case
}

// objectRecord is an object as it lies in its row.
type objectRecord struct {
	Format   int // of the bodies: 1
	Size     int64
	ETag     string // without quotes
	Modified time.Time
	Headers
	Sums    map[string]string `json:",omitempty"` // checksum algorithm -> base64
	SumType string            `json:",omitempty"` // FULL_OBJECT or COMPOSITE
	Parts   int               `json:",omitempty"` // of a multipart upload
	Sealing sealing
	Bodies  bodyList
}

// ObjectInfo is what S3 tells of an object.
type ObjectInfo struct {
	Bucket, Key string
	Size        int64
	ETag        string // without quotes
	Modified    time.Time
	Headers     Headers
	Sums        map[string]string // checksum algorithm (CRC32, ...) -> base64
	SumType     string            // FULL_OBJECT or COMPOSITE
	Parts       int               // how many, of a multipart upload; else 0
	SSE         string            // SSES3 or SSEKMS
	KMSKeyARN   string
	BucketKey   bool
}

func (c *Cloud) info(bucket, key string, o *objectRecord) ObjectInfo {
	i := ObjectInfo{Bucket: bucket, Key: key, Size: o.Size, ETag: o.ETag, Modified: o.Modified, Headers: o.Headers, Sums: o.Sums,
		SumType: o.SumType, Parts: o.Parts, SSE: o.Sealing.Algorithm, BucketKey: o.Sealing.BucketKey}
	if o.Sealing.KeyID != "" {
		i.KMSKeyARN = c.keyARN(o.Sealing.KeyID)
	}
	return i
}

// PutRequest is a put of a whole object.
type PutRequest struct {
	Bucket, Key string
	Body        io.Reader
	Size        int64 // of Body
	Headers     Headers
	SSE         SSE
	ACL         string   // canned
	MD5         []byte   // that the body must have, or nil
	Checksum    Checksum // that the body must have, or empty
	SHA256      []byte   // of the body, where the caller, being trusted, knows it: it is kept and not computed again
	IfMatch     string   // ETag that the object must have now, without quotes
	IfNoneMatch bool     // there must be no object now
}

func checkKey(key string) error {
	switch {
	case key == "":
		return s3Error(fault.Invalid, "InvalidArgument", "an object's key cannot be empty")
	case len(key) > MaxObjectKey:
		return s3Error(fault.Invalid, "KeyTooLongError", "Your key is too long: it has %d bytes, at most %d are possible here", len(key), MaxObjectKey)
	case !utf8.ValidString(key):
		return s3Error(fault.Invalid, "InvalidURI", "an object's key must be valid UTF-8")
	}
	return nil
}

// putConditions are the condition keys of a request that makes an object.
func (s *Session) putConditions(e SSE, acl string) conditions {
	id := e.KMSKeyID
	if keyIDForm.MatchString(id) {
		id = s.c.keyARN(id)
	}
	return conditions{"s3:x-amz-server-side-encryption", e.Algorithm, "s3:x-amz-server-side-encryption-aws-kms-key-id", id, "s3:x-amz-acl", acl}
}

// PutObject makes or replaces an object; it is durable when it returns nil, and what was there before stays whole until
// then. (s3:PutObject; kms:GenerateDataKey under SSEKMS)
func (s *Session) PutObject(ctx context.Context, r PutRequest) (ObjectInfo, error) {
	rec, err := s.mayPut(ctx, r.Bucket, r.Key, r.SSE, r.ACL)
	if err != nil {
		return ObjectInfo{}, err
	}
	if r.Size > MaxPut {
		return ObjectInfo{}, s3Error(fault.TooLarge, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of %d bytes", MaxPut)
	}
	z, dataKey, err := s.newDataKey(ctx, rec, s.c.objectARN(r.Bucket, r.Key), r.SSE)
	if err != nil {
		return ObjectInfo{}, err
	}
	w, err := s.c.write(ctx, writing{bucket: r.Bucket, body: r.Body, size: r.Size, dataKey: dataKey, md5: r.MD5, checksum: r.Checksum,
		needMD5: z.Algorithm == SSES3})
	if err != nil {
		return ObjectInfo{}, err
	}
	o := &objectRecord{Format: 1, Size: w.size, Modified: s.c.now().UTC().Truncate(time.Millisecond), Headers: r.Headers, Sealing: z, Bodies: w.bodies}
	o.Sums, o.SumType = w.sums, "FULL_OBJECT"
	switch {
	case w.md5 != nil:
		o.ETag = hex.EncodeToString(w.md5)
	case len(r.SHA256) == sha256.Size:
		o.ETag = tagOf(r.SHA256)
		o.Sums = map[string]string{"SHA256": b64(r.SHA256)}
	default:
		o.ETag = tagOf(randomBytes(32))
	}
	if err := s.c.commit(ctx, rec, r.Key, o, precondition{r.IfMatch, r.IfNoneMatch}, nil); err != nil {
		return ObjectInfo{}, named(err, "s3:PutObject", s.c.objectARN(r.Bucket, r.Key))
	}
	return s.c.info(r.Bucket, r.Key, o), nil
}

// mayPut finds the bucket and decides on s3:PutObject.
func (s *Session) mayPut(ctx context.Context, bucket, key string, e SSE, acl string) (*bucketRecord, error) {
	arn := s.c.objectARN(bucket, key)
	rec, err := s.seek(ctx, bucket, "s3:PutObject", arn)
	if err != nil {
		return nil, err
	}
	if err := s.decideS3(rec, "s3:PutObject", arn, s.putConditions(e, acl)); err != nil {
		return nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return rec, checkACL(rec, acl)
}

// tagOf is the ETag of an object whose ETag is not the MD5 of its bytes: equal bytes of a caller that knows their
// SHA-256 have equal tags.
func tagOf(seed []byte) string {
	sum := sha256.Sum256(append([]byte("tarn etag 1\x00"), seed...))
	return hex.EncodeToString(sum[:16])
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// HeadObject tells of an object. (s3:GetObject)
func (s *Session) HeadObject(ctx context.Context, bucket, key string) (ObjectInfo, error) {
	return s.LookAt(ctx, bucket, key, "s3:GetObject")
}

// LookAt is HeadObject for a request that the action is for, such as s3:GetObjectAcl.
func (s *Session) LookAt(ctx context.Context, bucket, key, action string) (ObjectInfo, error) {
	_, o, err := s.find(ctx, bucket, key, action)
	if err != nil {
		return ObjectInfo{}, err
	}
	return s.c.info(bucket, key, o), nil
}

// find decides on an action to an object and reads its record. Whether an object is not there is told only to those who
// may list the bucket, as S3 does.
func (s *Session) find(ctx context.Context, bucket, key, action string) (*bucketRecord, *objectRecord, error) {
	arn := s.c.objectARN(bucket, key)
	rec, err := s.seek(ctx, bucket, action, arn)
	if err != nil {
		return nil, nil, err
	}
	if err := s.decideS3(rec, action, arn, nil); err != nil {
		return nil, nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, nil, err
	}
	o, err := fetch[objectRecord](ctx, s.c, objectRow(rec.Number, key))
	if err != nil {
		return nil, nil, err
	}
	if o == nil {
		if err := s.decideS3(rec, "s3:ListBucket", s.c.bucketARN(bucket), nil); err != nil {
			return nil, nil, err
		}
		return nil, nil, named(s3Error(fault.NotFound, "NoSuchKey", "The specified key does not exist."), action, arn)
	}
	return rec, o, nil
}

// Object is an object that is being read: its bytes stay as they are until Close, whatever others do to the key.
type Object struct {
	ObjectInfo
	s      *Session
	record *objectRecord
	closed bool
}

// GetObject finds an object for reading. Whoever gets it closes it. (s3:GetObject)
func (s *Session) GetObject(ctx context.Context, bucket, key string) (*Object, error) {
	return s.getObject(ctx, bucket, key, "s3:GetObject")
}

func (s *Session) getObject(ctx context.Context, bucket, key, action string) (*Object, error) {
	for {
		_, o, err := s.find(ctx, bucket, key, action)
		if err != nil {
			return nil, err
		}
		if s.c.bodies.pin(o.Bodies) {
			return &Object{ObjectInfo: s.c.info(bucket, key, o), s: s, record: o}, nil
		}
	}
}

// Open reads n bytes from offset; both must lie within the object. The reader must be closed before the object.
// (kms:Decrypt under SSEKMS)
func (o *Object) Open(ctx context.Context, offset, n int64) (io.ReadCloser, error) {
	if offset < 0 || n < 0 || offset+n > o.Size {
		return nil, s3Error(fault.Invalid, "InvalidRange", "The requested range is not satisfiable")
	}
	key, err := o.s.dataKey(ctx, &o.record.Sealing, o.s.c.objectARN(o.Bucket, o.Key))
	if err != nil {
		return nil, err
	}
	return o.s.c.bodies.open(o.Bucket, o.record.Bodies, key, offset, n, nil), nil
}

// PartRange is where a part of a multipart object lies, from 1. An object that was put whole has one part.
func (o *Object) PartRange(part int) (offset, n int64, ok bool) {
	if o.Parts == 0 {
		return 0, o.Size, part == 1
	}
	if part < 1 || part > len(o.record.Bodies) {
		return 0, 0, false
	}
	for _, x := range o.record.Bodies[:part-1] {
		offset += x.Size
	}
	return offset, o.record.Bodies[part-1].Size, true
}

// Close lets the object's bytes go. A second Close does nothing.
func (o *Object) Close() error {
	if !o.closed {
		o.closed = true
		o.s.c.bodies.unpin(o.record.Bodies)
	}
	return nil
}

// DeleteObject deletes an object; that it is not there is no error. (s3:DeleteObject)
func (s *Session) DeleteObject(ctx context.Context, bucket, key string) error {
	arn := s.c.objectARN(bucket, key)
	rec, err := s.seek(ctx, bucket, "s3:DeleteObject", arn)
	if err != nil {
		return err
	}
	if err := s.decideS3(rec, "s3:DeleteObject", arn, nil); err != nil {
		return err
	}
	if err := checkKey(key); err != nil {
		return err
	}
	var old *objectRecord
	row := objectRow(rec.Number, key)
	err = s.c.space.Update(ctx, [][]byte{gate(rec.Number, key)}, func(tx kv.Locked) (*kv.Batch, error) {
		if old, err = load[objectRecord](ctx, tx, row); err != nil || old == nil {
			return nil, err
		}
		b := new(kv.Batch)
		b.Delete(row)
		return b, nil
	})
	if err == nil && old != nil {
		s.c.bodies.remove(bucket, old.Bodies)
	}
	return err
}
